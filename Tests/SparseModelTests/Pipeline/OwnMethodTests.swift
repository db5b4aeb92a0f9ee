import SparseCore
import SparseModel
import TestSupport
import Testing

/// A method of a library user's own: a type that conforms to `Pruner`, with what the library makes public.
private struct KeepsTheFirstTwo: MaskingPruner {
  let needs = StatisticsKind.none

  func mask(
    for weight: StoredMatrix, inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> Mask24 {
    let scores = (0..<weight.rows * weight.columns).map { Float(-($0 % 4)) }
    return try Mask24(
      keepingLargest: Matrix(rows: weight.rows, columns: weight.columns, scores), on: compute)
  }
}

/// Methods that the package does not know run over a checkpoint like its own.
@Suite struct OwnMethodTests {
  private static let first = PruningMethod("first") { _ in KeepsTheFirstTwo() }

  /// Without statistics it is still no magnitude: which weights stay is the method's word alone.
  @Test(arguments: [nil, QuantizationOptions()] as [QuantizationOptions?])
  func aMethodOfOnesOwnPrunesACheckpoint(quantization: QuantizationOptions?) throws {
    let folder = try TemporaryFolder()
    let input = ModelFixture.tiny.path
    let report = try PruneRun(
      input, PruneOptions(method: Self.first, quantization: quantization, output: folder["out"])
    ).run()
    #expect(report.method == "first" && report.layers.count == 28)
    let (dense, pruned) = try (Checkpoint(path: input), Checkpoint(path: folder["out"]))
    for layer in report.layers {
      let (before, after) = try (
        Matrix(dense.matrix(layer.name)).values, Matrix(pruned.weight(layer.name)).values
      )
      #expect(before.count == after.count)
      #expect(after.indices.allSatisfy { $0 % 4 < 2 || after[$0] == 0 })
      if quantization == nil {
        #expect(after.indices.allSatisfy { $0 % 4 >= 2 || after[$0] == before[$0] })
      }
    }
    #expect(try pruned.check().passed)
  }

  @Test func methodsAreTheirNames() {
    #expect(Self.first == PruningMethod("first", searches: true) { _ in Magnitude() })
    #expect(Self.first != .magnitude)
    #expect(PruningMethod(rawValue: "first") == nil)
    #expect(PruningMethod.allCases.allSatisfy { PruningMethod(rawValue: $0.rawValue) == $0 })
    // The names of the published methods, as the command line has had them from the start.
    #expect(
      PruningMethod.allCases.map(\.rawValue) == ["magnitude", "wanda", "sparsegpt", "admm"])
  }
}
