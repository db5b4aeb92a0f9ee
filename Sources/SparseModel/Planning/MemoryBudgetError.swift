internal import SparseCore

/// Why a run cannot keep to the memory that it is given.
public enum MemoryBudgetError: Error, Equatable, Sendable {
  /// The step that takes most takes more than the budget, however it is done; `least` bytes would do.
  case tooSmall(budget: Int, least: Int, step: String)
}

extension MemoryBudgetError: CustomStringConvertible {
  /// One line with the budget and the least that would do, in a form that can be asked for.
  public var description: String {
    switch self {
    case .tooSmall(let budget, let least, let step):
      "\(size(budget, roundingUp: false)) of memory are too little: the least that would do is \(size(least, roundingUp: true)), for '\(step)'"
    }
  }

  /// Whole MiB, as `--memory` takes them.
  private func size(_ bytes: Int, roundingUp: Bool) -> String {
    bytes < 1 << 20 && !roundingUp
      ? bytes.counting("byte") : "\((bytes + (roundingUp ? (1 << 20) - 1 : 0)) >> 20)M"
  }
}
