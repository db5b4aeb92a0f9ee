public import SparseCore

extension SafetensorsFile {
  /// The values of an F64 tensor, as the reference results store their matrices; empty for others.
  public func doubles(_ name: String) throws -> [Double] {
    guard let tensor = self[name], tensor.dtype == .f64 else { return [] }
    return bytes(of: tensor).withUnsafeBytes { bytes in
      (0..<tensor.elementCount).map {
        Double(
          bitPattern: UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)))
      }
    }
  }
}
