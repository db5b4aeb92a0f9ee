internal import SparseCore
internal import TestSupport

@testable internal import SparseModel

/// A folder with a model's statistics and parts of them.
struct StatisticsPlace {
  let folder: TemporaryFolder
  let model: String
  let calibration: CalibrationOptions

  /// Twelve tokens of each of some sequences of the tiny model's calibration text, or of its own.
  init(samples: Int = 5, source: CalibrationSource? = nil, model: String? = nil) throws {
    folder = try TemporaryFolder()
    self.model = model ?? ModelFixture.tiny.path
    calibration = CalibrationOptions(
      source: source ?? .text(path: ModelFixture.tiny.file("calibration.txt")), samples: samples,
      length: 12)
  }

  /// Collects statistics and returns their path.
  @discardableResult
  func collect(
    _ name: String, _ kind: StatisticsKind = .gram, samples: SampleSelection = .all,
    blocks: Range<Int>? = nil, calibration: CalibrationOptions? = nil, model: String? = nil,
    threads: Int = 2
  ) throws -> String {
    let options = CalibrateOptions(
      calibration: calibration ?? self.calibration, kind: kind, samples: samples, blocks: blocks,
      output: folder[name])
    _ = try CalibrateRun(model ?? self.model, options).run(on: Compute(threads: threads))
    return folder[name]
  }

  /// Adds parts up and returns the bytes of the whole.
  func merged(_ parts: [String], _ name: String = "merged") throws -> [UInt8] {
    _ = try StatisticsMerge(parts, output: folder[name], force: true).run(on: Compute(threads: 3))
    return try folder.read(name)
  }
}
