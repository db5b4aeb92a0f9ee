public import SparseCore

/// What an output says about itself, in its files' `__metadata__` under the key `sparsify`.
///
/// `check` holds a file to it: every weight named here must be 2:4.
public struct Manifest: Sendable, Equatable {
  /// The metadata key.
  public static let key = CheckpointWriter.manifestKey
  /// The number of this layout; readers refuse larger ones.
  public static let schema = 1

  /// The version of the tool that wrote the file.
  public var version = Tool.version
  /// The pruning method.
  public var method: String
  /// Where the calibration tokens came from, how many there were, and a fingerprint of them; nil for methods without.
  public var calibration: Calibration?
  /// A fingerprint of every tensor that was read, 16 hexadecimal digits: names, types, shapes and bytes.
  public var inputFingerprint: String
  /// The names of the weights that are 2:4, those of earlier runs included.
  public var pruned: [String]
  /// How weights were put in INT8; nil where this run put none.
  public var quantization: Quantization?
  /// The layout in which 2:4 weights are kept compressed; nil where they are whole.
  public var encoding: String?
  /// How kept weights were trained; nil where they were not.
  public var training: Training?

  /// What an output comes from that is made from the result of an earlier step of the same run.
  struct Origin: Sendable {
    /// The pruning method.
    let method: String
    /// The fingerprint of the model that the run began with.
    let input: String
  }

  /// The training that kept weights went through.
  public struct Training: Sendable, Equatable {
    /// What was brought down: `distill`, `cross-entropy` or `both`.
    public var objective: String
    /// The steps made.
    public var steps: Int

    /// The training as manifests show it.
    var json: JSON { ["objective": .string(objective), "steps": .integer(steps)] }

    init(objective: String, steps: Int) {
      self.objective = objective
      self.steps = steps
    }

    /// The training that a manifest shows; nil for none.
    init?(_ json: JSON) {
      guard let objective = json["objective"]?.string, let steps = json["steps"]?.int else {
        return nil
      }
      self.init(objective: objective, steps: steps)
    }
  }

  /// The INT8 weights that a run made.
  public struct Quantization: Sendable, Equatable {
    /// The number of neighbouring columns that share a scale; nil for one scale per output channel.
    public var groupSize: Int?

    /// The quantization as manifests show it.
    var json: JSON { ["type": "int8", "groupSize": groupSize.map(JSON.integer) ?? .null] }
  }

  /// The calibration that a method saw.
  public struct Calibration: Sendable, Equatable {
    /// `self`, or the name of the file.
    public var source: String
    /// The number of sequences.
    public var samples: Int
    /// The tokens in each.
    public var length: Int
    /// The seed they were drawn with.
    public var seed: UInt64
    /// A fingerprint of the token ids, 16 hexadecimal digits.
    public var fingerprint: String
    /// The tokens that were put at the start of each sequence; empty for none.
    public var startTokens: [Int32] = []

    /// The calibration as reports and manifests show it.
    public var json: JSON {
      let json: JSON = [
        "source": .string(source), "samples": .integer(samples), "length": .integer(length),
        "seed": .unsigned(seed), "fingerprint": .string(fingerprint),
      ]
      guard !startTokens.isEmpty else { return json }
      let start = JSON.array(startTokens.map { .integer(Int($0)) })
      return .object((json.object ?? []) + [JSON.Member(key: "startTokens", value: start)])
    }
  }

  /// The text that goes into the `__metadata__` of a file with the given tensors: it promises no others.
  func text(for tensors: [TensorInfo]) -> String {
    let names = Set(tensors.map { ExactString($0.name) })
    let json: JSON = [
      "schema": .integer(Self.schema), "tool": .string(Tool.name), "version": .string(version),
      "pattern": "2:4", "method": .string(method), "calibration": calibration?.json ?? .null,
      "input": .string(inputFingerprint),
      "quantization": quantization?.json ?? .null,
      "encoding": encoding.map(JSON.string) ?? .null, "training": training?.json ?? .null,
      "pruned": .array(
        pruned.filter {
          names.contains(ExactString($0))
            || names.contains(ExactString(CompressedTensors.valuesName(of: $0)))
        }.map(JSON.string)),
    ]
    return json.text()
  }
}

/// Why a file's manifest cannot be used.
public enum ManifestError: Error, Equatable {
  /// It is not what this tool writes.
  case malformed(path: String, reason: String)
  /// A later version of the tool wrote it.
  case newer(path: String, schema: Int, supported: Int)
}

extension ManifestError: CustomStringConvertible {
  /// One line that names the file.
  public var description: String {
    switch self {
    case .malformed(let path, let reason): "\(path): the sparsify manifest is malformed: \(reason)"
    case .newer(let path, let schema, let supported):
      "\(path): the sparsify manifest has schema \(schema), this version reads up to \(supported)"
    }
  }
}
