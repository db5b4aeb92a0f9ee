internal import SparseCore

/// Why a model cannot be trained.
public enum TrainingError: Error, Equatable {
  /// No weight of the model is 2:4.
  case nothingSparse(path: String)
  /// Weights are INT8 or compressed, which cannot be trained.
  case notFloatingPoint(tensor: String, path: String)
  /// The objective takes a dense model, and none was given.
  case noTeacher(objective: String)
  /// Blocks were to be trained, and their weights to be INT8.
  case reconstructsInt8
  /// A model in a single file was to be pruned and trained at once.
  case needsFolder(path: String)
  /// Layers were to stay dense and all to become INT8 after training.
  case keepsDenseInt8
  /// The dense model is the sparse one.
  case ownTeacher(path: String)
  /// Every tensor was to stay as it is.
  case nothingTrained(path: String)
  /// The dense model has another shape.
  case otherShape(what: String, path: String, value: Int, dense: String, denseValue: Int)
  /// There are fewer windows than one step takes besides those that are set aside to measure on.
  case tooFewWindows(source: String, found: Int, step: Int, heldOut: Int)
  /// Windows have no token to predict.
  case windowTooShort(length: Int)
  /// The loss grew without bounds before any measurement was better than the first.
  case diverged(step: Int, loss: Double)
  /// A gradient was no finite number before any measurement was better than the first.
  case nonFiniteGradient(step: Int, tensor: String, count: Int)
  /// What a block gives, or what it should give, is NaN or infinite before it is trained.
  case nonFiniteStates(block: Int)
  /// No block gave outputs that were nearer to the dense ones after its training.
  case noBlockBetter
  /// What an earlier run has left of its training cannot be gone on with.
  case badState(path: String, reason: String)
}

extension TrainingError: CustomStringConvertible {
  /// One line that names the model and the numbers.
  public var description: String {
    switch self {
    case .nothingSparse(let path):
      "\(path): no weight inside a decoder block is 2:4, so there is no mask to hold: 'sparsify prune' makes one"
    case .notFloatingPoint(let tensor, let path):
      "\(path): tensor '\(tensor)' is INT8 or compressed, and only floating-point weights can be trained; "
        + "train first, then quantize or compress"
    case .noTeacher(let objective):
      "the objective '\(objective)' needs the dense model to learn from"
    case .reconstructsInt8:
      "INT8 weights cannot be trained in the run that rounds them: TrainedPruning does one after the other"
    case .needsFolder(let path):
      "\(path): pruning and training at once takes a folder with config.json; prune the file first, then 'sparsify finetune' trains it"
    case .keepsDenseInt8:
      "layers that stay dense cannot become INT8 after training: train first, then 'sparsify prune --refit --quantize int8'"
    case .ownTeacher(let path): "\(path): is its own teacher, and has nothing to learn from itself"
    case .nothingTrained(let path): "\(path): every tensor is frozen, and none would be trained"
    case .otherShape(let what, let path, let value, let dense, let denseValue):
      "\(path) has \(what) \(value) and the dense model \(dense) \(denseValue)"
    case .tooFewWindows(let source, let found, let step, let heldOut):
      "\(source): \(found.counting("window")), and one step takes \(step)"
        + (heldOut > 0 ? " besides \(heldOut) set aside to measure on" : "")
    case .windowTooShort(let length):
      "windows of \(length.counting("token")) have nothing to predict: at least 2 are needed"
    case .diverged(let step, let loss):
      "the loss diverged to \(loss) at step \(step), \(Self.nothingBetter)"
    case .nonFiniteGradient(let step, let tensor, let count):
      "the gradient of '\(tensor)' holds \(count) NaN or infinite values at step \(step), \(Self.nothingBetter)"
    case .nonFiniteStates(let block):
      "what block \(block) gives, or should give, is NaN or infinite"
    case .noBlockBetter:
      "no block's outputs came nearer to the dense model's: nothing is written; a lower learning rate may help"
    case .badState(let path, let reason):
      "\(path): the training cannot go on from it: \(reason); once the folder \(Path.folder(of: path)) is removed "
        + "it begins anew"
    }
  }
  private static let nothingBetter =
    "and nothing better was measured before: nothing is written; a lower learning rate may help"
}
