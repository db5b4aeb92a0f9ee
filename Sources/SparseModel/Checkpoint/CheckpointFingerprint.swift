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
    guard let place = places[ExactString(piece.tensor.name)] else {
      preconditionFailure(
        "CheckpointFingerprint: \(piece.tensor.name) is not in \(checkpoint.path)")
    }
    let fingerprint = fingerprint64(piece.bytes.bytes)
    pieces.withLock { $0[place][piece.number] = fingerprint }
  }

  /// The fingerprint; pieces that nobody has taken in are read now.
  ///
  /// - Throws: what `progress` throws.
  func text(on compute: Compute, progress: ProgressHandler = { _ in }) throws -> String {
    let missing = self.pieces.withLock { pieces in
      zip(checkpoint.tensors, pieces).flatMap { tensor, pieces in
        pieces.indices.filter { pieces[$0] == nil }.map { checkpoint.piece($0, of: tensor) }
      }
    }
    try checkpoint.take(missing, step: "fingerprint", on: compute, progress: progress) {
      piece, _ in add(piece)
    }
    let pieces = self.pieces.withLock { $0 }
    let lines = zip(checkpoint.tensors, pieces).map { tensor, pieces in
      let content = pieces.compactMap { $0?.littleEndian }
        .withUnsafeBytes { Fingerprint.text(of: $0) }
      return "\(tensor.name) \(tensor.dtype.rawValue) \(tensor.shape) \(content)\n"
    }
    return Array(lines.joined().utf8).withUnsafeBytes { Fingerprint.text(of: $0) }
  }
}
