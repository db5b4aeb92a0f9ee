internal import SparseCore

/// What a file with statistics says about itself, in its `__metadata__` under the key `sparsify-statistics`.
struct StatisticsManifest: Sendable, Equatable {
  /// The metadata key.
  static let key = "sparsify-statistics"
  /// The number of this layout; readers refuse larger ones.
  static let schema = 1

  /// More blocks than any model has.
  private static let mostBlocks = 65_535

  /// The version of the tool that wrote the file.
  var version = Tool.version
  /// The kernel set that computed: another one rounds differently.
  var kernels: String
  /// What was collected: norms or grams.
  var kind: StatisticsKind
  /// A fingerprint of every tensor of the model, as in ``Manifest/inputFingerprint``.
  var model: String
  /// The number of blocks of the model.
  var modelBlocks: Int
  /// The whole calibration that the file is of, or of a part of which.
  ///
  /// Its fingerprint is that of its sequences' fingerprints, in order; ``Fingerprint/unknown`` where the model
  /// writes the sequences and this part knows only its own.
  var calibration: Manifest.Calibration
  /// The sequences that the sums are of, counted from 0.
  var samples: Range<Int>
  /// The blocks whose inputs were looked at.
  var blocks: Range<Int>
  /// The stages of those blocks, in the order in which they run.
  var stages: [StageKey]

  /// One stage of one block, and how wide its inputs are.
  struct StageKey: Sendable, Equatable {
    let block: Int
    let stage: String
    let inputs: Int

    /// What the names of its tensors begin with.
    var name: String { "blocks.\(block).\(stage)" }
  }

  /// Whether the sums are of the whole calibration, and so are numbers; otherwise they are kept as ``ExactSums``.
  var hasAllSamples: Bool { samples == 0..<calibration.samples }

  /// Whether nothing is left to be added.
  var isComplete: Bool { hasAllSamples && blocks == 0..<modelBlocks }

  /// The text of it.
  var text: String {
    let json: JSON = [
      "schema": .integer(Self.schema), "tool": .string(Tool.name), "version": .string(version),
      "kernels": .string(kernels), "kind": .string(kind.name), "model": .string(model),
      "modelBlocks": .integer(modelBlocks),
      "calibration": calibration.json, "samples": Self.json(samples), "blocks": Self.json(blocks),
      "stages": .array(
        stages.map {
          [
            "block": .integer($0.block), "stage": .string($0.stage),
            "inputs": .integer($0.inputs),
          ]
        }),
    ]
    return json.text()
  }

  private static func json(_ range: Range<Int>) -> JSON {
    [.integer(range.lowerBound), .integer(range.upperBound)]
  }
}

// MARK: Reading

extension StatisticsManifest {
  /// The manifest in a file's metadata.
  ///
  /// - Throws: ``StatisticsError`` where there is none, or none that can be read.
  init(in metadata: SafetensorsMetadata, of path: String) throws(StatisticsError) {
    guard let text = metadata[Self.key] else { throw .notStatistics(path: path) }
    let json: JSON
    do {
      json = try JSON(parsing: text)
    } catch {
      throw .malformed(path: path, reason: "\(error)")
    }
    guard let schema = json["schema"]?.int else {
      throw .malformed(path: path, reason: "it has no schema number")
    }
    guard schema <= Self.schema else {
      throw .newer(path: path, schema: schema, supported: Self.schema)
    }
    guard let version = json["version"]?.string, let kernels = json["kernels"]?.string,
      let kind = json["kind"]?.string.flatMap(StatisticsKind.init(named:)),
      let model = json["model"]?.string,
      let modelBlocks = json["modelBlocks"]?.int,
      let calibration = json["calibration"].flatMap(Manifest.Calibration.init),
      let samples = json["samples"].flatMap(Self.range),
      let blocks = json["blocks"].flatMap(Self.range),
      let stages = json["stages"]?.array?.map(StageKey.init)
    else { throw .malformed(path: path, reason: "a field is missing or has the wrong kind") }
    guard samples.upperBound <= calibration.samples, blocks.upperBound <= modelBlocks,
      !samples.isEmpty, !blocks.isEmpty, calibration.samples <= ExactSums.mostTerms,
      calibration.length > 0, calibration.length <= Int32.max, modelBlocks <= Self.mostBlocks
    else { throw .malformed(path: path, reason: "its ranges reach beyond what there is") }
    self.version = version
    self.kernels = kernels
    self.kind = kind
    self.model = model
    self.modelBlocks = modelBlocks
    self.calibration = calibration
    self.samples = samples
    self.blocks = blocks
    self.stages = stages.compactMap { $0 }
    // Block after block, and every one of them: so that parts can be put together in order.
    let order = self.stages.map(\.block)
    guard self.stages.count == stages.count, order == order.sorted(), Set(order) == Set(blocks),
      Set(self.stages.map { ExactString($0.name) }).count == stages.count
    else { throw .malformed(path: path, reason: "its stages are not those of its blocks") }
  }

  private static func range(_ json: JSON) -> Range<Int>? {
    guard let bounds = json.array?.map(\.int), bounds.count == 2, let lower = bounds[0],
      let upper = bounds[1], 0 <= lower, lower <= upper
    else { return nil }
    return lower..<upper
  }
}

extension StatisticsManifest.StageKey {
  fileprivate init?(_ json: JSON) {
    // So that the square of the width can be counted.
    guard let block = json["block"]?.int, let stage = json["stage"]?.string,
      let inputs = json["inputs"]?.int, 0 <= block, 0 < inputs, inputs <= Int32.max
    else { return nil }
    self.init(block: block, stage: stage, inputs: inputs)
  }
}

extension StatisticsKind {
  /// What manifests and reports call it.
  var name: String {
    switch self {
    case .none: "none"
    case .norms: "norms"
    case .gram: "grams"
    }
  }

  fileprivate init?(named name: String) {
    switch name {
    case "norms": self = .norms
    case "grams": self = .gram
    default: return nil
    }
  }
}
