internal import SparseCore

/// A file with statistics, mapped; its manifest and the shapes of its tensors are checked when it is opened.
struct StatisticsFile: Sendable {
  let file: SafetensorsFile
  let manifest: StatisticsManifest

  /// Opens the file at `path`.
  ///
  /// - Throws: ``StatisticsError``, and the errors of reading safetensors.
  init(path: String) throws {
    file = try SafetensorsFile(path: path)
    manifest = try StatisticsManifest(in: file.metadata, of: path)
    for expected in manifest.tensors {
      guard let found = file[expected.name] else {
        throw StatisticsError.malformed(
          path: path, reason: "tensor '\(expected.name)' is not there")
      }
      guard found.spec == expected else {
        throw StatisticsError.malformed(
          path: path,
          reason: "tensor '\(expected.name)' is \(found.dtype.rawValue) \(found.shape),"
            + " not \(expected.dtype.rawValue) \(expected.shape)")
      }
    }
  }

  /// The path it was opened by.
  var path: String { file.path }

  /// The fingerprints of the sequences.
  func sequences() throws -> [Int] { try file.integers(StatisticsManifest.sequences) }

  /// The largest magnitude of each of a stage's inputs.
  func maxima(_ stage: StatisticsManifest.StageKey) throws -> [Float] {
    try Matrix(file.vector(stage.maxima)).values
  }

  /// Some neighbouring values of a tensor.
  func bytes(_ name: String, _ values: Range<Int>) throws -> ByteView {
    let all = try file.bytes(of: name)
    let size = file[name].map { $0.dtype.bits / 8 } ?? 1
    return all[values.lowerBound * size..<values.upperBound * size]
  }
}
