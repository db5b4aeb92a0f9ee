public import SparseCore

/// Whether every weight of a checkpoint that should be 2:4 really is.
///
/// A file's manifest says which weights should be; without one, or with globs, the linear layers
/// inside the decoder blocks should, narrowed down by the globs.
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

  /// Every tensor of two or more dimensions and every one that should be 2:4, in the checkpoint's order.
  public let tensors: [Tensor]

  /// The number of tensors with a status.
  public func count(_ status: Status) -> Int {
    tensors.reduce(0) { $0 + ($1.status == status ? 1 : 0) }
  }

  /// Whether no tensor violates the pattern and at least one holds to it.
  public var passed: Bool { count(.violating) == 0 && count(.sparse) > 0 }

  /// The report as the `check` contract has it.
  public var json: JSON {
    [
      "schema": 1, "passed": .bool(passed), "sparse": .integer(count(.sparse)),
      "violating": .integer(count(.violating)), "dense": .integer(count(.dense)),
      "tensors": .array(
        tensors.map { tensor in
          [
            "name": .string(tensor.name), "shape": .array(tensor.shape.map(JSON.integer)),
            "dtype": .string(tensor.dtype), "status": .string(tensor.status.rawValue),
            "groups": .integer(tensor.groups), "violations": .integer(tensor.violations),
          ]
        }),
    ]
  }
}

extension Checkpoint {
  /// Checks the checkpoint against its manifest, or against the default rule narrowed down by globs.
  ///
  /// - Throws: ``ManifestError`` for a manifest that cannot be read or that names a tensor that is not
  ///   there, ``SelectionError`` for globs that match nothing, and what `progress` throws.
  public func check(
    _ selection: WeightSelection = WeightSelection(), on compute: Compute = .automatic,
    progress: ProgressHandler = { _ in }
  ) throws -> CheckReport {
    let promised = selection.isDefault ? try promisedWeights() : nil
    let required = Set(
      try (promised ?? selection.apply(to: try blockWeights())).map(ExactString.init))
    func isRequired(_ tensor: Tensor) -> Bool { required.contains(ExactString(tensor.name)) }
    // What is promised is looked at whatever its shape.
    let matrices = tensors.filter { tensor in
      (tensor.shape.count >= 2 && !isInt8Scale(tensor)) || isRequired(tensor)
    }
    let total = matrices.reduce(0) { $0 + (isRequired($1) ? $1.byteCount : 0) }
    var done = 0
    return CheckReport(
      tensors: try matrices.map { tensor in
        func found(_ status: CheckReport.Status, groups: Int = 0, violations: Int = 0)
          -> CheckReport.Tensor
        {
          CheckReport.Tensor(
            name: tensor.name, shape: tensor.shape, dtype: tensor.dtype.rawValue, status: status,
            groups: groups, violations: violations)
        }
        guard isRequired(tensor) else { return found(.dense) }
        try progress(Progress(step: "check", done: done, total: total))
        done += tensor.byteCount
        let check = try patternCheck(tensor, on: compute)
        release(tensor.name)
        return found(
          check.violations == 0 ? .sparse : .violating, groups: check.groups,
          violations: check.violations)
      })
  }

  /// The weights that the files' manifests promise to be 2:4, or nil where no file has a manifest.
  func promisedWeights() throws -> [String]? {
    try manifest()?.pruned
  }

  /// What the groups of four along a tensor's last dimension hold; a compressed weight is expanded for it.
  ///
  /// - Throws: ``CompressedWeightError`` for a compressed weight whose mask does not keep two of every four.
  func patternCheck(
    _ tensor: ModelTensor, countsPatterns: Bool = false, on compute: Compute
  ) throws -> PatternCheck {
    guard tensor.isCompressed, let weight = try compressedWeight(tensor.name, on: compute) else {
      return try patternCheck(tensor.stored, countsPatterns: countsPatterns, on: compute)
    }
    return PatternCheck(
      weight.expanded(on: compute), countsPatterns: countsPatterns, on: compute)
  }

  /// What the groups of four along a stored tensor's last dimension hold.
  func patternCheck(
    _ tensor: Tensor, countsPatterns: Bool = false, on compute: Compute
  ) throws -> PatternCheck {
    let columns = tensor.shape.last ?? 1
    let rows = tensor.shape.dropLast().reduce(1, *)
    let bytes = files[tensor.file].bytes(of: tensor.info)
    guard let type = tensor.dtype == .i8 ? .int8 : tensor.dtype.scalarType else {
      throw CheckError.notWeights(
        tensor: tensor.name, dtype: tensor.dtype.rawValue, path: files[tensor.file].path)
    }
    return PatternCheck(
      bytes, type: type, rows: rows, columns: columns, countsPatterns: countsPatterns, on: compute)
  }
}

/// Why a tensor cannot be checked.
public enum CheckError: Error, Equatable {
  /// Its type is none that weights are stored in.
  case notWeights(tensor: String, dtype: String, path: String)
}

extension CheckError: CustomStringConvertible {
  /// One line that names the file, the tensor and the type.
  public var description: String {
    switch self {
    case .notWeights(let tensor, let dtype, let path):
      "\(path): tensor '\(tensor)' is \(dtype): 2:4 is checked in F32, F16, BF16 and I8"
    }
  }
}
