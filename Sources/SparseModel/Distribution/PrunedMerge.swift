public import SparseCore

/// Parts of a pruned checkpoint on their way to the whole: opened and found to fit when made, put together by ``run(on:progress:)``.
///
/// What no part stands for is copied from the model. The result is the bytes of the run without parts.
public struct PrunedMerge: Sendable {
  /// The model that the parts were made from.
  public let checkpoint: Checkpoint
  private let parts: [PrunedPartFile]
  private let output: CheckpointOutput
  private let changes: CheckpointChanges
  private let manifest: Manifest

  /// Opens parts and checks that together they are all of one run on a model of these tensors.
  ///
  /// Whether it was the very same model is told by fingerprints, in ``run(on:progress:)``.
  ///
  /// - Throws: ``PrunedPartError`` for parts that are foreign, have something in common or leave something
  ///   out, and the errors of opening the files.
  public init(
    _ paths: [String], model: String, output: String, force: Bool = false, shardSize: Int? = nil
  ) throws {
    precondition(!paths.isEmpty, "PrunedMerge: no parts")
    let parts = try paths.map { try PrunedPartFile(path: $0) }
    for part in parts.dropFirst() { try part.check(isOfSameRunAs: parts[0]) }
    try Self.checkCoverage(parts)
    self.parts = parts
    checkpoint = try Checkpoint(path: model)
    self.output = try CheckpointOutput(
      output, for: checkpoint, force: force, shardSize: shardSize)
    try paths.forEach(self.output.spare)
    try checkpoint.requireWhole()
    manifest = parts[0].manifest
    let targets = parts[0].part.targets
    for part in parts {
      for name in part.part.own + part.part.tensors.map(\.name) where checkpoint[name] == nil {
        throw PrunedPartError.foreignModel(path: part.path, tensor: name, model: checkpoint.path)
      }
    }
    if let quantization = manifest.quantization {
      changes = try CompressedTensors.changes(
        quantizing: targets, of: checkpoint, groupSize: quantization.groupSize)
    } else {
      changes = CheckpointChanges()
    }
    for part in parts { try part.check(against: checkpoint, changes) }
  }

  /// Throws where a tensor is in two parts, or a weight in none.
  private static func checkCoverage(_ parts: [PrunedPartFile]) throws(PrunedPartError) {
    var places: [ExactString: String] = [:]
    for file in parts {
      for name in file.part.tensors.map(\.name) {
        if let other = places.updateValue(file.path, forKey: ExactString(name)) {
          throw .overlap(tensor: name, path: file.path, other: other)
        }
      }
    }
    let own = Set(parts.flatMap(\.part.own).map(ExactString.init))
    let missing = parts[0].part.targets.filter { !own.contains(ExactString($0)) }
    if let first = missing.first {
      throw .missing(
        weight: first, count: missing.count, of: parts[0].part.targets.count, parts: parts.count)
    }
  }

  /// Puts the parts together, writes the output and renames it into place.
  ///
  /// Memory holds a few megabytes at a time.
  ///
  /// - Throws: ``PrunedPartError`` where a part was made from other tensors than the model's, the errors of
  ///   reading and writing, and what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> MergeReport {
    let clock = ContinuousClock()
    let start = clock.now
    var manifest = manifest
    let writer = try CheckpointWriter(
      copying: checkpoint, to: output, changes: changes, workPath: nil,
      others: parts.map { InputStamp($0.file.mapping) }, manifest: manifest.text(for:))
    for part in parts {
      let tensors = try part.part.tensors.map { try checkpoint.tensor($0.name) }
      try writer.fingerprint.takeMissing(tensors, on: compute, progress: progress)
      for (tensor, expected) in zip(tensors, part.part.tensors) {
        guard writer.fingerprint.content(of: tensor).hasSameBytes(as: expected.fingerprint) else {
          throw PrunedPartError.foreignModel(
            path: part.path, tensor: tensor.name, model: checkpoint.path)
        }
      }
      try part.copyTensors(to: writer, on: compute, progress: progress)
    }
    try writer.copyRemaining(on: compute, progress: progress)
    manifest.inputFingerprint = try writer.fingerprint.text(on: compute, progress: progress)
    let expected = parts[0].part.identity.parts.first { $0.name == PrunedPart.modelName }?.value
    if let expected, !expected.hasSameBytes(as: manifest.inputFingerprint) {
      throw PrunedPartError.foreignStatistics(
        path: parts[0].path, found: expected, model: checkpoint.path,
        expected: manifest.inputFingerprint)
    }
    try writer.commit(manifest: manifest.text(for:))
    return MergeReport(
      method: manifest.method, parts: parts.count, weights: parts[0].part.targets.count,
      output: output.path, outputBytes: changes.byteCount(of: checkpoint),
      seconds: (clock.now - start).seconds)
  }
}

