internal import SparseCore

/// Tensors of a block on their way out: layers that a later stage may still reorder are held back until that stage is done.
struct HeldWrites {
  private let write: (_ name: String, _ tensor: StoredMatrix) throws -> Void
  /// The layers whose rows a later stage may reorder, by the names of their weights; their biases go with them.
  private var held: [String: (layer: LinearLayer, weight: StoredMatrix?)] = [:]

  init(write: @escaping (_ name: String, _ tensor: StoredMatrix) throws -> Void) {
    self.write = write
  }

  /// Begins to hold back some layers.
  mutating func hold(_ layers: [LinearLayer]) {
    for layer in layers { held[layer.name] = (layer, nil) }
  }

  /// Writes a tensor that no stage reorders.
  func put(_ tensor: StoredMatrix, named name: String) throws { try write(name, tensor) }

  /// Takes a layer's new weight.
  mutating func put(_ weight: StoredMatrix, for layer: LinearLayer) throws {
    if held[layer.name] == nil {
      try write(layer.name, weight)
    } else {
      held[layer.name]?.weight = weight
    }
  }

  /// Writes layers that were held back, with their rows in a new order where there is one.
  ///
  /// - Parameter bias: gives a layer's bias as the checkpoint has it.
  mutating func release(
    _ layers: [LinearLayer], rows: ChannelPermutation?,
    bias: (_ name: String) throws -> StoredMatrix
  ) throws {
    for layer in layers {
      guard let entry = held.removeValue(forKey: layer.name) else { continue }
      guard let rows else {
        if let weight = entry.weight { try write(layer.name, weight) }
        continue
      }
      try write(layer.name, (entry.weight ?? layer.weight).permuted(rows: rows))
      if let name = layer.biasName { try write(name, bias(name).permuted(columns: rows)) }
    }
  }
}
