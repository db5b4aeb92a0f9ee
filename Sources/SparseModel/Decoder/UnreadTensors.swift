internal import SparseCore

extension ModelTensors {
  /// The tensors that have not been asked for and that some model would need, in the checkpoint's order.
  ///
  /// To be asked for after all blocks are made.
  ///
  /// - Throws: ``ModelError/surplusBlock(tensor:blocks:model:)`` for a block beyond those that config.json counts,
  ///   unless it predicts tokens further ahead.
  func unread(blocks: Int) throws -> [String] {
    let prediction = PredictionBlocks(of: checkpoint)
    return try checkpoint.modelTensors().map(\.name).filter { name in
      if read.contains(ExactString(name)) || isNeedless(name) { return false }
      if let block = names.block(of: name), block >= blocks, !prediction.contains(name) {
        throw ModelError.surplusBlock(tensor: name, blocks: blocks, model: checkpoint.path)
      }
      return true
    }
  }

  /// Whether a tensor is a buffer that older versions of transformers kept, or belongs to a weight that is read.
  private func isNeedless(_ name: String) -> Bool {
    if name.hasSuffix("rotary_emb.inv_freq") || name.hasSuffix(".masked_bias") { return true }
    if name.hasSuffix("position_ids") { return true }
    guard let ending = CompressedTensors.companionEndings.first(where: name.hasSuffix) else {
      return false
    }
    return read.contains(ExactString(name.dropLast(ending.count) + ".weight"))
  }
}

/// The blocks of a checkpoint that predict tokens further ahead than the next one.
///
/// DeepSeek and others keep them after the last block, which `num_nextn_predict_layers` counts, Qwen under `mtp.`.
/// No forward pass here runs them, and nothing changes them.
struct PredictionBlocks {
  private let names: DecoderNames
  private let blocks: Range<Int>

  init(of checkpoint: Checkpoint) {
    names = DecoderNames(of: checkpoint)
    // A config.json that cannot be read is told by whoever needs it.
    let fields = (try? checkpoint.configurationJSON()).map(ConfigurationFields.init)
    let first = (try? fields?.optionalPositive("num_hidden_layers")) ?? 0
    let count = (try? fields?.count("num_nextn_predict_layers", default: 0)) ?? 0
    blocks = first..<first + (first > 0 ? count : 0)
  }

  /// Whether a tensor is in one of these blocks.
  func contains(_ tensor: String) -> Bool {
    if tensor.hasPrefix("mtp.") || tensor.contains(".mtp.") { return true }
    return names.block(of: tensor).map(blocks.contains) ?? false
  }
}
