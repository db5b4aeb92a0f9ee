public import SparseCore

/// A model's weights as they lie on the disk: one safetensors file, or several with an index.
///
/// Opening maps the files and checks every header; tensors are read where they are touched.
///
/// ```swift
/// let checkpoint = try Checkpoint(path: "SmolLM2-135M")
/// print(checkpoint.tensors.count, checkpoint.configPath ?? "no config.json")
/// let weight = try checkpoint.matrix("model.layers.0.mlp.up_proj.weight")
/// ```
public final class Checkpoint: Sendable {
  /// One tensor and the file that it is in.
  public struct Tensor: Sendable, Equatable {
    /// Name, type, shape and place.
    public let info: TensorInfo
    /// The file, counted in `Checkpoint.files`.
    public let file: Int

    /// The name, any text.
    public var name: String { info.name }
    /// The element type.
    public var dtype: DType { info.dtype }
    /// The dimensions, slowest first.
    public var shape: [Int] { info.shape }
    /// The number of bytes.
    public var byteCount: Int { info.byteCount }
  }

  /// The path it was opened by.
  public let path: String
  /// The folder of the weights, where config.json and tokenizer.json are looked for.
  public let folder: String
  /// Whether a whole folder was opened (by its own path or its index), not a single file.
  public let isFolder: Bool
  /// The files with weights, in the order of their names.
  public let files: [SafetensorsFile]
  /// The tensors: file after file, in each in the order of their bytes.
  ///
  /// With an index, tensors that it does not list do not exist: they are not read and not copied.
  public let tensors: [Tensor]
  let index: CheckpointIndex?
  private let places: [ExactString: Int]

  /// Opens the checkpoint at `path`.
  ///
  /// - Parameter path: a `.safetensors` file, a `.json` index, or a folder with either. In a folder
  ///   `model.safetensors` comes before `model.safetensors.index.json`, and that before a single
  ///   file of another name. Symbolic links are followed.
  /// - Throws: `FileError`, `SafetensorsFileError` or `CheckpointError`, each with the path.
  public init(path: String) throws {
    let source = try CheckpointSource(path: path)
    self.path = path
    folder = source.folder
    isFolder = source.isFolder
    index = try source.index.map { try CheckpointIndex(path: $0) }
    if let index, let indexPath = source.index {
      files = try index.files.map { try Self.shard($0, in: source.folder, of: indexPath) }
      tensors = try Self.tensors(listedIn: index, at: indexPath, files)
    } else {
      let file = try SafetensorsFile(path: source.file)
      files = [file]
      tensors = file.tensors.map { Tensor(info: $0, file: 0) }
    }
    if tensors.contains(where: { MisplacedModel.isOfAdapter($0.name) }) {
      throw MisplacedModel.adapter(path: path)
    }
    places = Dictionary(
      uniqueKeysWithValues: tensors.enumerated().map { (ExactString($1.name), $0) })
  }

  private static func shard(
    _ name: String, in folder: String, of index: String
  ) throws -> SafetensorsFile {
    do {
      return try SafetensorsFile(path: Path.join(folder, name))
    } catch FileError.missing {
      throw CheckpointError.missingShard(path: index, file: name)
    }
  }

  private static func tensors(
    listedIn index: CheckpointIndex, at path: String, _ files: [SafetensorsFile]
  ) throws -> [Tensor] {
    var numbers: [ExactString: Int] = [:]
    for (number, file) in files.enumerated() {
      numbers[ExactString(Path.name(of: file.path))] = number
    }
    var listed = files.map { _ in Set<ExactString>() }
    for (tensor, file) in index.weightMap {
      guard let number = numbers[ExactString(file)], files[number][tensor] != nil else {
        throw CheckpointError.tensorNotInShard(path: path, tensor: tensor, file: file)
      }
      listed[number].insert(ExactString(tensor))
    }
    return files.indices.flatMap { number in
      files[number].tensors.filter { listed[number].contains(ExactString($0.name)) }
        .map { Tensor(info: $0, file: number) }
    }
  }

  // MARK: Beside the weights

  /// The path of config.json beside the weights; nil where there is none.
  public var configPath: String? { pathBeside("config.json") }

  /// The path of tokenizer.json beside the weights; nil where there is none.
  public var tokenizerPath: String? { pathBeside("tokenizer.json") }

  /// The path of the file or link `name` beside the weights; nil where there is none.
  public func pathBeside(_ name: String) -> String? {
    let path = Path.join(folder, name)
    let kind = try? FileSystem.kind(of: path)
    // A link that leads nowhere is told when it is read, rather than taken for no file.
    return kind == .file || kind == nil && FileSystem.isTaken(path) ? path : nil
  }

  /// The files with weights and their index, as they were when they were opened.
  package var stamps: [InputStamp] {
    files.map { InputStamp($0.mapping) } + (index.map { [$0.stamp] } ?? [])
  }

  /// What config.json beside the weights says; nil where there is none.
  ///
  /// - Throws: ``ModelError/malformedConfiguration(path:reason:)``.
  func configurationJSON() throws -> JSON? { try configurationJSON("config.json") }

  /// What a file of Python's settings beside the weights says, `NaN` and `Infinity` included; nil where there
  /// is none.
  ///
  /// - Throws: ``ModelError/malformedConfiguration(path:reason:)``.
  func configurationJSON(_ name: String) throws -> JSON? {
    guard let path = pathBeside(name) else { return nil }
    do {
      return try JSON(parsing: MappedFile(path: path).bytes, takesNonFinite: true)
    } catch let error as JSONError {
      throw ModelError.malformedConfiguration(path: path, reason: "\(error)")
    }
  }

  /// The bytes of all tensors.
  package var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  // MARK: Tensors by name

  /// The tensor named `name`; nil where there is none.
  public subscript(name: String) -> Tensor? { places[ExactString(name)].map { tensors[$0] } }

  /// The tensor named `name`, or an error that names it.
  public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
    guard let tensor = self[name] else { throw .noSuchTensor(path: path, tensor: name) }
    return tensor
  }

  /// The bytes of the tensor named `name`, aligned or not.
  public func bytes(of name: String) throws -> ByteView {
    let tensor = try tensor(name)
    return files[tensor.file].bytes(of: tensor.info)
  }

  /// The two-dimensional F32, F16 or BF16 tensor named `name`, where it lies.
  public func matrix(_ name: String) throws -> StoredMatrix {
    try files[tensor(name).file].matrix(name)
  }

  /// The one-dimensional F32, F16 or BF16 tensor named `name`, as a matrix of one row.
  public func vector(_ name: String) throws -> StoredMatrix {
    try files[tensor(name).file].vector(name)
  }

  /// The values of the integer tensor named `name`, row after row.
  public func integers(_ name: String) throws -> [Int] {
    try files[tensor(name).file].integers(name)
  }

  /// Brings a tensor that will be read from start to end into memory at once, where the system can;
  /// nothing happens where there is none.
  package func prefetch(_ name: String) {
    guard let tensor = self[name] else { return }
    files[tensor.file].prefetch(tensor.info, 0..<tensor.byteCount)
  }

  /// Lets the memory of a tensor go that has been read; nothing happens where there is none.
  ///
  /// It counts no longer as resident, and is read again if touched. Views of it stay valid.
  public func release(_ name: String) {
    guard let tensor = self[name] else { return }
    files[tensor.file].release(tensor.info)
  }
}
