internal import SparseCore

/// A checkpoint's tensors as the forward pass asks for them: by name, with the shape that config.json implies.
final class ModelTensors {
  let checkpoint: Checkpoint
  /// What the checkpoint calls the tensors.
  let names: DecoderNames
  /// The tensors that have been asked for.
  private(set) var read: Set<ExactString> = []
  private let configuration: ModelConfiguration
  private let positions: Int
  private var table: RotaryTable?

  /// The tensors of a model that runs sequences of at most `positions` tokens.
  init(
    _ checkpoint: Checkpoint, _ configuration: ModelConfiguration, _ names: DecoderNames,
    positions: Int
  ) {
    self.checkpoint = checkpoint
    self.names = names
    self.configuration = configuration
    self.positions = positions
  }

  /// The angles of all blocks, made when the first one asks for them.
  ///
  /// To be asked for after the weights: these bear out how wide config.json says that a head is, and
  /// nothing should be as large as it says before.
  func rotary() throws -> RotaryTable {
    if let table { return table }
    try PhysicalMemory.require(
      Double(positions + 1) * Double(4 * configuration.headWidth),
      for: "the rotary embedding of \(positions) positions")
    let made = RotaryTable(positions: positions, configuration: configuration)
    table = made
    return made
  }

  /// The weight `name.weight`, `outputs × inputs`, and `name.bias` where the layer has one.
  func linear(_ name: String, outputs: Int, inputs: Int, hasBias: Bool) throws -> LinearLayer {
    try check(name + ".weight", shape: [outputs, inputs])
    return LinearLayer(
      name: name + ".weight", stored: try checkpoint.storedWeight(name + ".weight"),
      bias: hasBias ? try vector(name + ".bias", count: outputs) : nil,
      biasName: hasBias ? name + ".bias" : nil)
  }

  /// A two-dimensional tensor of floating-point numbers, or of INT8 codes with scales.
  func matrix(_ name: String, rows: Int, columns: Int) throws -> StoredMatrix {
    try check(name, shape: [rows, columns])
    return try checkpoint.weight(name)
  }

  /// A one-dimensional tensor of floating-point numbers, as float32.
  func vector(_ name: String, count: Int) throws -> [Float] {
    try check(name, shape: [count])
    return try Matrix(checkpoint.vector(name)).values
  }

  private func check(_ name: String, shape expected: [Int]) throws {
    read.insert(ExactString(name))
    guard let shape = try checkpoint.weightShape(name) else {
      throw ModelError.missingTensor(name, shape: expected, model: checkpoint.path)
    }
    guard shape == expected else {
      throw ModelError.shapeMismatch(
        name, configuration: expected, file: shape, model: checkpoint.path)
    }
  }
}
