internal import SparseCore
internal import SparseModel

/// What is said before the work on a model that is 2:4 already: pruning it again brings nothing.
enum SparseNote {
  /// What the command does to the model.
  enum Work {
    case prune(isQuantized: Bool)
    case compare
  }

  /// Writes the note where all of some weights are 2:4; nothing silences it.
  static func show(
    _ work: Work, on checkpoint: Checkpoint, _ weights: [String], in context: Context
  ) throws {
    guard try checkpoint.areSparse(weights, on: context.compute) else { return }
    let model = ShellLine.text([checkpoint.path])
    let reason =
      switch work {
      case .prune(let isQuantized):
        "pruning finds the masks that are there" + (isQuantized ? " and only rounds" : "")
      case .compare: "every method finds the masks that are there"
      }
    let others = [
      "'\(Tool.name) prune \(model) --refit --dense ORIGINAL' solves its weights anew",
      "'\(Tool.name) finetune \(model) --dense ORIGINAL' trains them",
      "'\(Tool.name) quantize \(model)' makes them INT8",
    ]
    context.progressLine.note(
      "Note: all \(weights.count.counting("weight")) of \(checkpoint.path.printable) are 2:4 already: \(reason). "
        + others.joined(separator: ", "))
  }
}
