public import SparseCore

extension CheckpointWriter {
  /// Copies every tensor that has not been written and is as it was in the input.
  ///
  /// - Parameter progress: told the bytes copied, out of those to copy.
  public func copyRemaining(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws {
    try takeRemaining(step: "copy the rest", on: compute, progress: progress) { piece, _ in
      try write(piece)
    }
  }

  /// Hands over the pieces of every tensor that has not been written and is as it was, in the order of the output's
  /// bytes, each to one thread.
  ///
  /// - Parameters:
  ///   - done: told some pieces in their order once they and all before them are written.
  ///   - body: writes what is to stand in the piece's place; there are as many bytes to work in.
  /// - Throws: what `progress` throws, and of what `body` throws that of the first piece.
  func takeRemaining(
    step: String, on compute: Compute, progress: ProgressHandler,
    done: (ArraySlice<TensorPiece>) throws -> Void = { _ in },
    _ body: @Sendable (TensorPiece, _ scratch: UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    let tensors = files.flatMap(\.unwritten).compactMap { tensor in
      input[tensor.name].flatMap { $0.info.spec == tensor.spec ? $0 : nil }
    }
    let pieces = tensors.flatMap { tensor in
      (0..<TensorPiece.count(of: tensor)).map { input.piece($0, of: tensor) }
    }
    try input.take(pieces, step: step, on: compute, progress: progress, done: done) {
      piece, scratch in
      // First, so that what follows finds the bytes in the cache.
      fingerprint.add(piece)
      try body(piece, scratch)
    }
  }

  /// Writes a piece as it is in the input.
  func write(_ piece: TensorPiece) throws(FileError) { try write(piece.bytes.bytes, as: piece) }

  /// Writes other bytes, as many, in a piece's place.
  func write(_ bytes: UnsafeRawBufferPointer, as piece: TensorPiece) throws(FileError) {
    let name = piece.tensor.name
    try files[file(of: name)].write(bytes, as: name, at: piece.offset)
  }
}
