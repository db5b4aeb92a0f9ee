internal import SparseCore

/// What a plan is made of: a checkpoint, or a config.json whose weights are not there.
///
/// ```swift
/// let plan = try PlanSource(path: "Llama-2-7b/config.json").plan(
///   PlanRequest(gpu: gpu, form: .sparseInt8, batches: [1]))
/// ```
public struct PlanSource {
  /// The path that it was opened by.
  public let path: String
  /// Whether shapes and names are those of weights; otherwise they follow from config.json.
  public var hasWeights: Bool { checkpoint != nil }
  /// The files that are read.
  package let files: [String]
  let shape: PlanShape
  private let checkpoint: Checkpoint?

  /// Opens a checkpoint, or a config.json by its own name or in a folder without weights.
  ///
  /// A folder with an index counts as one without weights where no safetensors file is there.
  ///
  /// - Throws: the errors of opening a checkpoint, and those of ``plan(_:)`` for what is read already.
  public init(path: String) throws {
    if let configuration = try Self.configuration(path) {
      try self.init(configurationAt: configuration, model: path)
    } else {
      try self.init(Checkpoint(path: path))
    }
  }

  private init(configurationAt file: String, model: String) throws {
    path = model
    files = [file]
    checkpoint = nil
    shape = try PlanShape(configurationAt: file, model: model)
  }

  init(_ checkpoint: Checkpoint) throws {
    path = checkpoint.path
    files =
      checkpoint.files.map(\.path) + [checkpoint.path]
      + [checkpoint.configPath].compactMap(\.self)
    self.checkpoint = checkpoint
    shape = try PlanShape(checkpoint)
  }

  /// The folder of the model where a config.json was named; nil where the path is the model's.
  var folder: String? {
    guard !hasWeights, let file = files.first, (try? FileSystem.kind(of: path)) == .file else {
      return nil
    }
    return Path.folder(of: file)
  }

  /// The config.json to follow; nil where there are weights, or nothing to follow.
  private static func configuration(_ path: String) throws -> String? {
    var folder = path
    switch try FileSystem.kind(of: path) {
    case .folder: break
    case .file where path.hasSuffix(".json"):
      let json = try? JSON(parsing: MappedFile(path: path).bytes)
      if Path.name(of: path) == name || json?["model_type"]?.string != nil { return path }
      folder = Path.folder(of: path)
    default: return nil
    }
    let file = Path.join(folder, name)
    guard try FileSystem.kind(of: file) == .file else { return nil }
    return try FileSystem.names(in: folder).contains { $0.hasSuffix(".safetensors") } ? nil : file
  }

  private static let name = "config.json"

  /// Predicts what 2:4 would bring.
  ///
  /// - Throws: ``PlanError``; ``SensitivityError`` for a sensitivity of another model; ``ModelError`` for a config.json that
  ///   cannot be used and for a context that the model does not have; ``SelectionError/noCandidates(path:)`` for a
  ///   checkpoint without linears.
  public func plan(_ request: PlanRequest) throws -> ModelPlan {
    // Said of another model, it is an error and no advice.
    let sizes = Dictionary(
      shape.linears.map { (ExactString($0.name), $0.outputs * $0.inputs) },
      uniquingKeysWith: { first, _ in first })
    try request.sensitivity?.check(isOf: path) { name in
      checkpoint.map { $0[name]?.shape.reduce(1, *) } ?? sizes[ExactString(name)]
    }
    _ = try request.sensitivity?.parts(of: shape.linears.map(\.name), in: path)
    let longest = shape.configuration.contextLength
    let context = request.context ?? min(2048, longest)
    guard context <= longest else {
      throw ModelError.contextTooLong(asked: context, context: longest)
    }
    let bytes = shape.cache.bytesPerToken
    for batch in request.batches
    where Double(batch) * Double(context) * Double(bytes) >= 0x1p60 {
      throw PlanError.cacheTooLarge(batch: batch, context: context, bytesPerToken: bytes)
    }
    return ModelPlan(self, request, context: context)
  }
}
