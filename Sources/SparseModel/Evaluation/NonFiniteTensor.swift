public import SparseCore

/// A tensor that holds NaN or infinity.
public struct NonFiniteTensor: Sendable, Equatable {
  /// The tensor's name in the file.
  public let name: String
  /// The format's name of its type.
  public let dtype: String
  /// Its shape.
  public let shape: [Int]
  /// The number of values that are NaN or infinite.
  public let count: Int
  /// The place of the first of them: an index for each dimension, from 0.
  public let first: [Int]

  /// The finding as the `check` contract has it.
  public var json: JSON {
    [
      "name": .string(name), "dtype": .string(dtype), "shape": .array(shape.map(JSON.integer)),
      "count": .integer(count), "first": .array(first.map(JSON.integer)),
    ]
  }
}

extension NonFiniteTensor: CustomStringConvertible {
  /// The name, the count and the first place: `'model.norm.weight' holds 2 NaN or infinite values, the first at [7]`.
  public var description: String {
    let values =
      count == 1 ? "1 NaN or infinite value, at" : "\(count) NaN or infinite values, the first at"
    return "'\(name)' holds \(values) \(first)"
  }
}

extension Checkpoint {
  /// The NaN and infinite values of a stored tensor, of any floating-point type; nil where there are none.
  ///
  /// - Throws: ``CheckpointError/noSuchTensor(path:tensor:)``.
  func nonFinite(in name: String, on compute: Compute) throws -> NonFiniteTensor? {
    let tensor = try tensor(name)
    guard let format = NumberFormat(tensor.dtype) else { return nil }
    let bytes = try bytes(of: name)
    let (count, first) = bytes.withUnsafeBytes { format.nonFinite(in: $0, on: compute) }
    guard let first else { return nil }
    var place: [Int] = []
    var rest = first
    for size in tensor.shape.reversed() {
      place.insert(rest % size, at: 0)
      rest /= size
    }
    return NonFiniteTensor(
      name: name, dtype: tensor.dtype.rawValue, shape: tensor.shape, count: count, first: place)
  }
}

/// How NaN and infinity are told from numbers in a type that has them.
private enum NumberFormat {
  case scalars(ScalarType)
  /// Pairs of binary32.
  case complex
  case float64
  /// One byte: not a number where the bits of `mask` are at least `least`.
  case bytes(mask: UInt8, least: UInt8)
  /// One byte, with a single code for NaN.
  case code(UInt8)

  /// The format of a type; nil for a type without NaN and infinity.
  init?(_ dtype: DType) {
    if let type = dtype.scalarType {
      self = .scalars(type)
      return
    }
    switch dtype {
    case .c64: self = .complex
    case .f64: self = .float64
    // OCP 8-bit floating point, revision 1.0: S.1111.111 alone is NaN, and E5M2 follows IEEE 754.
    case .f8e4m3: self = .bytes(mask: 0x7F, least: 0x7F)
    case .f8e5m2: self = .bytes(mask: 0x7F, least: 0x7C)
    case .f8e8m0: self = .code(0xFF)
    case .f8e4m3fnuz, .f8e5m2fnuz: self = .code(0x80)
    default: return nil
    }
  }

  private var byteCount: Int {
    switch self {
    case .scalars(let type): type.byteCount
    case .complex, .float64: 8
    case .bytes, .code: 1
    }
  }

  /// The number of elements that are NaN or infinite, and the first of them.
  func nonFinite(in bytes: UnsafeRawBufferPointer, on compute: Compute) -> (count: Int, first: Int?)
  {
    let (total, size) = (bytes.count / byteCount, 1 << 18)
    nonisolated(unsafe) let bytes = bytes
    let counts = Parallel.map((total + size - 1) / size, threads: compute.threads) { piece in
      count(bytes, piece * size..<min((piece + 1) * size, total), compute.kernels)
    }
    guard let piece = counts.firstIndex(where: { $0 > 0 }) else { return (0, nil) }
    var (low, high) = (piece * size, min((piece + 1) * size, total))
    while high - low > 1 {
      let middle = (low + high) / 2
      if count(bytes, low..<middle, compute.kernels) > 0 { high = middle } else { low = middle }
    }
    return (counts.reduce(0, +), low)
  }

  private func count(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ kernels: KernelSet
  ) -> Int {
    let part = UnsafeRawBufferPointer(
      rebasing: bytes[range.lowerBound * byteCount..<range.upperBound * byteCount])
    guard let base = part.baseAddress else { return 0 }
    switch self {
    case .scalars(let type): return kernels.countNotFinite(range.count, type, base)
    case .complex:
      // An element counts once, whether one or both of its parts are bad.
      return range.indices.count {
        kernels.countNotFinite(2, .float32, base + ($0 - range.lowerBound) * 8) > 0
      }
    case .float64:
      return (0..<range.count).count {
        !base.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self).isFinite
      }
    case .bytes(let mask, let least): return part.count { $0 & mask >= least }
    case .code(let code): return part.count { $0 == code }
    }
  }
}
