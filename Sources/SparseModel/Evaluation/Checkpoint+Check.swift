public import SparseCore

extension Checkpoint {
  /// Checks the checkpoint against its manifest, or against the default rule narrowed down by globs.
  ///
  /// - Parameter globs: names of weights that must be there and be 2:4 besides, whatever the manifest
  ///   says: each glob becomes a ``CheckReport/Requirement``.
  /// - Parameter finite: the tensors that are searched for NaN and infinity.
  /// - Throws: ``ManifestError`` for a manifest that cannot be read or that names a tensor that is not
  ///   there, ``SelectionError`` for globs of the selection that match nothing, ``CheckError`` for a
  ///   tensor of a type that cannot be checked, and what `progress` throws.
  public func check(
    _ selection: WeightSelection = WeightSelection(), requiring globs: [String] = [],
    finite: FiniteScope = .all, on compute: Compute = .automatic,
    progress: ProgressHandler = { _ in }
  ) throws -> CheckReport {
    let globs = try globs.map(Glob.init)
    try requireLinears()
    try requireCheckable()
    let packed = PackedForm.all.flatMap { form in form.weights(in: self).map { (form, $0) } }
    let meant = Set(
      try meantWeights(selection, mayBeNone: !globs.isEmpty || !packed.isEmpty).map(
        ExactString.init))
    func isMeant(_ tensor: ModelTensor) -> Bool { meant.contains(ExactString(tensor.name)) }
    func isHeld(_ tensor: ModelTensor) -> Bool {
      isMeant(tensor)
        || (Self.canBeRequired(tensor) && globs.contains { $0.matches(tensor.name) })
    }
    // What should be 2:4 is looked at whatever its shape.
    let matrices = try modelTensors().filter { tensor in
      (tensor.shape.count >= 2 && !isScale(tensor.name)
        && !packed.contains { $1.owns(tensor.name) }) || isMeant(tensor)
    }
    let held = matrices.filter(isHeld)
    let others = finite == .all ? tensorsBeside(held) : []
    let total = (held.map(\.stored) + others).reduce(0) { $0 + $1.byteCount }
    var done = 0
    var verdicts: [ExactString: CheckReport.Tensor] = [:]
    for tensor in held {
      try progress(RunProgress(step: "check", done: done, total: total))
      done += tensor.stored.byteCount
      verdicts[ExactString(tensor.name)] = try verdict(on: tensor, on: compute)
    }
    let unpacked = try packed.map { form, weight in
      try verdict(on: weight, of: form, on: compute)
    }
    // A weight without a violation has been found finite already.
    let suspects = held.filter { verdicts[ExactString($0.name)]?.status == .violating }
    var nonFinite = try suspects.compactMap { try self.nonFinite(in: $0.stored.name, on: compute) }
    for tensor in others {
      try progress(RunProgress(step: "check", done: done, total: total))
      done += tensor.byteCount
      if let found = try self.nonFinite(in: tensor.name, on: compute) { nonFinite.append(found) }
      release(tensor.name)
    }
    return CheckReport(
      tensors: matrices.map { verdicts[ExactString($0.name)] ?? CheckReport.Tensor(dense: $0) }
        + unpacked,
      nonFinite: inOrder(nonFinite),
      requirements: globs.map { glob in
        let matched = held.filter { glob.matches($0.name) }
        let open = matched.filter { verdicts[ExactString($0.name)]?.status != .sparse }
        let others = unpacked.filter { glob.matches($0.name) }
        return CheckReport.Requirement(
          glob: glob.description, matched: matched.count + others.count,
          sparse: matched.count - open.count + others.count { $0.status == .sparse },
          dense: open.count { !isMeant($0) })
      })
  }

  /// Whether a tensor is, by its name, what comes with the codes of a weight.
  private func isScale(_ name: String) -> Bool {
    ["_scale", "_scale_inv", "_zero_point"].contains { ending in
      name.hasSuffix(".weight" + ending)
        && (self[String(name.dropLast(ending.count))] != nil || isInt8Scale(name))
    }
  }

