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

  /// The path that it was opened by.
  let path: String
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
    path = checkpoint.path
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
    guard !linears.isEmpty else { throw try checkpoint.noCandidates() }
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

extension PlanShape {
  /// The weights that a config.json may describe where no weight bears it out: 17 · 10¹².
  private static let mostWeights = 0x1p44

  /// Follows config.json alone: names, shapes, and the bytes that its `dtype` gives to what is not a linear.
  ///
  /// - Throws: ``ModelError``, and ``PlanError/implausible(weights:path:)`` for a model that no machine holds.
  init(configurationAt path: String, model: String) throws {
    let json: JSON
    do {
      json = try JSON(parsing: MappedFile(path: path).bytes)
    } catch let error as JSONError {
      throw ModelError.malformedConfiguration(path: path, reason: "\(error)")
    }
    let configuration: ModelConfiguration
    do throws(ConfigurationError) {
      configuration = try ModelConfiguration(json: json)
    } catch {
      throw ModelError.configuration(path: path, error)
    }
    guard let family = DecoderArchitecture.named(configuration.architecture) else {
      preconditionFailure("ModelConfiguration let \(configuration.architecture) through")
    }
    let (vocabulary, width) = (configuration.vocabulary, configuration.width)
    let shapes = family.shapes(configuration)
    let tables = Double(vocabulary) * Double(width) * (configuration.tiesEmbeddings ? 1 : 2)
    let weights = shapes.linears.reduce(0) { $0 + Double($1.outputs) * Double($1.inputs) }
    let all = tables + Double(configuration.blocks) * weights
    guard all <= Self.mostWeights, configuration.blocks <= 1 << 16 else {
      throw PlanError.implausible(weights: all, path: path)
    }
    self.path = model
    self.configuration = configuration
    linears = (0..<configuration.blocks).flatMap { block in
      // In the order in which checkpoints of transformers have them.
      shapes.linears.sorted { $0.name < $1.name }.map {
        Linear(
          name: "model.layers.\(block).\($0.name).weight", outputs: $0.outputs, inputs: $0.inputs)
      }
    }
    let vectors =
      shapes.norms.reduce(0, +) + shapes.linears.reduce(0) { $0 + ($1.hasBias ? $1.outputs : 0) }
    let others = Int(tables) + configuration.blocks * vectors + width
    let type = json["dtype"]?.string ?? json["torch_dtype"]?.string
    otherBytes = others * (type == "float32" ? 4 : 2)
    projection = (outputs: vocabulary, inputs: width)
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
    guard !shapes.isEmpty else { throw try noCandidates() }
    return shapes
  }
}

/// Why no plan can be made.
public enum PlanError: Error, Equatable {
  /// config.json gives the key and value heads another width than the weights have.
  case keyValueWidth(configured: Double, found: Int, tensor: String, path: String)
  /// config.json counts more blocks than there are linears.
  case blocks(configured: Int, linears: Int, path: String)
  /// config.json alone describes a model of more weights than any machine holds.
  case implausible(weights: Double, path: String)
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
    case .implausible(let weights, let path):
      "\(path): describes a model of \(weights) weights, more than any machine holds"
    case .cacheTooLarge(let batch, let context, let bytesPerToken):
      "the cache of \(batch.counting("sequence")) of \(context.counting("token")) at \(bytesPerToken.counting("byte")) each is beyond all memory"
    }
  }
}

extension Double {
  /// The number without a fraction, where it fits.
  fileprivate var whole: String { Int(exactly: rounded()).map(String.init) ?? "\(self)" }
}
