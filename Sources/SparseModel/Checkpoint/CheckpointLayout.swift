internal import SparseCore

/// The files of weights that an output has, and what is in each.
struct CheckpointLayout {
  /// One file.
  struct File {
    /// The name within the output's folder.
    let name: String
    /// The tensors in the order of their bytes.
    let tensors: [TensorInfo]
    /// The texts that go with them.
    let metadata: SafetensorsMetadata
  }

  /// The files, in the order of their names.
  let files: [File]
  /// The name of the index; nil where the only file needs none.
  let indexName: String?
  /// The number of the file that each tensor is in.
  let places: [ExactString: Int]
  /// Whether the files are others than the input's.
  private let isNew: Bool

  /// The files of the input, or new ones.
  ///
  /// - Parameters:
  ///   - shardSize: the bytes of tensors that a file has at most, a file of a single larger one apart; nil for the
  ///     files of the input.
  ///   - path: the output, for errors.
  /// - Throws: `SafetensorsFileError` where two tensors would have one name.
  init(
    of changes: CheckpointChanges, to input: Checkpoint, shardSize: Int?, path: String
  ) throws(SafetensorsFileError) {
    if let shardSize {
      files = try Self.shards(of: changes, to: input, size: shardSize)
      indexName = files.count > 1 ? input.index?.name ?? "model.safetensors.index.json" : nil
    } else {
      var files: [File] = []
      for (number, file) in input.files.enumerated() {
        files.append(
          File(
            name: Path.name(of: file.path),
            tensors: try changes.layout(ofFile: number, of: input), metadata: file.metadata))
      }
      self.files = files
      indexName = input.index?.name
    }
    isNew = shardSize != nil
    var places: [ExactString: Int] = [:]
    for (number, file) in files.enumerated() {
      for tensor in file.tensors
      where places.updateValue(number, forKey: ExactString(tensor.name)) != nil {
        throw SafetensorsFileError(path: path, reason: .duplicateTensor(tensor.name))
      }
    }
    self.places = places
  }

  /// The tensor of the output named `name`; nil where there is none.
  subscript(name: String) -> TensorInfo? {
    places[ExactString(name)].flatMap { file in
      files[file].tensors.first { $0.name.hasSameBytes(as: name) }
    }
  }

  /// The tensors in the input's order, a new file wherever the next one does not fit.
  private static func shards(
    of changes: CheckpointChanges, to input: Checkpoint, size: Int
  ) throws(SafetensorsFileError) -> [File] {
    var shards: [[TensorSpec]] = [[]]
    var bytes = 0
    for tensor in input.tensors {
      for spec in changes[tensor: tensor.name] ?? [tensor.info.spec] {
        if bytes > 0 && bytes + spec.byteCount > size {
          shards.append([])
          bytes = 0
        }
        shards[shards.count - 1].append(spec)
        bytes += spec.byteCount
      }
    }
    let metadata = input.files.first?.metadata ?? SafetensorsMetadata()
    var files: [File] = []
    for (number, specs) in shards.enumerated() {
      let name =
        shards.count == 1
        ? "model.safetensors"
        : "model-\(fiveDigits(number + 1))-of-\(fiveDigits(shards.count)).safetensors"
      do throws(SafetensorsError) {
        let header = try SafetensorsHeader(layingOut: specs, metadata: SafetensorsMetadata())
        files.append(File(name: name, tensors: header.tensors, metadata: metadata))
      } catch {
        throw SafetensorsFileError(path: input.path, reason: error)
      }
    }
    return files
  }

  private static func fiveDigits(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// The text of the index for files that take `totalSize` bytes.
  func index(
    of input: Checkpoint, changes: CheckpointChanges, totalSize: Int
  ) -> String {
    let named = files.flatMap { file in file.tensors.map { ($0.name, file.name) } }
    guard let index = input.index else {
      return CheckpointIndex.text(of: named, totalSize: totalSize)
    }
    return index.text(totalSize: totalSize, changes: changes) { tensor, file in
      isNew ? places[ExactString(tensor)].map { files[$0].name } ?? file : file
    }
  }
}