extension PrunedPartFile {
  /// Throws where two parts are of different runs.
  fileprivate func check(isOfSameRunAs other: PrunedPartFile) throws(PrunedPartError) {
    if let difference = part.identity.difference(from: other.part.identity) {
      throw .differs(
        difference.part, path: path, found: difference.this, other: other.path,
        expected: difference.other)
    }
    guard part.targets.elementsEqual(other.part.targets, by: { $0.hasSameBytes(as: $1) }),
      part.pruned.elementsEqual(other.part.pruned, by: { $0.hasSameBytes(as: $1) }),
      manifest == other.manifest
    else {
      throw .differs(
        "what the whole promises", path: path, found: "one thing", other: other.path,
        expected: "another")
    }
  }

  /// Throws unless the file holds what stands in place of its tensors of the input, and nothing else.
  fileprivate func check(
    against input: Checkpoint, _ changes: CheckpointChanges
  ) throws(PrunedPartError) {
    let names = Set(part.tensors.map { ExactString($0.name) })
    for name in part.own where !names.contains(ExactString(name)) {
      throw .malformed(path: path, reason: "tensor '\(name)' is not among its tensors")
    }
    let expected = part.tensors.flatMap { tensor in
      changes[tensor: tensor.name] ?? [input[tensor.name]?.info.spec].compactMap { $0 }
    }
    for spec in expected where file[spec.name]?.spec != spec {
      throw .malformed(
        path: path,
        reason: "tensor '\(spec.name)' should be \(spec.dtype.rawValue) \(spec.shape)")
    }
    guard file.tensors.count == expected.count else {
      throw .malformed(
        path: path,
        reason: "\(file.tensors.count.counting("tensor")) where \(expected.count) are promised")
    }
  }

  /// Writes all tensors of the part, in the order of their bytes.
  fileprivate func copyTensors(
    to writer: CheckpointWriter, on compute: Compute, progress: ProgressHandler
  ) throws {
    let total = file.header.dataByteCount
    var done = 0
    for tensor in file.tensors {
      let bytes = file.bytes(of: tensor)
      let pieces = (bytes.count + TensorPiece.byteCount - 1) / TensorPiece.byteCount
      for first in stride(from: 0, to: pieces, by: 64) {
        try progress(RunProgress(step: "put parts together", done: done, total: total))
        let group = first..<min(first + 64, pieces)
        let failure = FirstFailure()
        Parallel.forEach(group.count, threads: compute.threads) { index in
          failure.record(index) {
            let start = (group.lowerBound + index) * TensorPiece.byteCount
            let end = min(start + TensorPiece.byteCount, bytes.count)
            try writer.write(bytes[start..<end], as: tensor.name, at: start)
          }
        }
        try failure.get()
        done +=
          min(group.upperBound * TensorPiece.byteCount, bytes.count)
          - group.lowerBound * TensorPiece.byteCount
      }
      file.release(tensor)
    }
  }
}

/// What putting parts of a pruned checkpoint together did.
public struct MergeReport: Sendable {
  /// The method of the parts.
  public let method: String
  /// The number of parts.
  public let parts: Int
  /// The number of weights that were pruned in them.
  public let weights: Int
  /// Where the checkpoint is.
  public let output: String
  /// The bytes of its tensors.
  public let outputBytes: Int
  /// Seconds from the start to the finished output.
  public let seconds: Double
  /// The most memory that the process has held, in bytes.
  public let peakResidentBytes = ProcessUsage.peakResidentBytes

  /// The report as the `merge` contract has it.
  public var json: JSON {
    [
      "schema": 1, "method": .string(method), "parts": .integer(parts),
      "weights": .integer(weights), "output": .string(output),
      "outputBytes": .integer(outputBytes), "seconds": .number(seconds),
      "peakResidentBytes": .integer(peakResidentBytes),
    ]
  }
}
