/// How long a method searches.
public enum Effort: String, Sendable, CaseIterable {
  /// The least that is worth it.
  case fast
  /// A good result for the time.
  case standard
  /// The best result, for two to three times the time.
  case best
}
