extension Int {
  /// The number with its noun: `1 window`, `3 windows`.
  package func counting(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
