import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Tensors whose names look the same, written with other bytes, are different tensors everywhere.
@Suite struct ExactNamesTests {
  private static let composed = "layers.0.caf\u{e9}.weight"
  private static let decomposed = "layers.0.cafe\u{301}.weight"

  private let folder: TemporaryFolder
  private let path: String

  /// Two dense weights of 4 × 8.
  init() throws {
    folder = try TemporaryFolder()
    let writer = try SafetensorsWriter(
      path: folder["model.safetensors"],
      tensors: [Self.composed, Self.decomposed].map {
        TensorSpec(name: $0, dtype: .f32, shape: [4, 8])
      })
    let values = Matrix(rows: 4, columns: 8, (1...32).map { Float($0) })
    for name in [Self.composed, Self.decomposed] {
      try writer.write(ByteView(copying: values.storedBytes(as: .float32)), as: name)
    }
    try writer.commit()
    path = writer.path
  }

  private func prune(_ input: String, only name: String, to output: String) throws -> Checkpoint {
    let options = PruneOptions(
      method: .magnitude, selection: WeightSelection(only: [name]), output: folder[output])
    return try Checkpoint(path: PruneRun(input, options).run().output)
  }

  private func status(_ name: String, in report: CheckReport) -> CheckReport.Status? {
    report.tensors.first { ExactString($0.name) == ExactString(name) }?.status
  }

  @Test func onlyTheOneThatIsMeantIsPrunedPromisedAndChecked() throws {
    let once = try prune(path, only: Self.composed, to: "once.safetensors")
    #expect(
      try once.bytes(of: Self.decomposed).array
        == Checkpoint(path: path).bytes(of: Self.decomposed).array)
    #expect(try once.promisedWeights()?.map(ExactString.init) == [ExactString(Self.composed)])
    let report = try once.check()
    #expect(report.passed)
    #expect(status(Self.composed, in: report) == .sparse)
    #expect(status(Self.decomposed, in: report) == .dense)

    let twice = try prune(once.path, only: Self.decomposed, to: "twice.safetensors")
    #expect(
      Set(try (twice.promisedWeights() ?? []).map(ExactString.init))
        == [ExactString(Self.composed), ExactString(Self.decomposed)])
    #expect(try twice.check().count(.sparse) == 2)
  }

  @Test func onlyTheOneThatIsMeantIsInspected() throws {
    let report = try Checkpoint(path: path).inspect(WeightSelection(skip: [Self.composed]))
    #expect(report.tensors.map { ExactString($0.name) } == [ExactString(Self.decomposed)])
  }

  /// Where the file system keeps such names apart, so do checkpoints of several files.
  @Test func filesAreToldApartToo() throws {
    let names = ["caf\u{e9}.safetensors", "cafe\u{301}.safetensors"]
    for (name, tensor) in zip(names, ["a", "b"]) {
      let writer = try SafetensorsWriter(
        path: folder["shards.\(tensor)"],
        tensors: [TensorSpec(name: tensor, dtype: .u8, shape: [1])])
      try writer.write(ByteView(copying: Array(tensor.utf8)), as: tensor)
      try writer.commit()
      try folder.write(folder.read("shards.\(tensor)"), to: "several/" + name)
    }
    guard try FileSystem.names(in: folder["several"]).count == 2 else { return }
    let index = try folder.write(
      #"{"weight_map":{"a":"\#(names[0])","b":"\#(names[1])"}}"#,
      to: "several/model.safetensors.index.json")
    let checkpoint = try Checkpoint(path: index)
    for tensor in ["a", "b"] {
      #expect(try checkpoint.bytes(of: tensor).array == Array(tensor.utf8))
    }
  }
}
