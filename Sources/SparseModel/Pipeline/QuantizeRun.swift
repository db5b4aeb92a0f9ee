public import SparseCore

/// What a run of quantizing is asked to do.
public struct QuantizeOptions: Sendable {
  /// The number of neighbouring columns that share a scale; nil for one scale per output channel.
  public var groupSize: Int?
  /// Which weights become INT8.
  public var selection: WeightSelection
  /// Where the output goes; nil for `NAME-int8` beside the input.
  public var output: String?
  /// Whether an existing output is replaced.
  public var force: Bool
  /// The bytes of tensors that a file of an output folder has at most; nil for the files of the input.
  public var shardSize: Int?

  /// Quantizing with the defaults of the command line.
  public init(
    groupSize: Int? = nil, selection: WeightSelection = WeightSelection(), output: String? = nil,
    force: Bool = false, shardSize: Int? = nil
  ) {
    self.groupSize = groupSize
    self.selection = selection
    self.output = output
    self.force = force
    self.shardSize = shardSize
  }
}

/// One checkpoint on its way to INT8: opened and checked when made, quantized and written by ``run(on:progress:)``.
///
/// Every weight is rounded to the nearest step of its own grid; nothing is pruned, and zeros stay zeros.
///
/// ```swift
/// let run = try QuantizeRun("model", QuantizeOptions(output: "model-int8"))
/// let report = try run.run()
/// ```
public struct QuantizeRun: Sendable {
  /// The input.
  public let checkpoint: Checkpoint
  /// What is to be done.
  public let options: QuantizeOptions
  /// The weights that become INT8, in the checkpoint's order.
  public let targets: [String]
  /// Where the output goes: found free, and fit for the input.
  public let output: CheckpointOutput
  private let changes: CheckpointChanges

  /// Opens a checkpoint and checks all that can be checked before the work.
  ///
  /// - Parameter path: a `.safetensors` file, an index, or a folder with either.
  /// - Throws: the errors of opening the checkpoint, ``SelectionError``, ``Int8WeightError`` where
  ///   there are INT8 weights already, and ``LayerError`` for groups that do not divide a weight's columns.
  public init(_ path: String, _ options: QuantizeOptions = QuantizeOptions()) throws {
    checkpoint = try Checkpoint(path: path)
    self.options = options
    output = try CheckpointOutput(
      options.output, for: checkpoint, suffix: "int8", force: options.force,
      shardSize: options.shardSize)
    try checkpoint.requireWhole()
    let candidates = try checkpoint.blockWeights()
    guard !candidates.isEmpty else { throw try checkpoint.noCandidates() }
    targets = try options.selection.apply(to: candidates)
    changes = try CompressedTensors.changes(
      quantizing: targets, of: checkpoint, groupSize: options.groupSize)
  }

  /// The tensors' bytes in the output.
  package var outputBytes: Int { changes.byteCount(of: checkpoint) }

  /// Quantizes, writes the output and renames it into place.
  ///
  /// Whatever goes wrong, nothing is left under the output's name. Memory holds a piece of one weight.
  ///
  /// - Throws: the errors of reading and writing, ``LayerError`` for a weight that is not finite, and
  ///   what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> QuantizeReport {
    let clock = ContinuousClock()
    let start = clock.now
    var manifest = Manifest(
      method: "quantize", inputFingerprint: Fingerprint.unknown,
      pruned: try checkpoint.promisedWeights() ?? [],
      quantization: Manifest.Quantization(groupSize: options.groupSize))
    let writer = try CheckpointWriter(
      copying: checkpoint, to: output, changes: changes, manifest: manifest.text(for:))
    let total = targets.reduce(0) { $0 + (checkpoint[$1]?.byteCount ?? 0) }
    var done = 0
    let layers = try targets.map { name in
      let layer = try quantize(name, to: writer, on: compute) { bytes in
        try progress(RunProgress(step: "quantize", done: done, total: total))
        done += bytes
      }
      checkpoint.release(name)
      return layer
    }
    try writer.copyRemaining(on: compute, progress: progress)
    manifest.inputFingerprint = try writer.fingerprint.text(on: compute)
    try writer.commit(manifest: manifest.text(for:))
    return QuantizeReport(
      groupSize: options.groupSize, output: output.path, seconds: (clock.now - start).seconds,
      peakResidentBytes: ProcessUsage.peakResidentBytes, layers: layers,
      leftAlone: try checkpoint.leftAlone())
  }

  /// Values of a weight that are worked on at once.
  private static let pieceValues = 1 << 22

  /// Quantizes and writes one weight, some rows at a time.
  ///
  /// - Parameter beforePiece: told the bytes that are to be read next.
  private func quantize(
    _ name: String, to writer: CheckpointWriter, on compute: Compute,
    beforePiece: (_ bytes: Int) throws -> Void
  ) throws -> QuantizedLayerReport {
    let clock = ContinuousClock()
    let start = clock.now
    let weight = try checkpoint.matrix(name)
    let rule = Int8Rule(groupSize: options.groupSize, scaleType: weight.type)
    let rows = max(1, Self.pieceValues / max(1, weight.columns))
    var scales: [Float] = []
    var (error, size) = (0.0, 0.0)
    for first in stride(from: 0, to: weight.rows, by: rows) {
      let piece = weight.rows(first..<min(first + rows, weight.rows))
      try beforePiece(piece.bytes.count)
      let values = Matrix(piece, on: compute)
      let grid: Int8Grid
      do throws(PruningError) {
        grid = try rule.grid(for: values, on: compute)
      } catch {
        throw LayerError(layer: name, model: checkpoint.path, reason: whole(error, weight, compute))
      }
      let codes = StoredMatrix(quantizing: values, on: grid, on: compute)
      try writer.write(codes.bytes, as: name, at: first * weight.columns)
      scales += grid.scales
      error += Matrix(codes, on: compute).minus(values).sumOfSquares(on: compute)
      size += values.sumOfSquares(on: compute)
    }
    let groups = Matrix(rows: 1, columns: scales.count, scales)
    try writer.write(
      ByteView(copying: groups.storedBytes(as: .float32, on: compute)),
      as: CompressedTensors.scaleName(of: name))
    return QuantizedLayerReport(
      name: name, shape: [weight.rows, weight.columns], seconds: (clock.now - start).seconds,
      weightError: error == 0 ? 0 : (error / size).squareRoot(), smallestScale: scales.min() ?? 1,
      largestScale: scales.max() ?? 1)
  }

  /// An error of one piece, with the count of the whole weight.
  private func whole(
    _ error: PruningError, _ weight: StoredMatrix, _ compute: Compute
  ) -> PruningError {
    guard case .quantization(.nonFiniteWeights) = error else { return error }
    return .quantization(.nonFiniteWeights(count: weight.countNotFinite(on: compute)))
  }
}
