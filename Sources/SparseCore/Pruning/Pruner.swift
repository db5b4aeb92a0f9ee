/// A method that makes one weight 2:4.
public protocol Pruner: Sendable {
  /// The statistics without which the method cannot work.
  var needs: StatisticsKind { get }

  /// What the method takes of memory beside the statistics, as an upper bound.
  ///
  /// The default is that of a method that looks at the rows of a weight alone.
  ///
  /// - Parameters:
  ///   - inputs: the width of the rows.
  ///   - isInt8: whether the kept weights go onto an INT8 grid.
  func scratch(inputs: Int, isInt8: Bool) -> SolverBytes

  /// What the method's search costs; the default is none.
  var search: SearchCost { get }

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

extension Pruner {
  /// Bytes for the rows and what becomes of them.
  public func scratch(inputs: Int, isInt8: Bool) -> SolverBytes {
    SolverBytes(valuesPerWeight: 5, inputs: inputs, isInt8: isInt8)
  }

  /// No search.
  public var search: SearchCost { SearchCost() }
}

/// What the search of a method costs beside one factorization of the gram.
public struct SearchCost: Sendable, Equatable {
  /// Factorizations after the first, each with two triangular solves.
  public var iterations: Int
  /// Passes over the columns.
  public var sweeps: Int

  /// A number of factorizations and of passes.
  public init(iterations: Int = 0, sweeps: Int = 0) {
    self.iterations = iterations
    self.sweeps = sweeps
  }
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

/// A method that chooses the mask of each group from the group alone.
///
/// So a weight can be pruned piece by piece while it is copied, in any order and on any number of threads.
public protocol GroupPruner: MaskingPruner {
  /// Prunes whole groups of four and says what they hold afterwards.
  ///
  /// - Parameters:
  ///   - weights: stored values of `type`, a multiple of four.
  ///   - out: as many bytes as `weights` has.
  /// - Throws: ``PruningError/nonFiniteWeights(count:)``.
  func prune(
    _ weights: UnsafeRawBufferPointer, _ type: ScalarType,
    into out: UnsafeMutableRawBufferPointer, kernels: KernelSet
  ) throws(PruningError) -> MaskedValues
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
