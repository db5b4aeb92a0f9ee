internal import SparseCore
internal import TestSupport

@testable import SparseModel

/// A random dense model, the 2:4 model that magnitude pruning makes of it, and a text to train on: each window
/// repeats one rule from another start.
struct TrainingPlace {
  /// Holds `model`, which is dense, and `sparse`.
  let place: PrunedFolder
  let windows: TokenWindows

  static let qwen2 = ModelFixture(name: "architectures/qwen2")
  static let length = 12
  static let vocabulary = 64

  /// - Parameters:
  ///   - type: the type of all tensors; nil for that of the fixture.
  ///   - edit: changes the dense model.
  init(
    _ fixture: ModelFixture = qwen2, as type: ScalarType? = nil, windows count: Int = 9,
    prunes: Bool = true, edit: (inout EditedModel) -> Void = { _ in }
  ) throws {
    var model = try EditedModel(fixture)
    if let type {
      for name in model.tensors.map(\.spec.name) {
        try model.replace(name, model.stored(name).map { StoredMatrix(Matrix($0), as: type) })
      }
    }
    edit(&model)
    place = try PrunedFolder(model)
    try place.folder.write("{\"mine\": 1}\n", to: "model/generation_config.json")
    if prunes { try place.prune(.magnitude, to: "sparse") }
    windows = Self.text(count)
    try write(windows, to: "text.safetensors")
  }

  var folder: TemporaryFolder { place.folder }
  var dense: String { place.input }
  var sparse: String { folder["sparse"] }

  /// Windows in which every token follows from the one before.
  static func text(_ count: Int, first: Int = 0) -> TokenWindows {
    let ids = (first..<first + count).flatMap { window in
      (0..<length).map { Int32((7 * window + 5 * $0) % vocabulary) }
    }
    return TokenWindows(count: count, length: length, ids: ids)
  }

  /// Writes token ids as a file for training.
  func write(_ windows: TokenWindows, to name: String) throws {
    let spec = TensorSpec(name: "tokens", dtype: .i32, shape: [windows.count, windows.length])
    let writer = try SafetensorsWriter(path: folder[name], tensors: [spec])
    try windows.ids.map(\.littleEndian).withUnsafeBytes {
      try writer.write($0, as: spec.name, at: 0)
    }
    try writer.commit()
  }

  /// Options for a short training with all of what matters on: 2 × 4 of 8 windows, one held out.
  func options(
    _ objective: TrainingObjective = .distill, to output: String = "out",
    _ edit: (inout FinetuneOptions) -> Void = { _ in }
  ) -> FinetuneOptions {
    var options = FinetuneOptions(
      dense: objective.needsTeacher ? dense : nil,
      training: TrainingOptions(
        objective: objective, length: .steps(6), batch: 4, learningRate: 5e-3,
        evaluationInterval: 2),
      data: CalibrationOptions(source: .tokens(path: folder["text.safetensors"])),
      output: folder[output])
    edit(&options)
    return options
  }

  /// Options for the training of one block after the other.
  func blockOptions(
    _ reconstruction: ReconstructionOptions = ReconstructionOptions(
      epochs: 2, learningRate: 2e-3), to output: String = "out",
    _ edit: (inout FinetuneOptions) -> Void = { _ in }
  ) -> FinetuneOptions {
    options(to: output) {
      $0.reconstruction = reconstruction
      edit(&$0)
    }
  }

  /// Trains the sparse model.
  @discardableResult
  func run(
    _ options: FinetuneOptions, threads: Int = 2, progress: ProgressHandler = { _ in }
  ) throws -> FinetuneReport {
    try FinetuneRun(sparse, options).run(on: Compute(threads: threads), progress: progress)
  }

  func checkpoint(_ name: String) throws -> Checkpoint { try Checkpoint(path: folder[name]) }

  /// The bytes of an output's weights.
  func bytes(_ output: String = "out") throws -> [UInt8] { try place.bytes(output) }

  /// The bytes of every tensor of a checkpoint.
  func tensors(_ name: String) throws -> [String: [UInt8]] {
    let checkpoint = try checkpoint(name)
    return try Dictionary(
      uniqueKeysWithValues: checkpoint.tensors.map {
        ($0.name, try checkpoint.bytes(of: $0.name).array)
      })
  }

  /// All values of an output's trained matrices, one after the other.
  func values(_ name: String) throws -> [Float] {
    let checkpoint = try checkpoint(name)
    return try checkpoint.tensors.filter { $0.shape.count == 2 }.flatMap {
      try Matrix(checkpoint.matrix($0.name)).values
    }
  }

  /// The perplexity of a model on some windows.
  func perplexity(_ name: String, of windows: TokenWindows) throws -> Double {
    try LanguageModel(checkpoint(name)).perplexity(of: windows).perplexity
  }
}

/// AdamW or SGD that climbs from a step on: what follows it is worse.
struct ClimbingRule: OptimizerRule {
  var rule: any OptimizerRule = AdamW(weightDecay: 0)
  /// The first step that climbs, from 1.
  let from: Int
  var factor = 1.0

  var name: String { rule.name }
  var momentCount: Int { rule.momentCount }

  func update(
    step: Int, learningRate: Double, decays: Bool, on kernels: KernelSet
  ) -> @Sendable (OptimizerBlock) -> Void {
    rule.update(
      step: step, learningRate: step < from ? learningRate : -factor * learningRate,
      decays: decays, on: kernels)
  }
}
