internal import SparseCore

/// What a run would take of memory and time, step by step, before anything is computed.
///
/// Bytes are upper bounds. Seconds are estimates from a probe of the machine (``MachineSpeed``).
public struct RunPlan: Sendable, Equatable {
  /// One step of a run.
  public struct Step: Sendable, Equatable {
    /// What reports call it.
    public let name: String
    /// The most memory that is resident while it goes on, in bytes.
    public let bytes: Int
    /// The seconds that it takes.
    public let seconds: Double

    package init(name: String, bytes: Int, seconds: Double) {
      self.name = name
      self.bytes = bytes
      self.seconds = seconds
    }
  }

  /// The steps in their order.
  public let steps: [Step]
  /// The bytes of memory that the run may take.
  public let budget: Int
  /// The bytes that it takes of the disk besides its output.
  public let scratchBytes: Int

  /// The most memory of all steps, in bytes.
  public var peakBytes: Int { steps.map(\.bytes).max() ?? 0 }
  /// The seconds of all steps.
  public var seconds: Double { steps.reduce(0) { $0 + $1.seconds } }

  package init(steps: [Step], budget: Int, scratchBytes: Int) {
    self.steps = steps
    self.budget = budget
    self.scratchBytes = scratchBytes
  }
}

extension MemoryPlan {
  /// The steps of a run of pruning with the seconds that each takes.
  package func steps(taking seconds: [Double]) -> [RunPlan.Step] {
    zip(steps, seconds).map { RunPlan.Step(name: $0.name, bytes: $0.bytes, seconds: $1) }
  }

  /// What the step is called in which the model writes its own calibration text.
  package static var nameOfWriting: String { writingName }
}

extension TextWork {
  /// The step in which `model` writes text.
  func step(
    named name: String, by model: LanguageModel, samples: Int, length: Int, _ memory: TextMemory,
    _ speed: MachineSpeed
  ) -> RunPlan.Step {
    let work = WorkEstimate(
      writing: samples, length: length, together: together(memory), model.checkpoint)
    return RunPlan.Step(name: name, bytes: bytes(memory), seconds: work.seconds(speed))
  }
}

extension WorkEstimate {
  /// A model writes so many sequences, some of them together: each token passes through all weights.
  init(writing samples: Int, length: Int, together: Int, _ checkpoint: Checkpoint) {
    let passes = Double(length) * Double((samples + together - 1) / max(1, together))
    self.init(
      products: 2 * Double(samples) * Double(length) * Double(checkpoint.byteCount / 2),
      reads: passes * Double(checkpoint.byteCount))
  }
}

/// What passes through a model take, by estimate.
struct PassEstimate {
  private let model: LanguageModel
  /// The weights of all linear layers of the blocks.
  let linearWeights: Double
  /// The weights of the output projection.
  let headWeights: Double

  init(_ model: LanguageModel) {
    self.model = model
    linearWeights = Self.layers(of: model).joined().reduce(0.0) {
      $0 + Double($1.stored.rows) * Double($1.stored.columns)
    }
    headWeights =
      Double(model.configuration.vocabulary) * Double(model.configuration.width)
  }

  private static func layers(of model: LanguageModel) -> [[LinearLayer]] {
    model.blocks.map { block in type(of: block).stages.flatMap(\.linears).map(block.linear) }
  }

  /// Operations of products of a token with all weights, the output projection among them.
  var operations: Double { 2 * (linearWeights + headWeights) }

  /// The most memory of a pass of windows of `length` tokens through the model, a block at a time, with their logits.
  func bytes(windows: Int, length: Int, threads: Int) -> Int {
    let configuration = model.configuration
    let blocks = Self.layers(of: model).map { layers -> Int in
      // As stored, and in float32.
      layers.reduce(0) { sum, layer in
        let values = layer.stored.rows * layer.stored.columns
        return sum + values * (4 + layer.stored.type.byteCount)
      }
    }
    let block = blocks.max() ?? 0
    let chunk = min(windows * length, max(1, 2 * BatchSize().chunkTokens / length) * length)
    let slice = model.vocabularySlices.first?.count ?? 0
    let values = 4 * configuration.width + 3 * configuration.mlpWidth + 2 * slice
    let hidden = 4 * windows * length * configuration.width
    let tables = model.embedding.bytes.count + 16 * windows * length
    return MemoryWork.programBytes(threads: threads) + tables + block + hidden
      + 4 * chunk * values
  }
}
