public import SparseCore

/// Writes a checkpoint with the tensors of another one, some of them with new values.
///
/// Files, names, types, shapes and metadata are those of the input, with a manifest added to the
/// metadata of each file. For a folder the output is a complete folder: config, tokenizer and the
/// rest are copied. All of it is made under a temporary name and gets its own with `commit`; without
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
  private let input: Checkpoint
  private let output: CheckpointOutput
  private let folder: AtomicFolder?
  private let files: [SafetensorsWriter]

  /// Creates the output under its temporary name, each file at its full size, and copies what is
  /// not weights: a place that cannot be written to, or is too small, is found here.
  ///
  /// - Parameter manifest: what a file with the given tensors says of its origin; see `commit`.
  public init(
    copying input: Checkpoint, to output: CheckpointOutput,
    manifest: (_ tensors: [TensorInfo]) -> String
  ) throws {
    self.input = input
    self.output = output
    path = output.path
    let folder = input.isFolder ? try AtomicFolder(path: output.path) : nil
    self.folder = folder
    files = try input.files.indices.map { number in
      let file = input.files[number]
      var metadata = file.metadata
      // Loaders that find metadata want to find this in it.
      if metadata["format"] == nil { metadata["format"] = "pt" }
      let tensors = input.tensors.filter { $0.file == number }.map(\.info)
      metadata[Self.manifestKey] = manifest(tensors)
      return try SafetensorsWriter(
        path: folder.map { Path.join($0.temporaryPath, Path.name(of: file.path)) } ?? output.path,
        tensors: tensors.map(\.spec), metadata: metadata)
    }
    if let folder {
      try CheckpointCompanions(folder: input.folder).copy(to: folder.temporaryPath)
    }
  }

  /// Writes the new bytes of the tensor named `name`, as many as it had, or a piece of them that
  /// starts at `offset`.
  ///
  /// Several threads may write at once. Each byte is written once.
  public func write(_ bytes: ByteView, as name: String, at offset: Int = 0) throws(FileError) {
    guard let tensor = input[name] else {
      preconditionFailure("CheckpointWriter: \(name) is not in \(input.path)")
    }
    try files[tensor.file].write(bytes, as: name, at: offset)
  }

  /// Copies every tensor that has not been written from the input.
  ///
  /// - Parameter progress: told the bytes copied, out of those to copy.
  public func copyRemaining(progress: ProgressHandler = { _ in }) throws {
    let remaining = files.map(\.unwritten)
    let total = remaining.joined().reduce(0) { $0 + $1.byteCount }
    var done = 0
    let pieceBytes = 1 << 22  // small enough to stay in the cache on the way
    for (number, tensors) in remaining.enumerated() {
      let source = input.files[number]
      for tensor in tensors {
        guard let original = source[tensor.name] else { continue }
        let bytes = source.bytes(of: original)
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
          let piece = start..<min(start + pieceBytes, bytes.count)
          source.prefetch(original, piece)
          try files[number].write(bytes[piece], as: tensor.name, at: start)
          source.release(original, piece)
          done += piece.count
          try progress(Progress(step: "copy the rest", done: done, total: total))
        }
      }
    }
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
    if let index = input.index {
      let size = files.reduce(0) { $0 + $1.header.dataByteCount }
      try AtomicFile.write(
        Array(index.text(totalSize: size).utf8),
        to: Path.join(folder.temporaryPath, index.name))
    }
    try folder.commit(replacing: output.force)
  }
}
