extension PruningMethod: CaseIterable, RawRepresentable {
  /// The methods of the package, in the order in which the command line lists them.
  ///
  /// Adding one is a file with a type that conforms to ``Pruner``, and a name here.
  public static let allCases: [PruningMethod] = [.magnitude, .wanda, .sparseGPT, .admm]

  /// The method of the package with a name; nil where there is none.
  public init?(rawValue: String) {
    guard let method = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = method
  }
}