  /// Throws where a linear layer is in a form in which it cannot be seen whether it is 2:4.
  private func requireCheckable() throws {
    if let error = try foreignQuantization(), case .quantized(_, let evidence, _) = error,
      Self.codes.contains(where: { evidence.hasSuffix($0 + "'") })
    {
      throw error
    }
    for (tensor, role) in try roles(of: { _ in true })
    where role == .linear && !tensor.dtype.isCheckable {
      throw CheckError.notWeights(
        tensor: tensor.name, dtype: tensor.dtype.rawValue,
        path: files[tensor.stored.file].path)
    }
  }

  /// Ends of the names of tensors that hold several codes in one number.
  private static let codes = [
    "qweight", "weight_packed", "_blocks", "nf4", "fp4", "absmax", ".B", "weight_scale_2",
  ]

  /// How a packed weight stands: its metadata name two places of every four, and its values are finite.
  private func verdict(
    on weight: ExportedWeight, of form: PackedForm, on compute: Compute
  ) throws -> CheckReport.Tensor {
    defer { release(weight.tensor) }
    let contents = try form.contents(self, weight, compute)
    let (rows, columns) = (contents.mask.rows, contents.mask.columns)
    var bad = 0
    if let values = contents.values, contents.type != .int8 {
      bad = StoredMatrix(rows: rows, columns: columns / 2, type: contents.type, bytes: values)
        .countNotFinite(on: compute)
    }
    return CheckReport.Tensor(
      name: weight.name, shape: [rows, columns], dtype: contents.dtype.rawValue,
      status: bad == 0 ? .sparse : .violating, groups: rows * columns / 4, violations: bad,
      first: nil)
  }

  /// The stored tensors that are not among some weights.
  private func tensorsBeside(_ weights: [ModelTensor]) -> [Tensor] {
    let held = Set(weights.map { ExactString($0.stored.name) })
    return tensors.filter { !held.contains(ExactString($0.name)) }
  }

  /// Findings in the order of the checkpoint's tensors.
  private func inOrder(_ found: [NonFiniteTensor]) -> [NonFiniteTensor] {
    let byName = Dictionary(uniqueKeysWithValues: found.map { (ExactString($0.name), $0) })
    return tensors.compactMap { byName[ExactString($0.name)] }
  }

  /// The names of the weights that should be 2:4: by the manifests, where nothing is selected, else by
  /// the rule and the selection.
  private func meantWeights(_ selection: WeightSelection, mayBeNone: Bool) throws -> [String] {
    if selection.isDefault, let promised = try promisedWeights() { return promised }
    let candidates = try linearLayers { $0.isCheckable }.map(\.name)
    guard selection.isDefault else { return try selection.apply(to: candidates) }
    guard mayBeNone || !candidates.isEmpty else { throw try noCandidates() }
    return candidates
  }

  /// Whether a glob that requires weights can mean this tensor: not a bias, nor what comes with quantized weights.
  private static func canBeRequired(_ tensor: ModelTensor) -> Bool {
    tensor.shape.count >= 2
      && (tensor.dtype.isCheckable || tensor.name.hasSuffix("weight")
        || tensor.name.hasSuffix("weight_packed"))
      && ![".bias", "_scale", "_zero_point", "_scale_inv", ".meta"].contains {
        tensor.name.hasSuffix($0)
      }
  }

  /// The weights that the files' manifests promise to be 2:4, or nil where no file has a manifest.
  func promisedWeights() throws -> [String]? {
    try manifest()?.pruned
  }

  /// Whether weights are 2:4 already, all of them: promised by the manifest, or seen.
  ///
  /// A dense weight ends the look at once, at its first group of more than two.
  package func areSparse(
    _ names: [String], on compute: Compute = .automatic
  ) throws -> Bool {
    let promised = Set(try promisedWeights()?.map(ExactString.init) ?? [])
    let unknown = names.filter { !promised.contains(ExactString($0)) }
    for name in unknown {
      let tensor = try tensor(name)
      defer { release(name) }
      guard tensor.shape.last.map({ $0 % 4 == 0 }) == true, tensor.dtype.holdsWeights,
        try values(of: ModelTensor(tensor), on: compute).firstViolation(on: compute) == nil
      else { return false }
    }
    return !names.isEmpty
  }

