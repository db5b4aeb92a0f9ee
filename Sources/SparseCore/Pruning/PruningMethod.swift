/// The pruning methods by the names that the command line and the reports use.
///
/// Adding one is a file with a type that conforms to ``Pruner`` and a case with its line here.
public enum PruningMethod: String, Sendable, CaseIterable {
  /// Keep the largest weights: NVIDIA's ASP without its training.
  case magnitude
  /// Keep the largest products of weight and input norm.
  case wanda
  /// Keep what costs the output least, column by column, and let the later weights make up for it.
  case sparseGPT = "sparsegpt"

  /// Find the weights with the least output error by ADMM and coordinate descent.
  case admm

  /// The pruner that does it, with its default settings.
  public var pruner: any Pruner { pruner(effort: .standard) }

  /// The pruner that does it with an effort, which only ``admm`` knows.
  public func pruner(effort: Effort) -> any Pruner {
    switch self {
    case .magnitude: Magnitude()
    case .wanda: Wanda()
    case .sparseGPT: SparseGPT()
    case .admm: ADMM(effort: effort)
    }
  }
}
