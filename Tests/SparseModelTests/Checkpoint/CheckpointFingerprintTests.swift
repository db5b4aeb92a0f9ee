import SparseCore
import TestSupport
import Testing

@testable import SparseModel

@Suite struct CheckpointFingerprintTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Tensors around the length of a piece, 524,288 bytes, and one of three pieces.
  private func checkpoint() throws -> Checkpoint {
    let sizes = [0, 1, 524_287, 524_288, 524_289, 1_200_001]
    let writer = try SafetensorsWriter(
      path: folder["model.safetensors"],
      tensors: sizes.map { CheckpointFixture.spec("t\($0)", .u8, [$0]) })
    for size in sizes {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* ($0 >> 8 | 1)) }
      try writer.write(ByteView(copying: bytes), as: "t\(size)")
    }
    try writer.commit()
    return try Checkpoint(path: writer.path)
  }

  /// The definition, written out.
  private func reference(_ checkpoint: Checkpoint) throws -> String {
    func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { fingerprint64($0) } }
    func digits(_ value: UInt64) -> String {
      let text = String(value, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }
    var lines = ""
    for tensor in checkpoint.tensors {
      let bytes = try checkpoint.bytes(of: tensor.name).array
      var hashes: [UInt8] = []
      for start in stride(from: 0, to: bytes.count, by: 524_288) {
        let piece = hash(Array(bytes[start..<min(start + 524_288, bytes.count)]))
        hashes += (0..<8).map { UInt8(truncatingIfNeeded: piece >> ($0 * 8)) }
      }
      lines += "\(tensor.name) \(tensor.dtype.rawValue) \(tensor.shape) \(digits(hash(hashes)))\n"
    }
    return digits(hash(Array(lines.utf8)))
  }

  @Test(arguments: [1, 2, 5]) func itIsTheOneDefinedForAnyNumberOfThreads(threads: Int) throws {
    let checkpoint = try checkpoint()
    let text = try CheckpointFingerprint(of: checkpoint).text(on: Compute(threads: threads))
    #expect(text == (try reference(checkpoint)))
  }

  @Test func piecesMayComeInAnyOrderFromAnyThread() throws {
    let checkpoint = try checkpoint()
    let fingerprint = CheckpointFingerprint(of: checkpoint)
    let pieces = checkpoint.tensors.flatMap { tensor in
      (0..<TensorPiece.count(of: tensor)).map { checkpoint.piece($0, of: tensor) }
    }
    #expect(pieces.count == 8)
    Parallel.forEach(7, threads: 3) { fingerprint.add(pieces[7 - $0]) }
    var read: [SparseCore.RunProgress] = []
    let text = try fingerprint.text(on: Compute(threads: 2)) { read.append($0) }
    #expect(text == (try reference(checkpoint)))
    #expect(read.map(\.done) == [0, 1], "one piece was left")
  }

  @Test func everyNameTypeShapeAndByteCounts() throws {
    func text(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) throws -> String {
      let writer = try SafetensorsWriter(
        path: folder["x.safetensors"],
        tensors: [TensorSpec(name: name, dtype: dtype, shape: shape)])
      try writer.write(ByteView(copying: bytes), as: name)
      try writer.commit()
      return try CheckpointFingerprint(of: Checkpoint(path: writer.path)).text(on: .automatic)
    }
    let texts = try [
      text("a", .u8, [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
      text("b", .u8, [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
      text("a", .i8, [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
      text("a", .u8, [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      text("a", .u8, [2, 4], [1, 2, 3, 4, 5, 6, 7, 9]),
    ]
    #expect(Set(texts).count == texts.count)
  }

  /// Manifests of the same input must say the same in every version.
  @Test func theTinyModelsIsAsEver() throws {
    let text = try CheckpointFingerprint(of: ModelFixture.tiny.checkpoint()).text(on: .automatic)
    #expect(text == "9ec490002f26cbc4")
  }
}
