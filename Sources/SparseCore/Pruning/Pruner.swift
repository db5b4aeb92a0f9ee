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

/// A layer's weight after pruning, with the mask that it has.
public struct PrunedWeight: Sendable {
  /// The pruned weight, `outputs × inputs`: exactly 0 outside the mask.
  public var weight: Matrix
  /// The kept weights.
  public var mask: Mask24
  /// The INT8 grid that the weight's values lie on; nil where none was asked for.
  public var grid: Int8Grid?
  /// What was added to the diagonal of the gram, as a share of its mean; nil where no gram was factored.
  public var dampening: Double?
  /// What stood in because the method asked for could not work; nil where it could.
  public var fallback: Fallback?

  /// Another method in place of the one asked for.
  public struct Fallback: Sendable, Equatable {
    /// The method that was used.
    public let method: PruningMethod
    /// Why the other one could not be.
    public let reason: PruningError

    /// A method and the reason to use it.
    public init(method: PruningMethod, reason: PruningError) {
      self.method = method
      self.reason = reason
    }
  }

  /// A pruned weight and its mask, and how it came about.
  public init(
    weight: Matrix, mask: Mask24, grid: Int8Grid? = nil, dampening: Double? = nil,
    fallback: Fallback? = nil
  ) {
    self.weight = weight
    self.mask = mask
    self.grid = grid
    self.dampening = dampening
    self.fallback = fallback
  }

  /// The weight with its kept values rounded to a grid of their own.
  ///
  /// - Throws: ``PruningError/quantization(_:)``.
  func quantized(
    by rule: Int8Rule, on compute: Compute
  ) throws(PruningError) -> PrunedWeight {
    quantized(on: try rule.grid(for: weight, on: compute), on: compute)
  }

  /// The weight with its values rounded to a grid.
  func quantized(on grid: Int8Grid, on compute: Compute) -> PrunedWeight {
    var result = self
    result.weight = grid.rounded(weight, on: compute)
    result.grid = grid
    return result
  }
}

/// A method that makes one weight 2:4.
public protocol Pruner: Sendable {
  /// The statistics without which the method cannot work.
  var needs: StatisticsKind { get }

  /// The weight with two of each four neighbouring weights of a row set to 0.
  ///
  /// - Parameters:
  ///   - weight: `outputs × inputs`; `inputs` must be a multiple of 4.
  ///   - inputs: statistics of at least the kind that the method needs.
  /// - Throws: ``PruningError`` where the shape, the weight or the statistics do not allow it.
  func prune(
    _ weight: Matrix, inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> PrunedWeight
}

/// A method that only chooses a mask: the weights that it keeps stay as they are, bit for bit.
///
/// It works on the stored bytes, so no weight is converted or rounded on the way.
public protocol MaskingPruner: Pruner {
  /// The mask that keeps two of each four neighbouring weights of a row.
  func mask(
    for weight: StoredMatrix, inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> Mask24
}

extension MaskingPruner {
  /// The weight with everything outside the chosen mask set to 0.
  public func prune(
    _ weight: Matrix, inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> PrunedWeight {
    let mask = try mask(for: StoredMatrix(weight), inputs: inputs, on: compute)
    return PrunedWeight(weight: mask.applied(to: weight), mask: mask)
  }
}

/// A method that first works on the inputs alone, which costs as much as pruning: once for all layers that read them.
public protocol SolvingPruner: Pruner {
  /// What prunes the layers that read these inputs.
  ///
  /// - Throws: ``PruningError`` where the statistics are missing or not finite.
  func solver(
    for inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> any LayerSolver
}

/// A method with the inputs that it knows, for the layers that read them.
///
/// Rows of weights do not know of each other, so layers may come some rows at a time: the results are the
/// same, and only what the inputs alone ask for may be done more often.
public protocol LayerSolver: Sendable {
  /// The weights with two of each four neighbouring weights of a row set to 0, and the others changed to make up for them.
  ///
  /// Layers that read the same inputs are solved together, as what the inputs alone ask for is done once.
  ///
  /// - Parameter rule: the INT8 grid that the kept weights are put on as part of the solution; nil for none.
  /// - Throws: ``LayerPruningError`` where a shape or a weight does not allow it.
  mutating func prune(
    _ weights: [Matrix], onto rule: Int8Rule?, on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight]
}

extension SolvingPruner {
  /// The weight pruned by a solver of its own.
  public func prune(
    _ weight: Matrix, inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> PrunedWeight {
    var solver = try solver(for: inputs, on: compute)
    do {
      return try solver.prune([weight], onto: nil, on: compute)[0]
    } catch {
      throw error.reason
    }
  }
}

/// A ``PruningError`` of one among several layers.
public struct LayerPruningError: Error, Equatable, CustomStringConvertible {
  /// The layer, counted from 0.
  public let layer: Int
  /// What went wrong.
  public let reason: PruningError