  // MARK: One tensor

  /// How a weight that should be 2:4 stands.
  ///
  /// Where it is not, a second look at it alone finds the first group that is not.
  private func verdict(on tensor: ModelTensor, on compute: Compute) throws -> CheckReport.Tensor {
    defer { release(tensor.stored.name) }
    let values = try values(of: tensor, on: compute)
    let check = values.patternCheck(on: compute)
    return CheckReport.Tensor(
      name: tensor.name, shape: tensor.shape, dtype: tensor.dtype.rawValue,
      status: check.violations == 0 ? .sparse : .violating, groups: check.groups,
      violations: check.violations,
      first: check.violations == 0 ? nil : values.firstViolation(on: compute))
  }

  /// What the groups of four along a tensor's last dimension hold.
  ///
  /// - Throws: the errors of ``compressedWeight(_:on:)`` for a compressed weight, and ``CheckError``.
  func patternCheck(
    _ tensor: ModelTensor, countsPatterns: Bool = false, on compute: Compute
  ) throws -> PatternCheck {
    try values(of: tensor, on: compute).patternCheck(countsPatterns: countsPatterns, on: compute)
  }

  /// The values of a tensor as a matrix, whose rows are along the last dimension; a compressed weight is
  /// expanded for it.
  private func values(of tensor: ModelTensor, on compute: Compute) throws -> RowValues {
    let file = files[tensor.stored.file]
    guard tensor.dtype.isCheckable else {
      throw CheckError.notWeights(
        tensor: tensor.name, dtype: tensor.dtype.rawValue, path: file.path)
    }
    let bytes =
      tensor.isCompressed
      ? try compressedWeight(tensor.name, on: compute)?.expanded(on: compute).bytes : nil
    let stored = bytes ?? file.bytes(of: tensor.stored.info)
    let standIn = tensor.dtype.holdsWeights ? nil : stored.zeroPattern(of: tensor.dtype)
    return RowValues(
      bytes: standIn ?? stored, type: standIn == nil ? tensor.dtype.weightType : .float16,
      rows: tensor.shape.dropLast().reduce(1, *), columns: tensor.shape.last ?? 1)
  }
}

/// The tensors that a check searches for NaN and infinity.
public enum FiniteScope: String, Sendable, CaseIterable {
  /// Every tensor of a floating-point type: embeddings, norms, biases and scales too.
  case all
  /// The weights that should be 2:4 and no others.
  case weights
}

/// Values whose type is known, row after row.
private struct RowValues {
  let bytes: ByteView
  let type: ScalarType
  let rows: Int
  let columns: Int

  func patternCheck(countsPatterns: Bool = false, on compute: Compute) -> PatternCheck {
    PatternCheck(
      bytes, type: type, rows: rows, columns: columns, countsPatterns: countsPatterns, on: compute)
  }

  func firstViolation(on compute: Compute) -> GroupViolation? {
    GroupViolation(firstIn: bytes, type: type, rows: rows, columns: columns, on: compute)
  }
}

extension ExportedWeight {
  /// Whether a tensor belongs to the weight.
  fileprivate func owns(_ name: String) -> Bool {
    name.hasPrefix(module + ".") && name.dropFirst(module.count + 1).allSatisfy { $0 != "." }
      && !name.hasSuffix(".bias")
  }
}

extension CheckReport.Tensor {
  /// A tensor that is dense on purpose, and was not looked at.
  fileprivate init(dense tensor: ModelTensor) {
    self.init(
      name: tensor.name, shape: tensor.shape, dtype: tensor.dtype.rawValue, status: .dense,
      groups: 0, violations: 0, first: nil)
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
      "\(path): tensor '\(tensor)' is \(dtype): 2:4 is checked in \(DType.allCases.filter(\.isCheckable).map(\.rawValue).joined(separator: ", "))"
    }
  }
}
