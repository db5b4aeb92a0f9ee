/// The forms that a linear layer's weights are kept and multiplied in.
public enum LinearForm: String, Sendable, CaseIterable {
  /// All weights, 16 bits each.
  case denseHalf = "dense fp16"
  /// All weights, 8 bits each, with a scale for each output.
  case denseInt8 = "dense INT8"
  /// Two of every four weights, 16 bits each, with metadata.
  case sparseHalf = "2:4 fp16"
  /// Two of every four weights, 8 bits each, with metadata and a scale for each output.
  case sparseInt8 = "2:4 INT8"

  /// Whether half of the weights is left out.
  public var isSparse: Bool { self == .sparseHalf || self == .sparseInt8 }

  /// Whether weights and activations are INT8.
  public var isInt8: Bool { self == .denseInt8 || self == .sparseInt8 }

  /// The form with the same numbers and all of the weights.
  public var dense: LinearForm { isInt8 ? .denseInt8 : .denseHalf }

  /// The bytes of a weight of `outputs × inputs`, with its metadata and its scales.
  ///
  /// Metadata are two bits for each kept weight: `inputs / 8` bytes a row, whatever the type of the weights. A
  /// scale is a float32 for each output. Sparse forms need `inputs` to be a multiple of 4.
  public func byteCount(outputs: Int, inputs: Int) -> Int {
    precondition(
      !isSparse || inputs % 4 == 0, "LinearForm: \(inputs) inputs have no groups of four")
    let kept = isSparse ? inputs / 2 : inputs
    let row = kept * (isInt8 ? 1 : 2) + (isSparse ? (inputs + 7) / 8 : 0) + (isInt8 ? 4 : 0)
    return outputs * row
  }
}
