internal import SparseCore
internal import SparseModel
internal import TestSupport
internal import Testing

/// Outputs with other tensors than the input.
@Suite struct CheckpointChangesTests {
  private let fixture: CheckpointFixture

  init() throws { fixture = try CheckpointFixture() }

  private let codes = TensorSpec(name: "a", dtype: .i8, shape: [2, 4])
  private let scales = TensorSpec(name: "a_scale", dtype: .f32, shape: [2, 1])

  private func write(
    _ path: String, _ changes: CheckpointChanges, copies: Bool = true
  ) throws -> Checkpoint {
    let input = try Checkpoint(path: path)
    let output = try CheckpointWriter(
      copying: input, to: CheckpointOutput(for: input), changes: changes
    ) { $0.map(\.name).joined(separator: " ") }
    for spec in input.tensors.compactMap({ changes[tensor: $0.name] }).joined() {
      let count = spec.shape.reduce(spec.dtype.bits / 8, *)
      try output.write(ByteView(copying: [UInt8](repeating: 7, count: count)), as: spec.name)
    }
    if copies { try output.copyRemaining() }
    try output.commit()
    return try Checkpoint(path: output.path)
  }

  @Test func namesThatDifferInCompositionAloneAreTwo() {
    var changes = CheckpointChanges()
    changes[tensor: "\u{e9}"] = []
    #expect(changes[tensor: "e\u{301}"] == nil)
  }

  @Test func otherTensorsTakeATensorsPlace() throws {
    let path = try fixture.single()
    let output = try write(path, CheckpointChanges(tensors: ["a": [codes, scales], "b": []]))
    let input = try Checkpoint(path: path)
    #expect(Set(output.tensors.map(\.name)) == ["a", "a_scale", "norm", "ids"])
    #expect(output["a"]?.info.spec == codes && output["a_scale"]?.info.spec == scales)
    #expect(try output.bytes(of: "a").array == [UInt8](repeating: 7, count: 8))
    #expect(try output.bytes(of: "ids").array == input.bytes(of: "ids").array)
    #expect(
      output.files[0].metadata[CheckpointWriter.manifestKey]
        == output.tensors.map(\.name).joined(separator: " "))
  }

  @Test func theIndexListsWhatIsThere() throws {
    let output = try write(
      fixture.sharded(), CheckpointChanges(tensors: ["a": [codes, scales], "b": []]))
    let index = try JSON(
      parsing: ByteView(copying: fixture.folder.read("model-2of4/model.safetensors.index.json")))
    #expect(index["metadata"] == ["total_size": .integer(8 + 8 + 32)])
    let first: JSON = "model-00001-of-00002.safetensors"
    #expect(index["weight_map"] == ["a": first, "a_scale": first, "é": first])
    #expect(output.tensors.map(\.name).sorted() == ["a", "a_scale", "é"])
  }

  @Test func configIsToldAndKeepsTheRest() throws {
    let path = try fixture.single()
    try fixture.folder.write(
      #"{"hidden_size": 8, "old": 1, "note": "é", "epsilon": 1e-05}"#, to: "model/config.json")
    _ = try write(
      path,
      CheckpointChanges(configuration: ["old": nil, "quantization_config": ["a": 1]]))
    let config = try JSON(
      parsing: ByteView(copying: fixture.folder.read("model-2of4/config.json")))
    #expect(
      config == [
        "hidden_size": 8, "note": "é", "epsilon": 1e-05, "quantization_config": ["a": 1],
      ])
  }

  @Test func aFileComesWithoutAConfig() throws {
    let path = try fixture.file("model.safetensors", [CheckpointFixture.spec("a")])
    let output = try write(
      path,
      CheckpointChanges(tensors: ["a": [codes, scales]], configuration: ["x": .some(1)]))
    #expect(output.tensors.count == 2)
    #expect(try fixture.folder.contents() == ["model-2of4.safetensors", "model.safetensors"])
  }

  @Test func aNameThatIsTakenIsAnError() throws {
    for path in [try fixture.single(), try fixture.sharded("shards")] {
      let taken = CheckpointChanges(
        tensors: ["a": [codes, TensorSpec(name: "b", dtype: .f32, shape: [2])]])
      let error = #expect(throws: SafetensorsFileError.self) { try write(path, taken) }
      #expect(error?.reason == .duplicateTensor("b"))
    }
  }

  @Test func aTensorOfAnotherTypeIsNotCopied() throws {
    let input = try Checkpoint(path: fixture.single())
    let output = try CheckpointWriter(
      copying: input, to: CheckpointOutput(for: input),
      changes: CheckpointChanges(tensors: ["a": [codes]]), manifest: { _ in "" })
    try output.copyRemaining()
    let error = #expect(throws: SafetensorsFileError.self) { try output.commit() }
    #expect(error?.reason == .notWritten(tensors: ["a"]))
  }
}
