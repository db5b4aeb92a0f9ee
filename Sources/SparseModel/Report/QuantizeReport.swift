public import SparseCore

/// What quantizing did to one linear layer.
public struct QuantizedLayerReport: Sendable {
  /// The weight's name.
  public let name: String
  /// The weight's shape, outputs and inputs.
  public let shape: [Int]
  /// Seconds spent on reading, rounding, writing and measuring.
  public let seconds: Double
  /// ‖W−W′‖_F / ‖W‖_F.
  public let weightError: Double
  /// The finest step of the weight's rows or groups.
  public let smallestScale: Float
  /// The coarsest step.
  public let largestScale: Float

  /// The layer as an object of the `quantize` contract.
  public var json: JSON {
    [
      "name": .string(name), "shape": .array(shape.map(JSON.integer)),
      "seconds": .number(seconds), "weightError": .number(weightError),
      "smallestScale": .number(Double(smallestScale)),
      "largestScale": .number(Double(largestScale)),
    ]
  }
}

/// What a run of quantizing did, layer by layer.
public struct QuantizeReport: Sendable {
  /// The number of neighbouring columns that share a scale; nil for one scale per output channel.
  public let groupSize: Int?
  /// Where the quantized checkpoint is.
  public let output: String
  /// Seconds from the start to the finished output.
  public let seconds: Double
  /// The most memory that the process has held, in bytes.
  public let peakResidentBytes: Int
  /// Every quantized layer, in the checkpoint's order.
  public let layers: [QuantizedLayerReport]
  /// Weights that are no linear layers of the blocks, or of a type that is not read, and stay as they are.
  public let leftAlone: [LeftAlone]

  /// The report as the `quantize` contract has it.
  public var json: JSON {
    [
      "schema": 1, "type": "int8", "groupSize": groupSize.map(JSON.integer) ?? .null,
      "output": .string(output), "seconds": .number(seconds),
      "peakResidentBytes": .integer(peakResidentBytes),
      "leftAlone": .array(leftAlone.map(\.json)), "layers": .array(layers.map(\.json)),
    ]
  }
}
