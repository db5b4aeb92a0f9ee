internal import SparseCore

/// One line of a journal.
enum JournalEntry: Sendable {
  /// What the run is made of: the first line, which all others belong to.
  case run(RunIdentity)
  /// The calibration text is written; a fingerprint of its token ids.
  case tokens(fingerprint: String)
  /// A decoder block is pruned and written.
  case block(FinishedBlock)
  /// Some tensors are written by a run that looks at one tensor at a time.
  case tensors([FinishedTensor])
  /// The parts of a decoder block are measured.
  case sensitivity(block: Int, parts: [Sensitivity])
  /// So many steps of training are made, and where it stands is kept.
  case trained(steps: Int)
  /// One of the runs that a longer one is made of is done.
  case step(FinishedStep)
  /// The output is complete, and gets its name next.
  case complete

  /// The entry as its line has it.
  var json: JSON {
    switch self {
    case .run(let identity): ["run": identity.json]
    case .tokens(let fingerprint): ["tokens": .string(fingerprint)]
    case .block(let block): ["block": block.json]
    case .tensors(let tensors): ["tensors": .array(tensors.map(\.json))]
    case .sensitivity(let block, let parts):
      ["measured": .integer(block), "parts": .array(parts.map(\.json))]
    case .trained(let steps): ["trained": .integer(steps)]
    case .step(let step): ["step": step.json]
    case .complete: ["complete": true]
    }
  }

  /// The entry of a line; nil for what this version does not write.
  init?(_ json: JSON) {
    if let identity = json["run"].flatMap(RunIdentity.init) {
      self = .run(identity)
    } else if let fingerprint = json["tokens"]?.string {
      self = .tokens(fingerprint: fingerprint)
    } else if let block = json["block"].flatMap(FinishedBlock.init) {
      self = .block(block)
    } else if let list = json["tensors"]?.array {
      let tensors = list.compactMap { FinishedTensor($0) }
      guard tensors.count == list.count else { return nil }
      self = .tensors(tensors)
    } else if let block = json["measured"]?.int, let list = json["parts"]?.array {
      let parts = list.compactMap { Sensitivity($0) }
      guard parts.count == list.count else { return nil }
      self = .sensitivity(block: block, parts: parts)
    } else if let steps = json["trained"]?.int {
      self = .trained(steps: steps)
    } else if let step = json["step"].flatMap(FinishedStep.init) {
      self = .step(step)
    } else if json["complete"] == true {
      self = .complete
    } else {
      return nil
    }
  }
}

/// A decoder block that is done with.
struct FinishedBlock: Sendable {
  /// The block's number.
  let index: Int
  /// A fingerprint of the hidden states that it gave.
  let hidden: String
  /// The tensors that were written for it, and fingerprints of them.
  let tensors: [(name: String, fingerprint: String)]
  /// What became of its layers.
  let layers: [LayerReport]
  /// What training it has brought; nil where it was not trained.
  var reconstruction: BlockError?

  var json: JSON {
    [
      "index": .integer(index), "hidden": .string(hidden),
      "reconstruction": reconstruction?.json ?? .null,
      "tensors": .array(tensors.map { [.string($0.name), .string($0.fingerprint)] }),
      "layers": .array(layers.map(\.record)),
    ]
  }

  init(
    index: Int, hidden: String, tensors: [(name: String, fingerprint: String)],
    layers: [LayerReport], reconstruction: BlockError? = nil
  ) {
    self.index = index
    self.hidden = hidden
    self.tensors = tensors
    self.layers = layers
    self.reconstruction = reconstruction
  }

  init?(_ json: JSON) {
    guard let index = json["index"]?.int, let hidden = json["hidden"]?.string,
      let pairs = json["tensors"]?.array, let records = json["layers"]?.array
    else { return nil }
    let tensors = pairs.compactMap { pair -> (String, String)? in
      guard let pair = pair.array, pair.count == 2, let name = pair[0].string,
        let fingerprint = pair[1].string
      else { return nil }
      return (name, fingerprint)
    }
    let layers = records.compactMap { LayerReport(record: $0) }
    guard tensors.count == pairs.count, layers.count == records.count else { return nil }
    self.init(
      index: index, hidden: hidden, tensors: tensors, layers: layers,
      reconstruction: json["reconstruction"].flatMap(BlockError.init))
  }
}

/// A tensor that is done with by itself.
struct FinishedTensor: Sendable {
  /// Its name.
  let name: String
  /// A fingerprint of its bytes in the input.
  let input: String
  /// The names of the tensors that were written for it.
  let outputs: [String]
  /// What became of it; nil for one that was copied.
  let layer: LayerReport?

  var json: JSON {
    [
      "name": .string(name), "input": .string(input),
      "outputs": .array(outputs.map(JSON.string)), "layer": layer?.record ?? .null,
    ]
  }

  init(name: String, input: String, outputs: [String], layer: LayerReport?) {
    self.name = name
    self.input = input
    self.outputs = outputs
    self.layer = layer
  }

  init?(_ json: JSON) {
    guard let name = json["name"]?.string, let input = json["input"]?.string,
      let outputs = json["outputs"]?.array?.map(\.string), !outputs.contains(nil),
      let record = json["layer"]
    else { return nil }
    let layer = LayerReport(record: record)
    guard layer != nil || record == .null else { return nil }
    self.init(
      name: name, input: input, outputs: outputs.compactMap { $0 }, layer: layer)
  }
}
