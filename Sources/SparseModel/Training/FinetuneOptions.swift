/// What a run of training with fixed masks is asked to do.
public struct FinetuneOptions: Sendable {
  /// The dense model, which ``TrainingObjective/distill`` and ``TrainingObjective/both`` learn from.
  public var dense: String?
  /// How is trained.
  public var training: TrainingOptions
  /// The text: all windows of a file, or as many as the model is to write.
  public var data: CalibrationOptions
  /// How many of the text's windows are set aside to measure on, where there is no other text for it; nil for
  /// one in 64, but at least one.
  public var heldOutWindows: Int?
  /// Windows to measure on; nil for the ones set aside.
  public var heldOut: TokenWindows?
  /// The names of tensors that stay as they are.
  public var frozen: [String]
  /// Where the output goes; nil for `NAME-trained` beside the input.
  public var output: String?
  /// Whether an existing output is replaced.
  public var force: Bool
  /// The bytes of tensors that a file of an output folder has at most; nil for the files of the input.
  public var shardSize: Int?
  /// Whether a run that was cut short is gone on with, where one has left its work.
  public var resumes: Bool

  /// Windows that the model writes where it is asked to and no number is given.
  public static let defaultWrittenWindows = 512
  /// The tokens in a window of a text where no number is given, or the model's context if that is less.
  public static let defaultLength = 512

  /// Training with the defaults of the command line.
  public init(
    dense: String? = nil, training: TrainingOptions = TrainingOptions(),
    data: CalibrationOptions = CalibrationOptions(), heldOutWindows: Int? = nil,
    heldOut: TokenWindows? = nil, frozen: [String] = [], output: String? = nil,
    force: Bool = false, shardSize: Int? = nil, resumes: Bool = false
  ) {
    self.dense = dense
    self.training = training
    self.data = data
    self.heldOutWindows = heldOutWindows
    self.heldOut = heldOut
    self.frozen = frozen
    self.output = output
    self.force = force
    self.shardSize = shardSize
    self.resumes = resumes
  }
}
