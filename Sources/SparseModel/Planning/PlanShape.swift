internal import SparseCore

/// What of a checkpoint a plan is made from: the sizes of its tensors and its config.json.
///
/// No weight is read.
struct PlanShape {
  /// A linear layer of the decoder blocks.
  struct Linear {
    let name: String
    let outputs: Int
    let inputs: Int
  }

  /// The linears that `prune` takes by default, in the checkpoint's order.
  let linears: [Linear]
  /// The bytes of everything else, as it is stored: embeddings, output projection, norms, biases.
  let otherBytes: Int
  let configuration: ModelConfiguration
  /// The output projection, which ties may make the embedding; nil in a part of a model without either.
  let projection: (outputs: Int, inputs: Int)?

  /// The number of weights in the linears.
  var linearWeights: Int { linears.reduce(0) { $0 + $1.outputs * $1.inputs } }
  /// The key and value heads' memory for a token.
  var cache: MemoryBudget.Cache {
    MemoryBudget.Cache(
      blocks: configuration.blocks, keyValueHeads: configuration.keyValueHeads,
      headWidth: configuration.headWidth)
  }

  /// Reads the headers of `checkpoint`.
  ///
  /// - Throws: ``SelectionError/noCandidates(path:)`` where there are no linears, ``ModelError`` for config.json, and
  ///   ``PlanError/keyValueShape(tensor:expected:found:path:)`` where it contradicts the weights.
  init(_ checkpoint: Checkpoint) throws {
    configuration = try ModelConfiguration(checkpoint)
    let weights = Set(try checkpoint.blockWeights().map(ExactString.init))
    var linears: [Linear] = []
    var others = 0
    let tensors = try checkpoint.modelTensors()
    let scales = Set(
      weights.flatMap { name in
        ["_scale", "_zero_point"].map { ExactString(name.string + $0) }
      })
    for tensor in tensors {
      if weights.contains(ExactString(tensor.name)) {
        guard let outputs = tensor.shape.first, let inputs = tensor.shape.last, outputs > 0,
          inputs > 0
        else { continue }
        linears.append(Linear(name: tensor.name, outputs: outputs, inputs: inputs))
      } else if !scales.contains(ExactString(tensor.name)) {
        others += tensor.stored.byteCount
      }
    }
    guard !linears.isEmpty else { throw SelectionError.noCandidates(path: checkpoint.path) }
    self.linears = linears
    otherBytes = others
    // The caches are as large as config.json says: it must not say more than the weights bear out.
    let keyWidth = Double(configuration.keyValueHeads) * Double(configuration.headWidth)
    for linear in linears {
      let isKey = linear.name.hasSuffix("k_proj.weight")
      guard isKey && Double(linear.outputs) != keyWidth else { continue }
      throw PlanError.keyValueWidth(
        configured: keyWidth, found: linear.outputs, tensor: linear.name, path: checkpoint.path)
    }
    if let widest = linears.max(by: { $0.outputs < $1.outputs }), keyWidth > Double(widest.outputs)
    {
      throw PlanError.keyValueWidth(
        configured: keyWidth, found: widest.outputs, tensor: widest.name, path: checkpoint.path)
    }
    guard configuration.blocks <= linears.count else {
      throw PlanError.blocks(
        configured: configuration.blocks, linears: linears.count, path: checkpoint.path)
    }
    let names = DecoderNames(of: checkpoint)
    let head = tensors.first { $0.name == names.head && $0.shape.count == 2 }
    let embedding = tensors.first { $0.name == names.embedding && $0.shape.count == 2 }
    projection = (head ?? embedding).map { (outputs: $0.shape[0], inputs: $0.shape[1]) }
  }
}

extension Checkpoint {
  /// The shapes of the linears inside the decoder blocks, in the order of the first of each, and how many have it.
  ///
  /// Only headers are read.
  package func linearShapes() throws -> [(outputs: Int, inputs: Int, count: Int)] {
    var shapes: [(outputs: Int, inputs: Int, count: Int)] = []
    let names = Set(try blockWeights().map(ExactString.init))
    for tensor in try modelTensors() where names.contains(ExactString(tensor.name)) {
      let (outputs, inputs) = (tensor.shape[0], tensor.shape[1])
      guard outputs > 0, inputs > 0 else { continue }
      if let place = shapes.firstIndex(where: { $0.outputs == outputs && $0.inputs == inputs }) {
        shapes[place].count += 1
      } else {
        shapes.append((outputs, inputs, 1))
      }
    }
    guard !shapes.isEmpty else { throw SelectionError.noCandidates(path: path) }
    return shapes
  }
}

/// Why no plan can be made.
public enum PlanError: Error, Equatable {
  /// config.json gives the key and value heads another width than the weights have.
  case keyValueWidth(configured: Double, found: Int, tensor: String, path: String)
  /// config.json counts more blocks than there are linears.
  case blocks(configured: Int, linears: Int, path: String)
  /// The keys and values of all sequences are more than can be counted.
  case cacheTooLarge(batch: Int, context: Int, bytesPerToken: Int)
}

extension PlanError: CustomStringConvertible {
  /// One line that names the file, the tensor and both numbers.
  public var description: String {
    switch self {
    case .keyValueWidth(let configured, let found, let tensor, let path):
      "\(path): the key heads of config.json are \(configured.whole) wide in all, tensor '\(tensor)' has \(found.counting("output"))"
    case .blocks(let configured, let linears, let path):
      "\(path): config.json counts \(configured.counting("block")), the weights are \(linears.counting("linear"))"
    case .cacheTooLarge(let batch, let context, let bytesPerToken):
      "the cache of \(batch.counting("sequence")) of \(context.counting("token")) at \(bytesPerToken.counting("byte")) each is beyond all memory"
    }
  }
}

extension Double {
  /// The number without a fraction, where it fits.
  fileprivate var whole: String { Int(exactly: rounded()).map(String.init) ?? "\(self)" }
}
