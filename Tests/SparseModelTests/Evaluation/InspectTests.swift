import SparseCore
import TestSupport
import Testing

@testable import SparseModel

@Suite struct InspectTests {
  /// Zeros, crowded groups and patterns of a weight, counted value by value.
  private func count(_ weight: Matrix) -> (zeros: Int, crowded: Int, patterns: [Int]) {
    var (zeros, crowded, patterns) = (0, 0, [0, 0, 0, 0, 0, 0])
    for start in stride(from: 0, to: weight.values.count, by: 4) {
      let kept = (0..<4).filter { weight.values[start + $0] != 0 }
      zeros += 4 - kept.count
      if kept.count > 2 { crowded += 1 }
      let pairs = [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]
      if let pattern = pairs.firstIndex(of: kept) { patterns[pattern] += 1 }
    }
    return (zeros, crowded, patterns)
  }

  @Test(arguments: ModelFixture.architectures)
  func countsAreThoseOfTheValues(fixture: ModelFixture) throws {
    let place = try PrunedFolder(EditedModel(fixture))
    try place.prune(.magnitude, selection: WeightSelection(only: ["*mlp*"]), to: "out")
    let checkpoint = try Checkpoint(path: place.folder["out"])
    let report = try checkpoint.inspect()
    #expect(report.tensors.map(\.name) == checkpoint.tensors.map(\.name))
    for tensor in report.tensors where tensor.shape.count == 2 {
      let expected = count(try Matrix(checkpoint.matrix(tensor.name)))
      #expect(tensor.sparsity?.zeros == expected.zeros, "\(tensor.name)")
      #expect(tensor.sparsity?.groupsWithMoreThanTwo == expected.crowded, "\(tensor.name)")
      #expect(tensor.sparsity?.patterns == expected.patterns, "\(tensor.name)")
      #expect(tensor.elements == tensor.shape[0] * tensor.shape[1])
    }
  }

  @Test func whatIsNoWeightHasNoCounts() throws {
    let folder = try TemporaryFolder()
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.tensors = []
    model.put("ids", .i64, [2, 4], [UInt8](repeating: 0, count: 64))
    model.put("odd", [2, 3], [Float](repeating: 0, count: 6))
    model.put("scalar", [], [1])
    model.put("bytes", .i8, [1, 8], [0, 0, 0, 0, 1, 0, 0, 255])
    let report = try Checkpoint(path: model.write(to: folder)).inspect()
    let found = Dictionary(uniqueKeysWithValues: report.tensors.map { ($0.name, $0) })
    for name in ["ids", "odd", "scalar"] { #expect(found[name]?.sparsity == nil, "\(name)") }
    #expect(found["bytes"]?.sparsity?.zeros == 6)
    #expect(found["scalar"]?.elements == 1)
    let json = report.json["tensors"]?.array?.first { $0["name"] == "ids" }
    #expect(json?["zeros"]?.isNull == true && json?["patterns"]?.isNull == true)
    #expect(json?["elements"] == 8)
  }

  @Test func globsSelectTensorsOfEveryKind() throws {
    let checkpoint = try ModelFixture.tiny.checkpoint()
    let norms = try checkpoint.inspect(WeightSelection(only: ["*norm*"]))
    #expect(norms.tensors.count == 9)
    #expect(
      try checkpoint.inspect(WeightSelection(skip: ["*layers*"])).tensors.map(\.name).sorted()
        == ["model.embed_tokens.weight", "model.norm.weight"])
    #expect(throws: SelectionError.matchesNothing(glob: "x", candidates: 38)) {
      try checkpoint.inspect(WeightSelection(only: ["x"]))
    }
  }
}
