internal import SparseCore

/// A stretch of a tensor's bytes: what one thread takes on at a time.
struct TensorPiece: Sendable {
  /// Bytes in every piece but a tensor's last one: they and what is made of them fit in the
  /// second-level cache together, and groups of four values never fall apart.
  static let byteCount = 1 << 19

  /// The tensor.
  let tensor: Checkpoint.Tensor
  /// The piece's place among the tensor's pieces.
  let number: Int
  /// The bytes as they lie in the file.
  let bytes: ByteView

  /// Where the piece starts in the tensor.
  var offset: Int { number * Self.byteCount }

  /// The number of pieces of a tensor: none for one without bytes.
  static func count(of tensor: Checkpoint.Tensor) -> Int {
    (tensor.byteCount + byteCount - 1) / byteCount
  }
}

extension Checkpoint {
  /// One of a tensor's pieces.
  func piece(_ number: Int, of tensor: Tensor) -> TensorPiece {
    let start = number * TensorPiece.byteCount
    let end = min(start + TensorPiece.byteCount, tensor.byteCount)
    return TensorPiece(
      tensor: tensor, number: number, bytes: files[tensor.file].bytes(of: tensor.info)[start..<end])
  }

  /// Hands each of some pieces to one thread, and lets its memory go afterwards.
  ///
  /// - Parameters:
  ///   - progress: told the bytes done, out of those of all pieces.
  ///   - done: told some pieces in their order once they and all before them are done.
  ///   - body: called with as many bytes to work in as the largest piece has.
  /// - Throws: what `progress` throws, and of what `body` throws that of the first piece.
  func take(
    _ pieces: [TensorPiece], step: String, on compute: Compute, progress: ProgressHandler,
    done finished: (ArraySlice<TensorPiece>) throws -> Void = { _ in },
    _ body: @Sendable (TensorPiece, _ scratch: UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    let total = pieces.reduce(0) { $0 + $1.bytes.count }
    var done = 0
    // 32 MiB between two looks at the progress: a disk takes a moment for them.
    for start in stride(from: 0, to: pieces.count, by: 64) {
      try progress(RunProgress(step: step, done: done, total: total))
      let group = pieces[start..<min(start + 64, pieces.count)]
      let failure = FirstFailure()
      Parallel.forEach(
        group.count, threads: compute.threads, scratchBytes: TensorPiece.byteCount
      ) { index, scratch in
        failure.record(index) { try body(group[start + index], scratch) }
      }
      release(group)
      try failure.get()
      try finished(group)
      done += group.reduce(0) { $0 + $1.bytes.count }
    }
    if total > 0 { try progress(RunProgress(step: step, done: done, total: total)) }
  }

  /// Lets the memory of pieces go, those that follow each other together: every processor has to be
  /// told.
  private func release(_ pieces: ArraySlice<TensorPiece>) {
    var stretch = (file: 0, bytes: 0..<0)
    for piece in pieces {
      let (file, info) = (piece.tensor.file, piece.tensor.info)
      let start = files[file].place(of: info).lowerBound + piece.offset
      if stretch.file == file && stretch.bytes.upperBound == start {
        stretch.bytes = stretch.bytes.lowerBound..<start + piece.bytes.count
      } else {
        files[stretch.file].mapping.willNotNeed(stretch.bytes)
        stretch = (file, start..<start + piece.bytes.count)
      }
    }
    files[stretch.file].mapping.willNotNeed(stretch.bytes)
  }
}
