public import SparseCore

/// Whether every weight of a checkpoint that should be 2:4 really is.
///
/// A file's manifest says which weights should be; without one, or with globs, the linear layers
/// inside the decoder blocks should, narrowed down by the globs. Others may be required besides.
public struct CheckReport: Sendable {
  /// What was found about one tensor.
  public struct Tensor: Sendable {
    /// The tensor's name.
    public let name: String
    /// Its shape.
    public let shape: [Int]
    /// The format's name of its type.
    public let dtype: String
    /// How it stands.
    public let status: Status
    /// The number of groups of four along the last dimension that were looked at.
    public let groups: Int
    /// The groups with more than two non-zeros, or with a NaN or an infinity.
    public let violations: Int
    /// The first of those groups; nil where there is none.
    public let first: GroupViolation?
  }

  /// How a tensor stands to the pattern.
  public enum Status: String, Sendable {
    /// At most two non-zeros in every group.
    case sparse = "2:4"
    /// It should be 2:4 and is not.
    case violating
    /// It was left out on purpose.
    case dense
  }

  /// What became of a demand for weights that must be there and be 2:4, whatever the manifest says.
  public struct Requirement: Sendable, Equatable {
    /// The pattern for their names.
    public let glob: String
    /// The number of weights that it matches.
    public let matched: Int
    /// How many of them are 2:4.
    public let sparse: Int
    /// How many of the others are dense on purpose: neither manifest nor rule would have them 2:4.
    public let dense: Int

    /// Whether there is such a weight and all of them are 2:4.
    public var isMet: Bool { matched > 0 && sparse == matched }
  }

  /// Every tensor of two or more dimensions and every one that should be 2:4, in the checkpoint's order.
  public let tensors: [Tensor]
  /// The tensors that hold NaN or infinity, among all that were looked at for it, in the checkpoint's order.
  public let nonFinite: [NonFiniteTensor]
  /// What was required, in the order given.
  public let requirements: [Requirement]

  /// The number of tensors with a status.
  public func count(_ status: Status) -> Int {
    tensors.reduce(0) { $0 + ($1.status == status ? 1 : 0) }
  }

  /// Whether no tensor violates the pattern or holds NaN or infinity, at least one is 2:4, and every
  /// requirement is met.
  public var passed: Bool {
    count(.violating) == 0 && count(.sparse) > 0 && nonFinite.isEmpty
      && requirements.allSatisfy(\.isMet)
  }
}

extension CheckReport {
  /// What the `check` contract has of one model besides its path.
  public var json: JSON {
    [
      "passed": .bool(passed), "sparse": .integer(count(.sparse)),
      "violating": .integer(count(.violating)), "dense": .integer(count(.dense)),
      "nonFinite": .array(nonFinite.map(\.json)),
      "required": .array(requirements.map(\.json)), "tensors": .array(tensors.map(\.json)),
    ]
  }
}

extension CheckReport.Tensor {
  fileprivate var json: JSON {
    [
      "name": .string(name), "shape": .array(shape.map(JSON.integer)), "dtype": .string(dtype),
      "status": .string(status.rawValue), "groups": .integer(groups),
      "violations": .integer(violations), "first": first?.json ?? .null,
    ]
  }
}

extension CheckReport.Requirement {
  fileprivate var json: JSON {
    [
      "glob": .string(glob), "matched": .integer(matched), "sparse": .integer(sparse),
      "dense": .integer(dense), "met": .bool(isMet),
    ]
  }
}

extension GroupViolation {
  fileprivate var json: JSON {
    [
      "row": .integer(row), "group": .integer(group), "nonZeros": .integer(nonZeros),
      "finite": .bool(isFinite), "reason": .string(reason),
    ]
  }
}
