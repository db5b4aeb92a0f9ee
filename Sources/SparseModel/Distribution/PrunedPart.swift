internal import SparseCore

/// What a file with a part of a pruned checkpoint says about itself, in its `__metadata__` under the key `sparsify-part`.
///
/// Beside it stands the manifest that the whole will have (``Manifest/key``), which promises the part's own
/// weights: `check` holds a part to it.
struct PrunedPart: Sendable {
  /// The metadata key.
  static let key = "sparsify-part"
  /// The number of this layout; readers refuse larger ones.
  static let schema = 1

  /// What the identity calls the fingerprint of the model that statistics are of.
  static let modelName = "the model's fingerprint"

  /// All that the bytes of the whole depend on, but for the tensors themselves.
  var identity: RunIdentity
  /// All weights that are 2:4 in the whole, those of earlier runs included.
  var pruned: [String]
  /// All weights that are pruned, in every part.
  var targets: [String]
  /// The weights that were pruned in this one.
  var own: [String]
  /// The tensors of the input that this part stands for, and fingerprints of them.
  var tensors: [(name: String, fingerprint: String)]

  /// The text of it.
  var text: String {
    let json: JSON = [
      "schema": .integer(Self.schema), "identity": identity.json,
      "pruned": .array(pruned.map(JSON.string)), "targets": .array(targets.map(JSON.string)),
      "own": .array(own.map(JSON.string)),
      "tensors": .array(tensors.map { [.string($0.name), .string($0.fingerprint)] }),
    ]
    return json.text()
  }
}

/// A part of a pruned checkpoint, mapped.
struct PrunedPartFile: Sendable {
  let file: SafetensorsFile
  let part: PrunedPart
  /// The manifest of the whole, without the fingerprint of the input.
  let manifest: Manifest

  /// The path it was opened by.
  var path: String { file.path }

  /// Opens the part at `path`.
  ///
  /// - Throws: ``PrunedPartError``, and the errors of reading safetensors.
  init(path: String) throws {
    file = try SafetensorsFile(path: path)
    guard let text = file.metadata[PrunedPart.key] else {
      throw PrunedPartError.notAPart(path: path)
    }
    guard var manifest = try Manifest(in: file.metadata, of: path) else {
      throw PrunedPartError.malformed(path: path, reason: "there is no manifest")
    }
    part = try PrunedPart(text, of: path)
    manifest.pruned = part.pruned
    self.manifest = manifest
  }
}

extension PrunedPart {
  fileprivate init(_ text: String, of path: String) throws(PrunedPartError) {
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
    func names(_ key: String) -> [String]? {
      json[key]?.array.flatMap { list in
        let names = list.compactMap(\.string)
        return names.count == list.count ? names : nil
      }
    }
    guard let identity = json["identity"].flatMap(RunIdentity.init), let pruned = names("pruned"),
      let targets = names("targets"), let own = names("own"),
      let tensors = json["tensors"]?.array?.map(Self.pair), !tensors.contains(where: { $0 == nil })
    else { throw .malformed(path: path, reason: "a field is missing or has the wrong kind") }
    self.init(
      identity: identity, pruned: pruned, targets: targets, own: own,
      tensors: tensors.compactMap { $0 })
  }

  private static func pair(_ json: JSON) -> (name: String, fingerprint: String)? {
    guard let pair = json.array, pair.count == 2, let name = pair[0].string,
      let fingerprint = pair[1].string
    else { return nil }
    return (name, fingerprint)
  }
}

/// Why parts of a pruned checkpoint cannot be put together.
public enum PrunedPartError: Error, Equatable {
  /// The file has no manifest of a part.
  case notAPart(path: String)
  /// It is not what this tool writes.
  case malformed(path: String, reason: String)
  /// A later version of the tool wrote it.
  case newer(path: String, schema: Int, supported: Int)
  /// Two parts are not of the same run: what differs, and how.
  case differs(String, path: String, found: String, other: String, expected: String)
  /// Two parts have a tensor in common.
  case overlap(tensor: String, path: String, other: String)
  /// No part has these weights; the first of them, and how many there are.
  case missing(weight: String, count: Int, of: Int, parts: Int)
  /// A part was made from another model than the one that it is put together with.
  case foreignModel(path: String, tensor: String, model: String)
  /// The statistics that the parts were made with are not of the model.
  case foreignStatistics(path: String, found: String, model: String, expected: String)
}

extension PrunedPartError: CustomStringConvertible {
  /// One line that names the files and the tensor.
  public var description: String {
    switch self {
    case .notAPart(let path):
      "\(path): neither statistics nor a part of a pruned model: 'sparsify calibrate', or 'sparsify prune' with --blocks or --tensors, write those"
    case .malformed(let path, let reason):
      "\(path): the manifest of the part is malformed: \(reason)"
    case .newer(let path, let schema, let supported):
      "\(path): the manifest of the part has schema \(schema), this version reads up to \(supported)"
    case .differs(let what, let path, let found, let other, let expected):
      "\(path): \(what) is \(found), but \(expected) in \(other): not parts of one run"
    case .overlap(let tensor, let path, let other):
      "\(path): has tensor '\(tensor)', which \(other) has, too"
    case .missing(let weight, let count, let total, let parts):
      "\(count) of \(total.counting("weight")) \(count == 1 ? "is" : "are") \(parts == 1 ? "not in the part" : "in none of the \(parts) parts"): '\(weight)'"
        + (count > 1 ? " first" : "")
    case .foreignModel(let path, let tensor, let model):
      "\(path): tensor '\(tensor)' was made from another one than that of \(model)"
    case .foreignStatistics(let path, let found, let model, let expected):
      "\(path): made with statistics of a model whose fingerprint is \(found), that of \(model) is \(expected)"
    }
  }
}
