/// What a run of training with fixed masks is asked to do.
public struct FinetuneOptions: Sendable {
  /// The dense model, which ``TrainingObjective/distill`` and ``TrainingObjective/both`` learn from.
  public var dense: String?
  /// How is trained, from the predictions; nothing of it counts for blocks.
  public var training: TrainingOptions
  /// How is trained block by block; nil to train from the predictions.
  public var reconstruction: ReconstructionOptions?
  /// The text: all windows of a file, or as many as the model is to write.
  public var data: CalibrationOptions
  /// How many of the text's windows are set aside to measure on, where there is no other text for it; nil for
  /// one in 64, but at least one.
  public var heldOutWindows: Int?
  /// Windows to measure on; nil for the ones set aside.
  public var heldOut: TokenWindows?
  /// The names of tensors that stay as they are.
  public var frozen: [String]
  /// The bytes of memory that the run keeps to; nil for half of the machine's, or what it cannot do without.
  public var memory: Int?
  /// Where the output goes; nil for `NAME-trained` beside the input.
  public var output: String?
  /// Whether an existing output is replaced.
  public var force: Bool
  /// The bytes of tensors that a file of an output folder has at most; nil for the files of the input.
  public var shardSize: Int?
  /// Whether a run that was cut short is gone on with, where one has left its work.
  public var resumes: Bool
  /// What the manifest tells of in place of the input; nil for the input.
  var origin: Manifest.Origin?
  /// How long a run that is killed may have trained for nothing, where no measurement comes first.
  var keepingInterval = Duration.seconds(600)

  /// What reports and manifests call what is brought down.
  var objectiveName: String {
    reconstruction == nil ? training.objective.rawValue : ReconstructionOptions.name
  }

  /// Whether the dense model is needed.
  var needsTeacher: Bool { reconstruction != nil || training.objective.needsTeacher }

  /// Training with the defaults of the command line.
  public init(
    dense: String? = nil, training: TrainingOptions = TrainingOptions(),
    reconstruction: ReconstructionOptions? = nil,
    data: CalibrationOptions = CalibrationOptions(), heldOutWindows: Int? = nil,
    heldOut: TokenWindows? = nil, frozen: [String] = [], memory: Int? = nil,
    output: String? = nil, force: Bool = false, shardSize: Int? = nil, resumes: Bool = false
  ) {
    self.dense = dense
    self.training = training
    self.reconstruction = reconstruction
    self.data = data
    self.heldOutWindows = heldOutWindows
    self.heldOut = heldOut
    self.frozen = frozen
    self.memory = memory
    self.output = output
    self.force = force
    self.shardSize = shardSize
    self.resumes = resumes
  }
}
