internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Checkpoints that are cut into files of a given size.
@Suite struct ShardTests {
  private let fixture: CheckpointFixture
  private var folder: TemporaryFolder { fixture.folder }

  init() throws { fixture = try CheckpointFixture() }

  /// Copies a checkpoint with files of at most so many bytes of tensors.
  private func copy(
    _ path: String, shardSize: Int, changes: CheckpointChanges = CheckpointChanges()
  )
    throws -> Checkpoint
  {
    let input = try Checkpoint(path: path)
    let output = try CheckpointOutput(folder["out"], for: input, force: true, shardSize: shardSize)
    let writer = try CheckpointWriter(
      copying: input, to: output, changes: changes, manifest: { "\($0.count)" })
    try writer.copyRemaining()
    try writer.commit()
    return try Checkpoint(path: folder["out"])
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder["out"]).filter {
      $0.contains("safetensors")
    }.sorted()
  }

  private func expectSameTensors(_ copy: Checkpoint, as path: String) throws {
    let input = try Checkpoint(path: path)
    #expect(Set(copy.tensors.map(\.name)) == Set(input.tensors.map(\.name)))
    for tensor in input.tensors {
      #expect(copy[tensor.name]?.info.spec == tensor.info.spec)
      let (a, b) = try (copy.bytes(of: tensor.name).array, input.bytes(of: tensor.name).array)
      #expect(a == b, "\(tensor.name)")
    }
  }

  /// 32, 16, 16 and 64 bytes in the order of the file: ids, a, norm, b with the larger types first.
  @Test(arguments: [1, 32, 63, 64, 96, 127]) func oneFileBecomesSeveral(size: Int) throws {
    let path = try fixture.single()
    let copy = try copy(path, shardSize: size)
    try expectSameTensors(copy, as: path)
    #expect(copy.files.count > 1)
    for (number, file) in copy.files.enumerated() {
      #expect(
        Path.name(of: file.path)
          == "model-0000\(number + 1)-of-0000\(copy.files.count).safetensors")
      let bytes = file.tensors.reduce(0) { $0 + $1.byteCount }
      #expect(bytes <= size || file.tensors.count == 1)
      #expect(file.metadata == ["format": "pt", "sparsify": "\(file.tensors.count)"])
    }
    let index = try JSON(
      parsing: ByteView(copying: folder.read("out/model.safetensors.index.json")))
    #expect(index["metadata"]?["total_size"]?.int == copy.byteCount)
    #expect(index["weight_map"]?.object?.count == copy.tensors.count)
    #expect(try names().count == copy.files.count + 1)
  }

  @Test func severalFilesBecomeOneWithoutAnIndex() throws {
    let path = try fixture.sharded()
    let copy = try copy(path, shardSize: 1 << 20)
    try expectSameTensors(copy, as: path)
    #expect(try names() == ["model.safetensors"])
    #expect(copy.files[0].metadata == ["format": "pt", "sparsify": "3"])
  }

  @Test func severalFilesBecomeOthersAndTheIndexKeepsWhatItSaid() throws {
    let path = try fixture.sharded()
    let copy = try copy(path, shardSize: 1)
    try expectSameTensors(copy, as: path)
    let index = try JSON(
      parsing: ByteView(copying: folder.read("out/model.safetensors.index.json")))
    #expect(index["metadata"] == ["total_parameters": 24, "total_size": 80])
    #expect(index["weight_map"]?.object?.map(\.key) == ["b", "a", "é"])
    #expect(Set(index["weight_map"]?.object?.compactMap(\.value.string) ?? []).count == 3)
  }

  /// Files of an earlier output with more shards do not stay beside those of a later one.
  @Test func nothingStaleStays() throws {
    let path = try fixture.single()
    _ = try copy(path, shardSize: 1)
    #expect(try names().count == 5)
    _ = try copy(path, shardSize: 1 << 20)
    #expect(try names() == ["model.safetensors"])
  }

  @Test func whatTakesATensorsPlaceStaysInItsShard() throws {
    let path = try fixture.single()
    let parts = [CheckpointFixture.spec("x", .i8, [8]), CheckpointFixture.spec("y", .f32, [2])]
    let input = try Checkpoint(path: path)
    let changes = CheckpointChanges(tensors: ["a": parts])
    let output = try CheckpointOutput(folder["out"], for: input, shardSize: 40)
    let writer = try CheckpointWriter(
      copying: input, to: output, changes: changes, manifest: { _ in "" })
    for part in parts {
      try writer.write(ByteView(copying: CheckpointFixture.bytes(part)), as: part.name)
    }
    try writer.copyRemaining()
    try writer.commit()
    let copy = try Checkpoint(path: folder["out"])
    #expect(Set(copy.tensors.map(\.name)) == ["x", "y", "norm", "b", "ids"])
    #expect(copy.files.count > 1)
  }

  @Test func aFileIsNotCut() throws {
    let input = try Checkpoint(path: fixture.single() + "/model.safetensors")
    let path = folder["out.safetensors"]
    #expect(throws: CheckpointOutputError.fileInShards(path: path)) {
      try CheckpointOutput(path, for: input, shardSize: 1)
    }
  }
}
