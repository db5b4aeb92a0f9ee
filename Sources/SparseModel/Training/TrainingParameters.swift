internal import SparseCore

/// A decoder's weights in training: float32 masters, what their gradients have summed up to, and the masks that hold.
///
/// A vector is a matrix of one row.
struct TrainingParameters {
  /// The tensors' names, in the order in which the model uses them.
  let names: [String]
  /// Which weights may be other than 0; nil for a tensor all of whose weights may.
  let masks: [Mask24?]
  /// The weights.
  var values: [Matrix]
  /// The sums of their gradients.
  var gradients: [Matrix]
  private let places: [ExactString: Int]

  /// The named tensors of a checkpoint.
  ///
  /// - Parameter isSparse: whether a tensor is 2:4 and stays it.
  /// - Throws: ``LayerError`` for a weight that is to stay 2:4 and is not, or holds NaN or infinity.
  init(
    _ names: [String], of checkpoint: Checkpoint, on compute: Compute,
    isSparse: (String) -> Bool
  ) throws {
    try self.init(names, on: compute, isSparse: isSparse) { name in
      defer { checkpoint.release(name) }
      return try checkpoint.stored(name)
    } failure: {
      LayerError(layer: $0, model: checkpoint.path, reason: $1)
    }
  }

  /// Tensors that `stored` gives; `failure` makes the error of one of them.
  init(
    _ names: [String], on compute: Compute, isSparse: (String) -> Bool,
    stored: (String) throws -> StoredMatrix,
    failure: (_ name: String, PruningError) -> LayerError
  ) throws {
    self.names = names
    var (masks, values): ([Mask24?], [Matrix]) = ([], [])
    for name in names {
      let value = Matrix(try stored(name), on: compute)
      do throws(PruningError) {
        let bad = value.countNotFinite(on: compute)
        guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
        masks.append(isSparse(name) ? try Mask24(nonZerosOf: value) : nil)
      } catch {
        throw failure(name, error)
      }
      values.append(value)
    }
    self.masks = masks
    self.values = values
    gradients = values.map { Matrix(rows: $0.rows, columns: $0.columns) }
    places = Dictionary(
      uniqueKeysWithValues: names.enumerated().map { (ExactString($1), $0) })
  }

  /// The place of a tensor; nil where it is not among those that are trained.
  func place(_ name: String) -> Int? { places[ExactString(name)] }

  /// The weights of a tensor.
  subscript(name: String) -> Matrix? { place(name).map { values[$0] } }

  /// Lets `body` add to the gradient of a tensor, if it is trained.
  mutating func addGradient(of name: String, _ body: (inout Matrix) -> Void) {
    if let place = place(name) { body(&gradients[place]) }
  }

  /// Sets all gradients to 0.
  mutating func clearGradients(on compute: Compute) {
    for place in gradients.indices { gradients[place].clear(on: compute) }
  }

  /// What an optimizer has to know of each tensor: matrices decay, vectors do not.
  var forOptimizer: [MaskedOptimizer.Parameter] {
    names.indices.map { place in
      MaskedOptimizer.Parameter(
        name: names[place], rows: values[place].rows, columns: values[place].columns,
        mask: masks[place], decays: values[place].rows > 1)
    }
  }
}