  /// A layer's number and what is wrong with it.
  public init(layer: Int, reason: PruningError) {
    self.layer = layer
    self.reason = reason
  }

  /// One line that names the layer's number.
  public var description: String { "layer \(layer): \(reason)" }
}

extension Sequence {
  /// The results of `body` for each of some layers; its errors name the layer's number.
  func mapLayers<Result>(
    _ body: (Element) throws(PruningError) -> Result
  ) throws(LayerPruningError) -> [Result] {
    var results: [Result] = []
    for (layer, element) in enumerated() {
      do {
        results.append(try body(element))
      } catch {
        throw LayerPruningError(layer: layer, reason: error)
      }
    }
    return results
  }
}

/// Why a weight could not be pruned.
public enum PruningError: Error, Equatable {
  /// Groups of four do not divide the reduction dimension.
  case columnsNotMultipleOfFour(columns: Int)
  /// The weight holds NaN or infinity.
  case nonFiniteWeights(count: Int)
  /// The statistics of some input feature are NaN or infinity.
  case nonFiniteInputs(count: Int)
  /// The method needs statistics that were not given.
  case missingStatistics(StatisticsKind)
  /// The statistics are of another width than the weight.
  case statisticsMismatch(columns: Int, features: Int)
  /// The gram of the inputs is not positive definite, even with this share of its mean diagonal added to the diagonal.
  case notPositiveDefinite(dampening: Double)
  /// The new weights are too large for their number format.
  case overflow(count: Int)
  /// The weight cannot be put on an INT8 grid.
  case quantization(QuantizationError)
  /// Groups of a weight that should be 2:4 have more than two values that are not 0.
  case notTwoOfFour(groups: Int)
  /// A pruned weight and its dense original have different numbers of rows.
  case denseMismatch(rows: Int, denseRows: Int)
}

extension PruningError: CustomStringConvertible {
  /// One line that says what is wrong, with the numbers.
  public var description: String {
    switch self {
    case .columnsNotMultipleOfFour(let columns):
      "2:4 groups run along the reduction dimension, and \(columns) inputs are not a multiple of 4"
    case .nonFiniteWeights(let count):
      "the weight holds \(count) NaN or infinite values"
    case .nonFiniteInputs(let count):
      "the calibration inputs of \(count) features are NaN or infinite"
    case .missingStatistics(let kind):
      "the method needs input \(kind), and none were given"
    case .statisticsMismatch(let columns, let features):
      "the weight has \(columns) inputs, the statistics \(features) features"
    case .notPositiveDefinite(let dampening):
      "the gram of the inputs is not positive definite, even with dampening \(dampening)"
    case .overflow(let count):
      "\(count) of the new weights are too large for the number format"
    case .quantization(let reason): "\(reason)"
    case .notTwoOfFour(let groups):
      "\(groups) groups of four hold more than two values that are not 0"
    case .denseMismatch(let rows, let denseRows):
      "the pruned weight has \(rows) outputs, the dense one \(denseRows)"
    }
  }
}
