internal import SparseCore

/// Trained weights on their way into a checkpoint, each in the type that the input has.
struct TrainedWriter {
  let writer: CheckpointWriter
  let manifest: Manifest
  /// A tensor that repeats another one, which it follows in training; nil where there is none.
  var twin: (original: String, copy: String)?

  /// Writes a tensor, and gives it as whoever reads it will have it.
  ///
  /// - Throws: ``LayerError`` where a value is not finite in the type that it is written in.
  @discardableResult
  func write(
    trained weight: Matrix, as name: String, on compute: Compute
  ) throws -> StoredMatrix {
    let copy = twin.flatMap { name.hasSameBytes(as: $0.original) ? $0.copy : nil }
    var weight = weight
    if let copy, type(of: copy) != type(of: name) {
      // A value that both types hold, so that both tensors stay the same.
      weight = Matrix(StoredMatrix(weight, as: type(of: copy)), on: compute)
    }
    let stored = StoredMatrix(weight, as: type(of: name))
    let bad = Matrix(stored, on: compute).countNotFinite(on: compute)
    guard bad == 0 else {
      throw LayerError(layer: name, model: writer.input.path, reason: .overflow(count: bad))
    }
    try writer.write(stored.bytes, as: name)
    if let copy {
      let values = StoredMatrix(Matrix(stored, on: compute), as: type(of: copy))
      try writer.write(values.bytes, as: copy)
    }
    return stored
  }

  /// A tensor that has been written, by this run or an earlier one.
  func written(_ name: String, rows: Int, columns: Int) throws -> StoredMatrix {
    let type = type(of: name)
    let file = writer.files[writer.file(of: name)]
    var bytes = [UInt8](repeating: 0, count: rows * columns * type.byteCount)
    try bytes.withUnsafeMutableBytes { try file.contents(of: name, into: $0, at: 0) }
    return StoredMatrix(
      rows: rows, columns: columns, type: type, bytes: ByteView(copying: bytes))
  }

  private func type(of name: String) -> ScalarType {
    guard let type = writer.input[name]?.dtype.scalarType else {
      preconditionFailure("TrainedWriter: \(name) was found to be floating-point")
    }
    return type
  }
}

extension StoredMatrix {
  /// Values rounded to a floating-point type.
  init(_ values: Matrix, as type: ScalarType) {
    self.init(
      rows: values.rows, columns: values.columns, type: type,
      bytes: ByteView(copying: values.storedBytes(as: type)))
  }
}
