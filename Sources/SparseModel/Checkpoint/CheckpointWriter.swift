public import SparseCore

/// Writes a checkpoint with the tensors of another one, some of them with new values.
///
/// Files, names, types, shapes and metadata are those of the input but for what ``CheckpointChanges`` and
/// ``CheckpointOutput/shardSize`` say, with a manifest added to the metadata of each file. For a folder the output is a complete
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
  private let inputs: [InputStamp]  // all files that are read
  let layout: CheckpointLayout
  private let changes: CheckpointChanges

  /// Creates the output under its temporary name, each file at its full size, and copies what is
  /// not weights: a place that cannot be written to, or is too small, is found here.
  ///
  /// - Parameters:
  ///   - changes: the tensors that differ from the input's in name, type or shape, and what config.json says of them.
  ///   - manifest: what a file with the given tensors says of its origin; see `commit`.
  /// - Throws: `SafetensorsFileError` where two tensors of the output would have one name, and the
  ///   errors of reading the input and writing the output.
  public convenience init(
    copying input: Checkpoint, to output: CheckpointOutput,
    changes: CheckpointChanges = CheckpointChanges(),
    manifest: (_ tensors: [TensorInfo]) -> String
  ) throws {
    try self.init(
      copying: input, to: output, changes: changes, workPath: nil, manifest: manifest)
  }

  /// - Parameter workPath: where the output is made and left until `commit`; what an earlier run has left there
  ///   is gone on with, and `keep` says what of it stays. Nil for a temporary place.
  /// - Parameter fingerprint: that of the input, as far as it is known.
  /// - Parameter others: files that are read besides the input.
  init(
    copying input: Checkpoint, to output: CheckpointOutput, changes: CheckpointChanges,
    workPath: String?, fingerprint: CheckpointFingerprint? = nil, others: [InputStamp] = [],
    manifest: (_ tensors: [TensorInfo]) -> String
  ) throws {
    self.input = input
    self.output = output
    self.changes = changes
    self.fingerprint = fingerprint ?? CheckpointFingerprint(of: input)
    path = output.path
    let folder =
      input.isFolder ? try AtomicFolder(path: output.path, workPath: workPath) : nil
    self.folder = folder
    let layout = try CheckpointLayout(
      of: changes, to: input, shardSize: output.shardSize, path: output.path)
    self.layout = layout
    if let folder, workPath != nil {
      // Whatever else a run that was cut short has left there is made anew, half-written files among it.
      let kept = Set(layout.files.map { ExactString($0.name) })
      for name in try FileSystem.names(in: folder.temporaryPath)
      where !kept.contains(ExactString(name)) {
        try FileSystem.removeTree(Path.join(folder.temporaryPath, name))
      }
    }
    files = try layout.files.map { file in
      var metadata = file.metadata
      // Loaders that find metadata want to find this in it.
      if metadata["format"] == nil { metadata["format"] = "pt" }
      metadata[Self.manifestKey] = manifest(file.tensors)
      let path = folder.map { Path.join($0.temporaryPath, file.name) } ?? output.path
      return try SafetensorsWriter(
        path: path, finalPath: folder.map { Path.join($0.path, file.name) },
        tensors: file.tensors.map(\.spec), metadata: metadata,
        workPath: workPath.map { folder == nil ? $0 : path })
    }
    var inputs = input.stamps + others
    companions = try folder.map { folder in
      let companions = try CheckpointCompanions(folder: input.folder)
      inputs += try companions.copy(to: folder)
      try changes.writeConfiguration(of: input, to: folder)
      return companions
    }
    self.inputs = inputs
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
    try files[file(of: name)].write(bytes, as: name, at: offset)
  }

  /// Takes a tensor that an earlier run has written at the work path as done.
  func keep(_ name: String) { files[file(of: name)].keep(name) }

  /// A fingerprint of what has been written of a tensor, read back piece by piece.
  func fingerprint(ofWritten name: String) throws -> String {
    let file = files[file(of: name)]
    return try Fingerprint.text(ofPieces: file.byteCount(of: name)) { offset, buffer in
      try file.contents(of: name, into: buffer, at: offset)
    }
  }

  /// Waits until what has been written is on the disk.
  func synchronize() throws(FileError) {
    for file in files { try file.synchronize() }
  }

  /// Whether the output has a tensor of that name.
  func has(_ name: String) -> Bool { layout.places[ExactString(name)] != nil }

  /// The number of the file that a tensor of the output is in.
  func file(of name: String) -> Int {
    guard let file = layout.places[ExactString(name)] else {
      preconditionFailure("CheckpointWriter: \(name) is not in the layout of \(path)")
    }
    return file
  }

  /// Finishes the output under its name.
  ///
  /// To be called once, after every tensor has been written.
  ///
  /// - Parameter manifest: the final text in place of the first one, no longer than that when
  ///   written as JSON: for what is known only at the end, the first text holds the place.
  /// - Throws: `SafetensorsFileError` where a tensor has not been written or the manifest has grown,
  ///   `FileError` where the files cannot be finished, or one that was read is not what it was,
  ///   ``CheckpointOutputError/exists(path:)`` where something has got the output's name since the place was checked.
  public func commit(manifest: ((_ tensors: [TensorInfo]) -> String)? = nil) throws {
    try inputs.check()
    try CheckpointOutputError.naming { try finish(manifest) }
  }

  private func finish(_ manifest: ((_ tensors: [TensorInfo]) -> String)?) throws {
    for file in files {
      var metadata = file.header.metadata
      if let manifest { metadata[Self.manifestKey] = manifest(file.header.tensors) }
      // In a folder of this run's own nothing is in the way.
      try file.commit(metadata: metadata, replacing: folder != nil || output.force)
    }
    guard let folder else { return }
    if let manifest { try folder.describeInCard(manifest(files.flatMap(\.header.tensors))) }
    try companions?.synchronize(in: folder)
    if let name = layout.indexName {
      let size = files.reduce(0) { $0 + $1.header.dataByteCount }
      try AtomicFile.write(
        Array(layout.index(of: input, changes: changes, totalSize: size).utf8),
        to: Path.join(folder.temporaryPath, name), finalPath: Path.join(folder.path, name))
    }
    try folder.commit(replacing: output.force)
  }
}
