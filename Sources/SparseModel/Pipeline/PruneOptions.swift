public import SparseCore

/// What a run of pruning is asked to do.
public struct PruneOptions: Sendable {
  /// How weights are chosen.
  public var method: PruningMethod
  /// How long ``PruningMethod/admm`` and the repair of ``dense`` search.
  public var effort: Effort
  /// Whether channels are put into a better order where the architecture allows it; nil for wherever the method looks at the inputs.
  public var permutes: Bool?
  /// INT8 weights; nil for weights that keep their type.
  public var quantization: QuantizationOptions?
  /// The α of SmoothQuant, from 0 to 1; nil for no smoothing.
  public var smoothing: Float?
  /// The dense original of a checkpoint that is 2:4 already: its masks are kept, and its weights are solved anew; nil to prune.
  public var dense: String?
  /// How the kept weights of each block are trained once it is pruned, before the next one is; nil for not at all.
  public var reconstruction: ReconstructionOptions?
  /// The calibration; nil for the model's own text where the method needs any, and none where it does not.
  public var calibration: CalibrationOptions?
  /// Which weights are pruned.
  public var selection: WeightSelection
  /// The names of weights among those that stay dense; with ``quantization`` they become INT8 like the others.
  public var keptDense: [String]
  /// The bytes of memory that the run keeps to; nil for half of the machine's, or what it cannot do without.
  public var memory: Int?
  /// Where the output goes; nil for `NAME-2of4` beside the input.
  public var output: String?
  /// Whether an existing output is replaced.
  public var force: Bool
  /// The bytes of tensors that a file of an output folder has at most; nil for the files of the input.
  public var shardSize: Int?
  /// Whether a run that was cut short is gone on with, where one has left its work.
  public var resumes: Bool
  /// Whether a layer for which the method cannot work ends the run; otherwise another method stands in, and the report says so.
  public var isStrict: Bool
  /// What the manifest tells of in place of the input; nil for the input.
  var origin: Manifest.Origin?

  /// Pruning with the defaults of the command line.
  public init(
    method: PruningMethod = .admm, effort: Effort = .standard, permutes: Bool? = nil,
    quantization: QuantizationOptions? = nil, smoothing: Float? = nil, dense: String? = nil,
    reconstruction: ReconstructionOptions? = nil,
    calibration: CalibrationOptions? = nil, selection: WeightSelection = WeightSelection(),
    keptDense: [String] = [], output: String? = nil, force: Bool = false, shardSize: Int? = nil,
    resumes: Bool = false, isStrict: Bool = false, memory: Int? = nil
  ) {
    self.method = method
    self.effort = effort
    self.permutes = permutes
    self.quantization = quantization
    self.smoothing = smoothing
    self.dense = dense
    self.reconstruction = reconstruction
    self.calibration = calibration
    self.selection = selection
    self.keptDense = keptDense
    self.output = output
    self.force = force
    self.shardSize = shardSize
    self.resumes = resumes
    self.isStrict = isStrict
    self.memory = memory
  }

  /// The method as a report and a manifest name it.
  package var methodName: String { dense == nil ? method.rawValue : "refit" }

  /// Whether the model has to be run.
  package var runsModel: Bool { calibration != nil || needs != .none || reconstruction != nil }

  /// What has to be known of the inputs of the layers that are pruned.
  package var needs: StatisticsKind {
    dense != nil
      ? .gram : smoothing != nil && method.pruner.needs == .none ? .norms : method.pruner.needs
  }
}
