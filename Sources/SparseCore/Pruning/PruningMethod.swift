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

  /// The pruner that does it.
  public var pruner: any Pruner {
    switch self {
    case .magnitude: Magnitude()
    case .wanda: Wanda()
    case .sparseGPT: SparseGPT()
    }
  }
}
