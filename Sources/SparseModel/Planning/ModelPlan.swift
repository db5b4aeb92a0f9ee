public import SparseCore

/// What 2:4 would bring for a whole model on one kind of GPU, predicted from the sizes of its tensors and what was
/// measured there.
///
/// ```swift
/// let plan = try Checkpoint(path: "SmolLM2-135M").plan(
///   PlanRequest(gpu: gpu, form: .sparseInt8, batches: [1, 16]))
/// print(plan.passes.map(\.speedup), plan.verdict)
/// ```
public struct ModelPlan: Sendable {
  /// One linear at one number of rows.
  public struct Layer: Sendable {
    /// The weight's name.
    public let name: String
    /// The rows that are multiplied at once: tokens.
    public let rows: Int
    /// The weight's outputs.
    public let outputs: Int
    /// The weight's inputs.
    public let inputs: Int
    /// The time in dense float16.
    public let dense: Roofline.Time
    /// The time in dense INT8.
    public let denseInt8: Roofline.Time
    /// The time in the form asked for.
    public let sparse: Roofline.Time
    /// Why 2:4 does not pay against the faster dense form; nil where it does.
    public let obstacle: SparseObstacle?

    /// How many times as fast as dense float16.
    public var speedup: Double { dense.seconds / sparse.seconds }
    /// The faster of the dense forms.
    public var bestDense: LinearForm {
      denseInt8.seconds < dense.seconds ? .denseInt8 : .denseHalf
    }
    /// Whether both times were measured; the roofline model gives those that were not.
    public var isMeasured: Bool { dense.isMeasured && sparse.isMeasured }
  }

  /// A step of the whole model.
  public struct Pass: Sendable {
    /// What the rows are.
    public enum Phase: String, Sendable {
      /// The next token of each sequence.
      case decode
      /// Tokens of the prompts.
      case prefill
    }

    /// What the rows are.
    public let phase: Phase
    /// The sequences.
    public let batch: Int
    /// The tokens that are multiplied at once.
    public let rows: Int
    /// The seconds of all linears, by form.
    public let linears: [LinearForm: Double]
    /// The seconds of the attention over the context and of the output projection, the same in every form.
    public let rest: Double

    /// The seconds of the pass in a form.
    public func seconds(_ form: LinearForm) -> Double { (linears[form] ?? 0) + rest }
    /// How many times as fast as dense float16.
    public func speedup(_ form: LinearForm) -> Double { seconds(.denseHalf) / seconds(form) }
    /// The faster of the dense forms: what 2:4 has to beat.
    public var bestDense: LinearForm {
      seconds(.denseInt8) < seconds(.denseHalf) ? .denseInt8 : .denseHalf
    }
    /// How many times as fast as the faster of the dense forms.
    public func gain(_ form: LinearForm) -> Double { seconds(bestDense) / seconds(form) }
  }

  /// What it was made for.
  public let request: PlanRequest
  /// Whether shapes and names are those of weights; otherwise they follow from config.json.
  public let hasWeights: Bool
  /// The folder of the model where a config.json was named; nil where the path is the model's.
  let folder: String?
  /// How much of the linears' times was measured; nil where the request came without measurements.
  public let measurement: PlanMeasurement?
  /// Every linear at every number of rows, rows ascending, linears in the checkpoint's order.
  public let layers: [Layer]
  /// Decoding, then prefill, at every batch.
  public let passes: [Pass]
  /// The memory at every batch, by form.
  public let memory: PlanMemory
  /// What to know before pruning, most weighty first.
  public let advice: [PlanAdvice]
  /// What to do.
  public let verdict: PlanVerdict
}

/// What a plan is asked for.
public struct PlanRequest: Sendable {
  /// The GPU.
  public var gpu: GPU
  /// The form that the linears would have; a sparse one.
  public var form: LinearForm
  /// The numbers of sequences that are run at once.
  public var batches: [Int]
  /// The tokens of each sequence; nil for the model's context, 2048 at most.
  public var context: Int?
  /// What pruning each linear was measured to cost; nil where that is not known.
  public var sensitivity: SensitivityRanking?
  /// What products were measured to take on the GPU; nil where nothing was.
  public var measured: MeasuredTimes?

  /// The most prompt tokens that are run at once: servers cut longer prompts into chunks.
  public static let prefillRows = 8192

  /// A request for at least one batch.
  public init(
    gpu: GPU, form: LinearForm, batches: [Int], context: Int? = nil,
    sensitivity: SensitivityRanking? = nil, measured: MeasuredTimes? = nil
  ) {
    precondition(form.isSparse, "PlanRequest: \(form.rawValue) is not sparse")
    precondition(
      !batches.isEmpty && batches.allSatisfy { $0 > 0 }, "PlanRequest: batches \(batches)")
    self.gpu = gpu
    self.form = form
    self.batches = batches
    self.context = context
    self.sensitivity = sensitivity
    self.measured = measured
  }
}

/// The memory of a model at the batches and the context of a plan.
public struct PlanMemory: Sendable {
  /// The bytes of the weights by form.
  public let weights: [LinearForm: Int]
  /// The weights of the linears that change their form.
  public let linearWeights: Int
  /// The bytes of what does not: embeddings, output projection, norms, biases.
  public let otherBytes: Int
  /// The keys' and values' shape.
  public let cache: MemoryBudget.Cache
  /// The tokens of each sequence.
  public let context: Int
  /// The most that activations take, for each batch.
  public let activations: [(batch: Int, bytes: Int)]

  /// The budget of a form at a batch that was asked for.
  public func budget(_ form: LinearForm, batch: Int) -> MemoryBudget {
    MemoryBudget(
      weights: weights[form] ?? 0, cache: batch * context * cache.bytesPerToken,
      activations: activations.first { $0.batch == batch }?.bytes ?? 0)
  }
}
