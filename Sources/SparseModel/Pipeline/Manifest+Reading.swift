internal import SparseCore

extension Manifest {
  /// The manifest in a file's metadata, or nil where it has none.
  ///
  /// - Throws: ``ManifestError`` where there is one that cannot be read.
  init?(in metadata: SafetensorsMetadata, of path: String) throws(ManifestError) {
    guard let text = metadata[Self.key] else { return nil }
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
    guard let names = json["pruned"]?.array?.map(\.string), !names.contains(nil) else {
      throw .malformed(path: path, reason: "'pruned' is not a list of tensor names")
    }
    pruned = names.compactMap { $0 }
    version = json["version"]?.string ?? Tool.version
    method = json["method"]?.string ?? "unknown"
    inputFingerprint = json["input"]?.string ?? Fingerprint.unknown
    calibration = json["calibration"].flatMap(Calibration.init)
    quantization = json["quantization"].flatMap(Quantization.init)
    encoding = json["encoding"]?.string
    training = json["training"].flatMap(Training.init)
  }
}

extension Manifest.Quantization {
  /// The quantization that a manifest shows; nil for none.
  fileprivate init?(_ json: JSON) {
    guard json["type"] == "int8" else { return nil }
    self.init(groupSize: json["groupSize"]?.int)
  }
}

extension Manifest.Calibration {
  /// The calibration that a manifest shows; nil for none.
  init?(_ json: JSON) {
    guard let source = json["source"]?.string, let samples = json["samples"]?.int,
      let length = json["length"]?.int, let seed = json["seed"]?.unsigned,
      let fingerprint = json["fingerprint"]?.string
    else { return nil }
    self.init(
      source: source, samples: samples, length: length, seed: seed, fingerprint: fingerprint,
      startTokens: (json["startTokens"]?.array ?? []).compactMap {
        $0.int.flatMap(Int32.init(exactly:))
      })
  }
}

extension Checkpoint {
  /// What the files' manifests say, put together; nil where no file has one.
  ///
  /// All files of a checkpoint come from one run: they differ in the weights that they hold.
  ///
  /// - Throws: ``ManifestError`` for one that cannot be read, or that names a weight that is not there.
  func manifest() throws -> Manifest? {
    var found: Manifest?
    for file in files {
      guard let next = try Manifest(in: file.metadata, of: file.path) else { continue }
      if found == nil { found = next } else { found?.pruned += next.pruned }
    }
    for name in found?.pruned ?? [] where try weightShape(name) == nil {
      throw ManifestError.malformed(
        path: path, reason: "it promises tensor '\(name)', which is not there")
    }
    return found
  }
}
