public import SparseCore

/// Writes a checkpoint with the tensors of another one, some of them with new values.
///
/// Files, names, types, shapes and metadata are those of the input but for what ``CheckpointChanges``
/// say, with a manifest added to the metadata of each file. For a folder the output is a complete
/// folder: config, tokenizer and the rest are copied; for a file nothing is written beside it. All of it is made under a temporary name and gets its own with `commit`; without
/// that nothing is left.
///
/// ```swift
/// let input = try Checkpoint(path: "SmolLM2-135M")
/// let output = try CheckpointWriter(
///   copying: input, to: CheckpointOutput(for: input), manifest: { _ in "{}" })
/// try output.write(pruned, as: "model.layers.0.mlp.up_proj.weight")
/// try output.copyRemaining()
/// try output.commit()
/// ```
public final class CheckpointWriter: Sendable {
  /// The name of the manifest in a file's metadata.
  public static let manifestKey = "sparsify"

  /// The file or folder that `commit` gives its name to.
  public let path: String
  let input: Checkpoint
  let files: [SafetensorsWriter]
  let fingerprint: CheckpointFingerprint
  private let output: CheckpointOutput
  private let folder: AtomicFolder?
  private let companions: CheckpointCompanions?
  private let places: [ExactString: Int]  // the file of each tensor
  private let changes: CheckpointChanges

  /// Creates the output under its temporary name, each file at its full size, and copies what is
  /// not weights: a place that cannot be written to, or is too small, is found here.
  ///
  /// - Parameters:
  ///   - changes: the tensors that differ from the input's in name, type or shape, and what config.json says of them.
  ///   - manifest: what a file with the given tensors says of its origin; see `commit`.
  /// - Throws: `SafetensorsFileError` where two tensors of the output would have one name, and the
  ///   errors of reading the input and writing the output.
  public init(
    copying input: Checkpoint, to output: CheckpointOutput,
    changes: CheckpointChanges = CheckpointChanges(),
    manifest: (_ tensors: [TensorInfo]) -> String
  ) throws {
    self.input = input
    self.output = output
    self.changes = changes
    fingerprint = CheckpointFingerprint(of: input)
    path = output.path
    let folder = input.isFolder ? try AtomicFolder(path: output.path) : nil
    self.folder = folder
    let layouts = try input.files.indices.map { try changes.layout(ofFile: $0, of: input) }
    places = try Self.places(layouts, path: output.path)
    files = try zip(input.files, layouts).map { file, tensors in
      var metadata = file.metadata
      // Loaders that find metadata want to find this in it.
      if metadata["format"] == nil { metadata["format"] = "pt" }
      metadata[Self.manifestKey] = manifest(tensors)
      let name = Path.name(of: file.path)
      return try SafetensorsWriter(
        path: folder.map { Path.join($0.temporaryPath, name) } ?? output.path,
        finalPath: folder.map { Path.join($0.path, name) },
        tensors: tensors.map(\.spec), metadata: metadata)
    }
    companions = try folder.map { folder in
      let companions = try CheckpointCompanions(folder: input.folder)
      try companions.copy(to: folder)
      try changes.writeConfiguration(of: input, to: folder)
      return companions
    }
  }

  private static func places(
    _ layouts: [[TensorInfo]], path: String
  ) throws(SafetensorsFileError) -> [ExactString: Int] {
    var places: [ExactString: Int] = [:]
    for (number, tensors) in layouts.enumerated() {
      for tensor in tensors
      where places.updateValue(number, forKey: ExactString(tensor.name)) != nil {
        throw SafetensorsFileError(path: path, reason: .duplicateTensor(tensor.name))
      }
    }
    return places
  }

  /// Writes the new bytes of the output's tensor named `name`, or a piece of them that starts at `offset`.
  ///
  /// Several threads may write at once. Each byte is written once.
  public func write(_ bytes: ByteView, as name: String, at offset: Int = 0) throws(FileError) {
    try bytes.withUnsafeBytes { bytes throws(FileError) in
      try write(bytes, as: name, at: offset)
    }
  }

  /// Writes the bytes behind a pointer.
  func write(_ bytes: UnsafeRawBufferPointer, as name: String, at offset: Int) throws(FileError) {
    guard let file = places[ExactString(name)] else {
      preconditionFailure("CheckpointWriter: \(name) is not in the layout of \(path)")
    }
    try files[file].write(bytes, as: name, at: offset)
  }

  /// Finishes the output under its name.
  ///
  /// To be called once, after every tensor has been written.
  ///
  /// - Parameter manifest: the final text in place of the first one, no longer than that when
  ///   written as JSON: for what is known only at the end, the first text holds the place.
  /// - Throws: `SafetensorsFileError` where a tensor has not been written or the manifest has grown,
  ///   `FileError` where the files cannot be finished.
  public func commit(manifest: ((_ tensors: [TensorInfo]) -> String)? = nil) throws {
    for file in files {
      var metadata = file.header.metadata
      if let manifest { metadata[Self.manifestKey] = manifest(file.header.tensors) }
      try file.commit(metadata: metadata)
    }
    guard let folder else { return }
    try companions?.synchronize(in: folder)
    if let index = input.index {
      let size = files.reduce(0) { $0 + $1.header.dataByteCount }
      try AtomicFile.write(
        Array(index.text(totalSize: size, changes: changes).utf8),
        to: Path.join(folder.temporaryPath, index.name),
        finalPath: Path.join(folder.path, index.name))
    }
    try folder.commit(replacing: output.force)
  }
}
