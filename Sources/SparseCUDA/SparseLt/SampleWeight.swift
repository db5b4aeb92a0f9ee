internal import SparseCore

/// A 2:4 weight of random numbers in which also groups with one non-zero and with none are found.
struct SampleWeight {
  /// All of it.
  let dense: StoredMatrix
  /// The same, with the zeros that the library keeps, too.
  let compressed: Compressed24

  /// - Parameter isPlain: every group has two non-zeros, as in a weight that was pruned.
  init(_ shape: SparseShape, seed: UInt64, isPlain: Bool = false, on compute: Compute) {
    var random = SplitMix64(seed: seed)
    var codes = [Int8](repeating: 0, count: shape.outputs * shape.inputs)
    for group in 0..<codes.count / 4 {
      let pattern = Pattern24.allCases[Int(random.next() % 6)]
      let count = isPlain ? 2 : min(2, Int(random.next() % 8))
      for place in [pattern.kept.0, pattern.kept.1].prefix(count) {
        let size = Int8(random.next() % 127) + 1
        codes[4 * group + place] = random.next() % 2 == 0 ? size : -size
      }
    }
    if shape.type == .int8 {
      let grid = Int8Grid(
        rows: shape.outputs, columns: shape.inputs,
        scales: [Float](repeating: 1, count: shape.outputs))
      dense = StoredMatrix(
        codes: ByteView(copying: codes.map(UInt8.init(bitPattern:))), on: grid)
    } else {
      let values = Matrix(
        rows: shape.outputs, columns: shape.inputs, codes.map { Float($0) * (1 / 64) })
      dense = StoredMatrix(values, as: shape.type.scalarType ?? .float16, on: compute)
    }
    guard let compressed = try? Compressed24(exactly: dense, filler: .cuSPARSELt, on: compute)
    else { preconditionFailure("SampleWeight: \(shape) was not made 2:4") }
    self.compressed = compressed
  }
}
