/// What a measurement of sensitivity is asked to do.
public struct SensitivityOptions: Sendable {
  /// What is done to each part: method, quantization, calibration, and the weights that are looked at.
  ///
  /// ``PruneOptions/keptDense``, memory and everything about an output are not looked at.
  public var pruning: PruneOptions
  /// Whether parts are pruned; if not they become INT8 and nothing else, which needs ``PruneOptions/quantization``.
  public var prunes: Bool
  /// What is changed together.
  public var unit: SensitivityUnit
  /// Whether parts are followed to the end of their block only: in about the time of one run of pruning.
  public var isFast: Bool
  /// The text that outputs are compared on; its seed is not looked at.
  public var heldOut: CalibrationOptions
  /// Where the result goes as JSON; nil for nowhere, and a measurement that cannot be resumed.
  public var output: String?
  /// Whether an existing output is replaced.
  public var force: Bool
  /// Whether a measurement that was cut short is gone on with, where one has left its work.
  public var resumes: Bool

  /// The windows of the held-out text where no number is given.
  public static let defaultWindows = 8
  /// The same where only errors are measured: they differ little from text to text.
  public static let defaultFastWindows = 2
  /// The tokens in each, where no number is given.
  public static let defaultLength = 512

  /// A measurement of every linear layer by itself, by what pruning it does to the model's own text.
  public init(
    pruning: PruneOptions = PruneOptions(), prunes: Bool = true,
    unit: SensitivityUnit = .linear, isFast: Bool = false,
    heldOut: CalibrationOptions = CalibrationOptions(), output: String? = nil,
    force: Bool = false, resumes: Bool = false
  ) {
    precondition(
      prunes || pruning.quantization != nil, "SensitivityOptions: neither pruning nor INT8")
    self.pruning = pruning
    self.prunes = prunes
    self.unit = unit
    self.isFast = isFast
    self.heldOut = heldOut
    self.output = output
    self.force = force
    self.resumes = resumes
  }
}
