public import SparseCore

/// How the kept weights of a block are trained to give what the dense block gives.
public struct ReconstructionOptions: Sendable, Equatable {
  /// How many times over all windows.
  public var epochs: Int
  /// Windows in a step.
  public var batch: Int
  /// The learning rate of the first step; it falls to 0 along a line.
  public var learningRate: Double
  /// Where the order of the windows starts.
  public var seed: UInt64

  /// Training with the defaults of the command line.
  public init(
    epochs: Int = 5, batch: Int = 2, learningRate: Double = 5e-4, seed: UInt64 = 0
  ) {
    self.epochs = epochs
    self.batch = batch
    self.learningRate = learningRate
    self.seed = seed
  }

  /// The steps over so many windows.
  func steps(_ windows: Int) -> Int { epochs * ((windows + batch - 1) / batch) }

  /// What reports and manifests call it.
  static let name = "block reconstruction"

  /// As a manifest has it: the steps of each block.
  func manifest(windows: Int) -> Manifest.Training {
    Manifest.Training(objective: Self.name, steps: steps(windows))
  }
}

/// How far a block's outputs were from the dense model's, as the mean of ‖y − t‖² / ‖t‖² over the tokens.
public struct BlockError: Sendable, Equatable {
  /// The block's number.
  public let block: Int
  /// Before its kept weights were trained.
  public let before: Double
  /// Afterwards; the same where training has made nothing better, and the weights are as they were.
  public let after: Double

  /// The errors as reports show them.
  public var json: JSON {
    ["block": .integer(block), "before": .number(before), "after": .number(after)]
  }

  init(block: Int, before: Double, after: Double) {
    self.block = block
    self.before = before
    self.after = after
  }

  init?(_ json: JSON) {
    guard let block = json["block"]?.int, let before = json["before"]?.double,
      let after = json["after"]?.double
    else { return nil }
    self.init(block: block, before: before, after: after)
  }
}

/// Trains block by block: the inputs are what the sparse model gives, the outputs what the dense model gives.
///
/// One block's weights and activations are in memory at a time; two residual streams of the whole text wait in memory
/// or in scratch files.
struct BlockReconstruction {
  private let options: ReconstructionOptions
  private let teacher: LanguageModel
  let windows: TokenWindows
  private let compute: Compute
  private var dense: WindowStates
  private var sparse: WindowStates

  /// Tokens that pass a block together where nothing is trained.
  private let chunkTokens = 2048

  /// - Parameters:
  ///   - teacher: the dense model.
  ///   - path: where the output will be, beside which scratch files are; nil to keep the residual streams in memory.
  init(
    _ options: ReconstructionOptions, teacher: LanguageModel, on windows: TokenWindows,
    beside path: String?, compute: Compute
  ) throws {
    self.options = options
    self.teacher = teacher
    self.windows = windows
    self.compute = compute
    let width = teacher.configuration.width
    dense = try WindowStates(windows, width: width, beside: path)
    sparse = try WindowStates(windows, width: width, beside: path)
    for group in windows.groups(ofTokens: chunkTokens) {
      try dense.put(teacher.embed(windows[group], source: "the text"), group)
    }
  }

  /// Takes the dense model's stream through a block: afterwards it is what the block should give.
  mutating func advanceTeacher(through block: Int, progress: () throws -> Void = {}) throws {
    let pass = BlockPass(teacher.blocks[block], nil, goesBack: false, on: compute)
    for group in windows.groups(ofTokens: chunkTokens) {
      try dense.put(pass.run(dense[group], length: windows.length), group)
      try progress()
    }
  }

  /// Says what the sparse model gives the block for some windows.
  mutating func begin(_ hidden: Matrix, _ group: Range<Int>) throws {
    try sparse.put(hidden, group)
  }

  /// Trains a block's kept weights; what is not better than before stays as it was.
  ///
  /// - Parameters:
  ///   - parameters: the weights that are trained.
  ///   - others: tensors of the block that are not as in the checkpoint.
  /// - Throws: ``TrainingError/nonFiniteStates(block:)``, and the errors of scratch files.
  mutating func train(
    _ block: any DecoderBlock, index: Int, _ parameters: inout TrainingParameters,
    others: [String: StoredMatrix], progress: () throws -> Void
  ) throws -> BlockError {
    let start = parameters.values
    let before = try error(block, parameters, others, progress: progress)
    guard before.isFinite else { throw TrainingError.nonFiniteStates(block: index) }
    let schedule = LearningRateSchedule(
      peak: options.learningRate, shape: .linear, totalSteps: options.steps(windows.count))
    var optimizer = MaskedOptimizer(AdamW(weightDecay: 0), for: parameters.forOptimizer)
    for epoch in 0..<options.epochs {
      var random = SplitMix64(seed: options.seed, stream: UInt64(epoch))
      let order = Array(0..<windows.count).shuffled(using: &random)
      for first in stride(from: 0, to: order.count, by: options.batch) {
        let batch = order[first..<min(first + options.batch, order.count)]
        let pass = BlockPass(block, parameters, others: others, goesBack: true, on: compute)
        let (inputs, targets) = (try sparse[batch], try dense[batch])
        parameters.clearGradients(on: compute)
        pass.fit(inputs, length: windows.length, to: &parameters) { output in
          var gradient = output
          _ = reconstructionGradient(outputs: &gradient, targets: targets, on: compute)
          return gradient
        }
        do throws(OptimizerError) {
          try optimizer.step(
            &parameters.values, gradients: &parameters.gradients,
            learningRate: schedule.rate(at: optimizer.steps), on: compute)
        } catch {
          parameters.values = start
          return BlockError(block: index, before: before, after: before)
        }
        try progress()
      }
    }
    let after = try error(block, parameters, others, progress: progress)
    if after < before { return BlockError(block: index, before: before, after: after) }
    parameters.values = start
    return BlockError(block: index, before: before, after: before)
  }

  /// What the block gives for some windows with its final weights.
  func output(of pass: BlockPass, _ group: Range<Int>) throws -> Matrix {
    pass.run(try sparse[group], length: windows.length)
  }

  /// Takes the sparse model's stream through a block with its final weights.
  mutating func advance(through pass: BlockPass, progress: () throws -> Void = {}) throws {
    for group in windows.groups(ofTokens: chunkTokens) {
      try sparse.put(output(of: pass, group), group)
      try progress()
    }
  }

  /// How many reports of progress the training of a block makes, and how many each stream's way through one.
  var reports: (train: Int, advance: Int) {
    let groups = windows.groups(ofTokens: chunkTokens).count
    return (options.steps(windows.count) + 2 * groups, groups)
  }

  private func error(
    _ block: any DecoderBlock, _ parameters: TrainingParameters, _ others: [String: StoredMatrix],
    progress: () throws -> Void
  ) throws -> Double {
    let pass = BlockPass(block, parameters, others: others, goesBack: false, on: compute)
    var sum = 0.0
    for group in windows.groups(ofTokens: chunkTokens) {
      var outputs = pass.run(try sparse[group], length: windows.length)
      sum += reconstructionGradient(outputs: &outputs, targets: try dense[group], on: compute)
      try progress()
    }
    return sum / Double(windows.ids.count)
  }
}
