internal import SparseCore

extension DType {
  /// Whether it can be told of values in this type whether they are 0: those of weights, and all wider or narrower
  /// floats of whole bytes.
  var isCheckable: Bool {
    switch self {
    case .f64, .f8e4m3, .f8e5m2, .f8e4m3fnuz, .f8e5m2fnuz: true
    default: holdsWeights
    }
  }

  /// Whether the bits of a value are those of a zero, and of a number at all.
  ///
  /// E4M3 has one NaN of either sign and no infinity; the `fnuz` types have a single NaN in place of −0 (ONNX float8
  /// specification).
  fileprivate func kind(of bits: UInt64) -> (isZero: Bool, isFinite: Bool) {
    switch self {
    case .f8e4m3: (bits & 0x7F == 0, bits & 0x7F != 0x7F)
    case .f8e5m2: (bits & 0x7F == 0, bits & 0x7C != 0x7C)
    case .f8e4m3fnuz, .f8e5m2fnuz: (bits == 0, bits != 0x80)
    case .f64: (bits << 1 == 0, bits >> 52 & 0x7FF != 0x7FF)
    default: preconditionFailure("\(rawValue) is read by the kernels")
    }
  }
}

extension ByteView {
  /// A float16 for each value: 0 where the value is 0, 1 for other numbers, NaN for NaN and infinity.
  ///
  /// What is 2:4 of a weight is so of these, in a type that the kernels read.
  ///
  /// - Parameter dtype: a type that ``DType/isCheckable`` but holds no weights.
  func zeroPattern(of dtype: DType) -> ByteView {
    let width = dtype.bits / 8
    let values = count / width
    return ByteView(count: 2 * values) { out in
      withUnsafeBytes { bytes in
        for place in 0..<values {
          let bits =
            width == 1
            ? UInt64(bytes[place])
            : bytes.loadUnaligned(fromByteOffset: place * width, as: UInt64.self)
          let (isZero, isFinite) = dtype.kind(of: UInt64(littleEndian: bits))
          let half: UInt16 = isZero ? 0 : isFinite ? 0x3C00 : 0x7E00
          out.storeBytes(of: half.littleEndian, toByteOffset: 2 * place, as: UInt16.self)
        }
      }
    }
  }
}
