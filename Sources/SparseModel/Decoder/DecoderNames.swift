internal import SparseCore

/// What a checkpoint calls the tensors of a decoder.
///
/// A checkpoint of the whole model begins the names with `model.`, one of the base model alone does not.
struct DecoderNames: Sendable {
  /// What the names of the base model's tensors begin with.
  let prefix: String
  /// The embedding's name.
  private(set) var embedding: String
  /// The last norm's name.
  let finalNorm: String
  /// The output projection's name, where it is not the embedding.
  let head = "lm_head.weight"

  /// The names in a checkpoint; those of a whole model where it tells nothing.
  init(of checkpoint: Checkpoint) {
    func begins(with prefix: String) -> Bool {
      checkpoint.tensors.contains {
        $0.name.hasPrefix(prefix + "layers.") || $0.name == prefix + "norm.weight"
          || $0.name == prefix + "embed_tokens.weight"
      }
    }
    prefix = !begins(with: "model.") && begins(with: "") ? "" : "model."
    embedding = prefix + "embed_tokens.weight"
    finalNorm = prefix + "norm.weight"
  }

  /// What the names of a block's tensors begin with.
  func block(_ index: Int) -> String { "\(prefix)layers.\(index)." }

  /// The number of the block that a tensor belongs to; nil for one outside the blocks.
  func block(of tensor: String) -> Int? {
    let start = prefix + "layers."
    guard tensor.hasPrefix(start) else { return nil }
    return Int(tensor.dropFirst(start.count).prefix { $0 != "." })
  }

  /// Takes the output projection for the embedding, too, where a checkpoint has nothing but the former.
  mutating func embedWithHead(ifAloneIn checkpoint: Checkpoint) throws {
    if try checkpoint.weightShape(embedding) == nil && checkpoint.weightShape(head) != nil {
      embedding = head
    }
  }
}

extension StoredMatrix {
  /// Whether another matrix has the same values, in whatever types.
  func holdsValues(of other: StoredMatrix) -> Bool {
    guard rows == other.rows, columns == other.columns else { return false }
    if type == other.type, grid == nil, other.grid == nil, bytes.holdsSame(as: other.bytes) {
      return true
    }
    let step = max(1, (1 << 20) / max(1, columns))
    return stride(from: 0, to: rows, by: step).allSatisfy { start in
      let range = start..<min(start + step, rows)
      return Matrix(rows(range)).values == Matrix(other.rows(range)).values
    }
  }
}
