/// A pruning method: the name that the command line and reports use, and what makes its pruner.
///
/// A method of your own is a type that conforms to ``Pruner`` and a value of this one:
///
/// ```swift
/// let first = PruningMethod("first") { _ in KeepsTheFirstTwo() }
/// let report = try PruneRun("model", PruneOptions(method: first)).run()
/// ```
///
/// Methods are equal when their names are.
public struct PruningMethod: Sendable {
  /// The name.
  public let rawValue: String
  /// Whether an effort changes what the method does.
  public let searches: Bool
  private let makePruner: @Sendable (Effort) -> any Pruner

  /// A method by its name.
  ///
  /// - Parameters:
  ///   - searches: whether `pruner` looks at the effort that it is given.
  ///   - pruner: makes the pruner.
  public init(
    _ name: String, searches: Bool = false, pruner: @escaping @Sendable (Effort) -> any Pruner
  ) {
    rawValue = name
    self.searches = searches
    makePruner = pruner
  }

  /// The pruner with its default settings.
  public var pruner: any Pruner { pruner(effort: .standard) }

  /// The pruner with an effort, which matters only to a method that ``searches``.
  public func pruner(effort: Effort) -> any Pruner { makePruner(effort) }
}

extension PruningMethod: Hashable {
  /// Whether two methods have the same name.
  public static func == (one: PruningMethod, other: PruningMethod) -> Bool {
    one.rawValue == other.rawValue
  }

  /// Adds the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}
