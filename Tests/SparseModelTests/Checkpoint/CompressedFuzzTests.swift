import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Files with compressed weights, damaged at random: each is refused, or read as some weight, and nothing outside
/// the file is ever touched.
///
/// Run under the address sanitizer, which `.ci/run` does. `SPARSIFY_FUZZ_ROUNDS` sets the number of files.
@Suite struct CompressedFuzzTests {
  private static let rounds =
    ProcessInfo.processInfo.environment["SPARSIFY_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 300

  /// A file with a compressed weight of each type.
  private static func sound() throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let weights: [(String, Compressed24)] = try ScalarType.allCases.map { type in
      var random = SplitMix64(seed: 4)
      let values = (0..<6 * 20).map { place in
        place % 4 < 2 ? Float(Int.random(in: -9...9, using: &random)) : 0
      }
      let weight = Matrix(rows: 6, columns: 20, values)
      let grid = Int8Grid(rows: 6, columns: 20, scales: Array(repeating: 1, count: 6))
      return (
        "layers.0.\(type)",
        try Compressed24(
          exactly: type == .int8
            ? StoredMatrix(quantizing: weight, on: grid) : StoredMatrix(weight, as: type))
      )
    }
    let dtypes: [ScalarType: DType] = [
      .float32: .f32, .float16: .f16, .bfloat16: .bf16, .int8: .i8,
    ]
    var tensors: [(TensorSpec, ByteView)] = []
    for (module, weight) in weights {
      let dtype = try #require(dtypes[weight.type])
      tensors += [
        (TensorSpec(name: module + ".compressed", dtype: dtype, shape: [6, 10]), weight.values),
        (TensorSpec(name: module + ".bitmask", dtype: .u8, shape: [6, 3]), weight.mask),
        (
          TensorSpec(name: module + ".shape", dtype: .i64, shape: [2, 1]),
          ByteView(int64s: [6, 20])
        ),
      ]
    }
    let scales = StoredMatrix(Matrix(rows: 6, columns: 1, [1, 1, 1, 1, 1, 1]))
    tensors.append(
      (TensorSpec(name: "layers.0.int8.weight_scale", dtype: .f32, shape: [6, 1]), scales.bytes))
    let writer = try SafetensorsWriter(path: folder["sound.safetensors"], tensors: tensors.map(\.0))
    for (tensor, bytes) in tensors { try writer.write(bytes, as: tensor.name) }
    try writer.commit()
    return try folder.read("sound.safetensors")
  }

  /// One to eight changes, more often than not within the header, where one changes most.
  private func damaged(_ sound: [UInt8], using random: inout SplitMix64) -> [UInt8] {
    var bytes = sound
    let headerEnd = 8 + (0..<8).reduce(0) { $0 | Int(sound[$1]) << (8 * $1) }
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      let place =
        Bool.random(using: &random)
        ? Int.random(in: 0..<headerEnd, using: &random)
        : Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      // A digit of a shape, an offset or a type.
      case 2: bytes[place] = UInt8.random(in: 0x30...0x39, using: &random)
      default: bytes[place] = bytes[Int.random(in: 0..<bytes.count, using: &random)]
      }
    }
    if Int.random(in: 0..<20, using: &random) == 0 {
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
    }
    return bytes
  }

  @Test func damagedFilesAreRefusedOrRead() throws {
    let folder = try TemporaryFolder()
    let sound = try Self.sound()
    var random = SplitMix64(seed: 20)
    var (read, refused) = (0, 0)
    for _ in 0..<Self.rounds {
      let path = try folder.write(damaged(sound, using: &random), to: "damaged.safetensors")
      do {
        let checkpoint = try Checkpoint(path: path)
        for tensor in try checkpoint.modelTensors() where tensor.isCompressed {
          let weight = try checkpoint.storedWeight(tensor.name)
          let x = Matrix(
            rows: 2, columns: weight.columns, Array(repeating: 1, count: 2 * weight.columns))
          #expect(linear(x, weight).columns == tensor.shape[0])
          #expect(weight.matrix().rows == tensor.shape[0])
        }
        read += 1
      } catch {
        #expect(!"\(error)".isEmpty)
        refused += 1
      }
    }
    #expect(read > 0 && refused > 0, "\(read) read, \(refused) refused")
  }

  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func anyMaskExpandsWithinItsBytes(kernels: KernelSet, type: ScalarType) {
    var random = SplitMix64(seed: 3)
    for columns in [4, 12, 64, 68, 132] {
      let values = ByteView(
        copying: (0..<columns / 2 * type.byteCount).map { _ in .random(in: 0...255, using: &random)
        })
      let mask = (0..<(columns + 7) / 8).map { _ in UInt8.random(in: 0...255, using: &random) }
      let out = ByteView(count: columns * type.byteCount) { out in
        guard let to = out.baseAddress, let from = values.bytes.baseAddress else { return }
        kernels.expand24(columns, type, from, mask: mask, into: to)
      }
      #expect(out.count == columns * type.byteCount)
    }
  }
}
