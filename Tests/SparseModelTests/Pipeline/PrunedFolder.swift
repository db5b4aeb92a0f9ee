internal import SparseCore
internal import SparseModel
internal import TestSupport

/// A model's folder in a place of its own, and what pruning makes beside it.
struct PrunedFolder {
  let folder: TemporaryFolder
  /// The input.
  let input: String

  init(_ model: EditedModel) throws {
    folder = try TemporaryFolder()
    input = try model.write(to: folder)
  }

  /// Prunes with a few tokens of calibration and returns the report.
  @discardableResult
  func prune(
    _ method: PruningMethod, _ calibration: CalibrationOptions? = nil, permutes: Bool = false,
    selection: WeightSelection = WeightSelection(), from input: String? = nil, to output: String,
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    let options = PruneOptions(
      method: method, permutes: permutes, calibration: calibration, selection: selection,
      output: folder[output])
    return try PruneRun(input ?? self.input, options).run(on: compute, progress: progress)
  }

  /// A file of `samples × length` ids below `vocabulary`, for calibration.
  func tokens(samples: Int, length: Int, vocabulary: Int32) throws -> CalibrationOptions {
    var random = SplitMix64(seed: 21)
    let path = folder["tokens.safetensors"]
    let writer = try SafetensorsWriter(
      path: path,
      tensors: [TensorSpec(name: "tokens", dtype: .i32, shape: [samples, length])])
    let bytes = (0..<samples * length).flatMap { _ in
      let id = Int32.random(in: 0..<vocabulary, using: &random)
      return (0..<4).map { UInt8(truncatingIfNeeded: id >> ($0 * 8)) }
    }
    try writer.write(ByteView(copying: bytes), as: "tokens")
    try writer.commit()
    return CalibrationOptions(source: .tokens(path: path))
  }

  /// The bytes of a file of the output.
  func bytes(_ output: String, _ file: String = "model.safetensors") throws -> [UInt8] {
    try folder.read("\(output)/\(file)")
  }

  /// The manifest in a file's metadata.
  func manifest(_ path: String) throws -> JSON {
    let file = try SafetensorsFile(path: folder[path])
    return try JSON(parsing: file.metadata[Manifest.key] ?? "null")
  }
}

extension StoredMatrix {
  /// The bytes of one value.
  func element(_ row: Int, _ column: Int) -> [UInt8] {
    let start = (row * columns + column) * type.byteCount
    return Array(bytes.array[start..<start + type.byteCount])
  }
}
