/// The statistics of a layer's inputs that calibration collects for a method.
public enum StatisticsKind: Sendable {
  /// Nothing: the method looks at the weights alone.
  case none
  /// The L2 norm of each input feature.
  case norms
  /// The gram matrix of the inputs.
  case gram
}

/// Statistics of the inputs that the layers of one stage read.
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
