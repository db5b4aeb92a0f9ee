public import SparseCore

/// What the tensors of a checkpoint are and how sparse.
public struct InspectReport: Sendable {
  /// What is known about one tensor.
  public struct Tensor: Sendable {
    /// The tensor's name.
    public let name: String
    /// Its shape.
    public let shape: [Int]
    /// The format's name of its type.
    public let dtype: String
    /// The number of values.
    public let elements: Int
    /// Whether only the kept half of the values is stored, with a mask.
    public let isCompressed: Bool
    /// Zeros, groups and patterns; nil for types that are not weights and for rows that are not a multiple of 4.
    public let sparsity: PatternCheck?
  }

  /// Every tensor, in the checkpoint's order.
  public let tensors: [Tensor]

  /// The report as the `inspect` contract has it; what is not known is null.
  public var json: JSON {
    [
      "schema": 1,
      "tensors": .array(
        tensors.map { tensor in
          [
            "name": .string(tensor.name), "shape": .array(tensor.shape.map(JSON.integer)),
            "dtype": .string(tensor.dtype), "elements": .integer(tensor.elements),
            "compressed": .bool(tensor.isCompressed),
            "zeros": tensor.sparsity.map { .integer($0.zeros) } ?? .null,
            "groupsWithMoreThanTwo": tensor.sparsity.map { .integer($0.groupsWithMoreThanTwo) }
              ?? .null,
            "patterns": tensor.sparsity.map { .array($0.patterns.map(JSON.integer)) } ?? .null,
          ]
        }),
    ]
  }
}

extension Checkpoint {
  /// Looks at every tensor that the globs leave.
  ///
  /// - Throws: ``SelectionError`` for globs that match nothing, and what `progress` throws.
  public func inspect(
    _ selection: WeightSelection = WeightSelection(), on compute: Compute = .automatic,
    progress: ProgressHandler = { _ in }
  ) throws -> InspectReport {
    let tensors = try modelTensors()
    let names = Set(
      selection.isDefault ? [] : try selection.apply(to: tensors.map(\.name)).map(ExactString.init))
    let selected = tensors.filter {
      selection.isDefault || names.contains(ExactString($0.name))
    }
    let total = selected.reduce(0) { $0 + $1.stored.byteCount }
    var done = 0
    return InspectReport(
      tensors: try selected.map { tensor in
        try progress(RunProgress(step: "inspect", done: done, total: total))
        done += tensor.stored.byteCount
        let isCountable = tensor.dtype.holdsWeights && (tensor.shape.last ?? 1) % 4 == 0
        defer { release(tensor.stored.name) }
        return InspectReport.Tensor(
          name: tensor.name, shape: tensor.shape, dtype: tensor.dtype.rawValue,
          elements: tensor.shape.reduce(1, *), isCompressed: tensor.isCompressed,
          sparsity: isCountable
            ? try patternCheck(tensor, countsPatterns: true, on: compute) : nil)
      })
  }
}
