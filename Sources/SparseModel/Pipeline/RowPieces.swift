internal import SparseCore

/// Weights of a checkpoint a few whole rows at a time: what one thread takes on, in either form.
struct RowPieces {
  /// Some neighbouring rows of a weight.
  struct Piece: Sendable {
    /// The weight's name.
    let name: String
    let rows: Range<Int>
    let layout: Layout24
  }

  private let pieces: [Piece]

  /// The pieces of weights of the given shapes, one weight after the other.
  init(_ weights: [(name: String, shape: [Int], type: ScalarType)]) {
    pieces = weights.flatMap { name, shape, type in
      let layout = Layout24(columns: shape[1], type: type)
      return stride(from: 0, to: shape[0], by: layout.rowsPerPiece).map {
        Piece(name: name, rows: $0..<min($0 + layout.rowsPerPiece, shape[0]), layout: layout)
      }
    }
  }

  /// Hands each piece to one thread, with room for both forms of its rows.
  ///
  /// - Parameters:
  ///   - progress: told the bytes done of the whole weights, out of all.
  ///   - release: told the weights that are no longer needed.
  /// - Throws: what `progress` throws, and of what `body` throws that of the first piece.
  func forEach(
    step: String, on compute: Compute, progress: ProgressHandler, release: (String) -> Void,
    _ body: @Sendable (Piece, _ scratch: UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    func bytes(_ piece: Piece) -> Int { piece.rows.count * piece.layout.denseBytes }
    let total = pieces.reduce(0) { $0 + bytes($1) }
    let scratch = pieces.map { $0.layout.dense(of: 0..<$0.rows.count).upperBound }.max() ?? 0
    var done = 0
    // As many as there is always work for all threads, few enough to see progress and let memory go.
    let atOnce = 32 * compute.threads
    for start in stride(from: 0, to: pieces.count, by: atOnce) {
      try progress(RunProgress(step: step, done: done, total: total))
      let group = pieces[start..<min(start + atOnce, pieces.count)]
      let failure = FirstFailure()
      Parallel.forEach(group.count, threads: compute.threads, scratchBytes: scratch) {
        index, scratch in
        failure.record(index) { try body(group[start + index], scratch) }
      }
      try failure.get()
      for piece in group { done += bytes(piece) }
      for (piece, next) in zip(group, pieces[(start + 1)...].map(Optional.some) + [nil])
      where piece.name != next?.name {
        release(piece.name)
      }
    }
    if total > 0 { try progress(RunProgress(step: step, done: done, total: total)) }
  }
}
