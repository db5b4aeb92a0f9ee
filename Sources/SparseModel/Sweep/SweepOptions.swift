public import SparseCore

/// The numbers in which a sweep keeps weights.
public enum SweepQuantization: String, Sendable, CaseIterable {
  /// Those of the input.
  case none
  /// INT8, with a scale for each output channel.
  case int8
}

/// One row of a sweep: what is done to the model.
public struct SweepVariant: Sendable, Equatable {
  /// The method by which it is pruned; nil for the dense model.
  public let method: PruningMethod?
  /// The numbers in which the weights are kept.
  public let quantization: SweepQuantization

  /// A method, or none, with weights in some numbers.
  public init(method: PruningMethod?, quantization: SweepQuantization) {
    self.method = method
    self.quantization = quantization
  }

  /// What reports call it, and the folder that it is kept in: `dense`, `dense-int8`, `admm`, `admm-int8`.
  public var name: String {
    (method?.rawValue ?? "dense") + (quantization == .int8 ? "-int8" : "")
  }

  /// Whether it is the input as it is.
  public var isInput: Bool { method == nil && quantization == .none }
}

/// What a sweep is asked to do.
public struct SweepOptions: Sendable {
  /// The methods, in the order of the table.
  public var methods: [PruningMethod]
  /// The numbers in which weights are kept, in the order of the table.
  public var quantizations: [SweepQuantization]
  /// How long ``PruningMethod/admm`` searches.
  public var effort: Effort
  /// The calibration that all methods share; nil for the model's own text where any method needs one, and none
  /// where none does.
  public var calibration: CalibrationOptions?
  /// The numbers in which activations reach INT8 weights in the evaluation.
  public var activations: ActivationType
  /// The bytes of memory that each pruning keeps to; nil for half of the machine's.
  public var memory: Int?
  /// The folder for the models that are made; nil for `MODEL-sweep` beside the input.
  public var output: String?
  /// Whether the models stay there; otherwise each is removed when it has been measured.
  public var keepsModels: Bool

  /// A sweep over all there is.
  public init(
    methods: [PruningMethod] = PruningMethod.allCases,
    quantizations: [SweepQuantization] = SweepQuantization.allCases, effort: Effort = .standard,
    calibration: CalibrationOptions? = nil, activations: ActivationType = .float32,
    memory: Int? = nil, output: String? = nil, keepsModels: Bool = false
  ) {
    self.methods = methods
    self.quantizations = quantizations
    self.effort = effort
    self.calibration = calibration
    self.activations = activations
    self.memory = memory
    self.output = output
    self.keepsModels = keepsModels
  }

  /// The rows: the input, in INT8 where that is asked for, then each method in each of the numbers.
  public var variants: [SweepVariant] {
    let dense = SweepVariant(method: nil, quantization: .none)
    let quantized = quantizations.filter { $0 != .none }
      .map { SweepVariant(method: nil, quantization: $0) }
    return [dense] + quantized
      + methods.flatMap { method in
        quantizations.map { SweepVariant(method: method, quantization: $0) }
      }
  }

  /// The calibration that is used; nil for none.
  var usedCalibration: CalibrationOptions? {
    calibration ?? (methods.contains { $0.pruner.needs != .none } ? CalibrationOptions() : nil)
  }
}
