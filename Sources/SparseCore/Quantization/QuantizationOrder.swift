/// In which order weights are made 2:4 and put on an INT8 grid.
public enum QuantizationOrder: String, Sendable, CaseIterable {
  /// Together: the method looks for the best weights that are both.
  ///
  /// ``SparseGPT`` rounds inside its column loop; ``ADMM`` ends with a sweep along the grid. A method that
  /// only chooses a mask has nothing to join, and this is ``pruneFirst``.
  case joint
  /// Pruned, and what has survived is rounded, on a grid of its own.
  case pruneFirst = "prune-first"
  /// Rounded, and the rounded weights are pruned; what a method changes is rounded to the same grid again.
  case quantizeFirst = "quantize-first"
}
