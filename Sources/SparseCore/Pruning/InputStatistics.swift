/// What calibration has to collect about a layer's inputs for a method, and no more than that.
public enum StatisticsKind: Sendable {
  /// Nothing: the method looks at the weights alone.
  case none
  /// The L2 norm of each input feature.
  case norms
  /// The gram matrix of the inputs.
  case gram
}

/// What is known about the inputs of the layers of one stage.
public enum InputStatistics: Sendable {
  /// Nothing.
  case none
  /// The L2 norm of each input feature over all calibration tokens: one value per column of the weight.
  case norms([Float])
  /// XᵀX of the inputs over the calibration tokens.
  case gram(Gram)

  /// The L2 norm of each input feature, if it is known.
  public var norms: [Float]? {
    switch self {
    case .none: nil
    case .norms(let norms): norms
    case .gram(let gram): gram.norms
    }
  }
}
