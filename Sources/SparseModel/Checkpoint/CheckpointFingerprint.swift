internal import SparseCore
internal import Synchronization

/// A fingerprint of all tensors of a checkpoint, put together from those of its pieces.
///
/// It is the fingerprint of one line `name type shape fingerprint` for each tensor, in the checkpoint's
/// order. A tensor's own is that of its pieces' fingerprints, as little-endian 64-bit integers. So
/// pieces may be read in any order and on any thread, by whoever reads them anyway.
final class CheckpointFingerprint: Sendable {
  private let checkpoint: Checkpoint
  private let places: [ExactString: Int]
  private let pieces: Mutex<[[UInt64?]]>  // of each tensor; nil until it has been read

  init(of checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
    places = Dictionary(
      uniqueKeysWithValues: checkpoint.tensors.enumerated().map { (ExactString($1.name), $0) })
    pieces = Mutex(
      checkpoint.tensors.map { Array(repeating: nil, count: TensorPiece.count(of: $0)) })
  }

  /// Takes in a piece that is being read.
  func add(_ piece: TensorPiece) {
    let place = place(of: piece.tensor)
    let fingerprint = fingerprint64(piece.bytes.bytes)
    pieces.withLock { $0[place][piece.number] = fingerprint }
  }

  /// The fingerprint; pieces that nobody has taken in are read now.
  ///
  /// - Throws: what `progress` throws.
  func text(on compute: Compute, progress: ProgressHandler = { _ in }) throws -> String {
    Fingerprint.text(
      of: try contents(on: compute, progress: progress).map { "\($0) \($1)" })
  }

  /// Name, type and shape of each tensor, and the fingerprint of its bytes; pieces that nobody has taken in are
  /// read now.
  ///
  /// - Throws: what `progress` throws.
  func contents(
    on compute: Compute, progress: ProgressHandler = { _ in }
  ) throws -> [(tensor: String, fingerprint: String)] {
    try takeMissing(checkpoint.tensors, on: compute, progress: progress)
    return checkpoint.tensors.map {
      ("\($0.name) \($0.dtype.rawValue) \($0.shape)", content(of: $0))
    }
  }

  /// The fingerprint of a tensor all of whose pieces have been taken in.
  func content(of tensor: Checkpoint.Tensor) -> String {
    let pieces = self.pieces.withLock { $0[place(of: tensor)] }
    return Fingerprint.text(ofFingerprints: pieces.compactMap { $0 })
  }

  /// Reads those pieces of some tensors that nobody has taken in.
  func takeMissing(
    _ tensors: [Checkpoint.Tensor], on compute: Compute, progress: ProgressHandler
  ) throws {
    let missing = self.pieces.withLock { pieces in
      tensors.flatMap { tensor in
        let own = pieces[place(of: tensor)]
        return own.indices.filter { own[$0] == nil }.map { checkpoint.piece($0, of: tensor) }
      }
    }
    try checkpoint.take(missing, step: "fingerprint", on: compute, progress: progress) {
      piece, _ in add(piece)
    }
  }

  private func place(of tensor: Checkpoint.Tensor) -> Int {
    guard let place = places[ExactString(tensor.name)] else {
      preconditionFailure("CheckpointFingerprint: \(tensor.name) is not in \(checkpoint.path)")
    }
    return place
  }
}
