internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Whatever gets the output's name while a run is at work stays as it is, unless it is to be replaced.
@Suite struct TakenNameTests {
  /// A dense model, what is made of it, and the runs that make something of those.
  fileprivate struct Place {
    let training: TrainingPlace
    var folder: TemporaryFolder { training.folder }

    init() throws {
      training = try TrainingPlace()
      _ = try CompressRun(training.sparse, EncodingOptions(output: folder["small"])).run()
      _ = try CalibrateRun(
        training.dense, CalibrateOptions(calibration: calibration, output: folder["grams"])
      ).run()
      for number in 0..<2 {
        var options = pruning(.magnitude)
        options.output = folder["part\(number)"]
        let part = try #require(WorkPart(number, of: 2))
        _ = try LayerwiseRun(
          training.dense, options, statistics: nil, selection: .part(part)
        ).run()
      }
    }

    var calibration: CalibrationOptions {
      CalibrationOptions(source: .tokens(path: folder["text.safetensors"]))
    }

    func pruning(_ method: PruningMethod, force: Bool = false) -> PruneOptions {
      PruneOptions(
        method: method, calibration: method == .magnitude ? nil : calibration,
        output: folder["out"], force: force)
    }

    func encoding(_ force: Bool) -> EncodingOptions {
      EncodingOptions(output: folder["out"], force: force)
    }
  }

  /// What makes an output, and whether it is a single file.
  struct Job: Sendable, CustomTestStringConvertible {
    let name: String
    var isFile = false
    var isKept = false
    fileprivate let run: @Sendable (Place, _ force: Bool, @escaping ProgressHandler) throws -> Void
    var testDescription: String { name }
  }

  static let jobs = [
    Job(name: "prune by magnitude", isKept: true) { place, force, progress in
      _ = try PruneRun(place.training.dense, place.pruning(.magnitude, force: force))
        .run(progress: progress)
    },
    Job(name: "prune by wanda", isKept: true) { place, force, progress in
      _ = try PruneRun(place.training.dense, place.pruning(.wanda, force: force))
        .run(progress: progress)
    },
    Job(name: "prune a file", isFile: true, isKept: true) { place, force, progress in
      _ = try PruneRun(
        place.training.dense + "/model.safetensors", place.pruning(.magnitude, force: force)
      ).run(progress: progress)
    },
    Job(name: "prune and train", isKept: true) { place, force, progress in
      _ = try TrainedPruning(
        place.training.dense, place.pruning(.wanda, force: force),
        place.training.options { $0.training.length = .steps(1) }
      ).run(progress: progress)
    },
    Job(name: "train", isKept: true) { place, force, progress in
      try place.training.run(
        place.training.options {
          ($0.training.length, $0.force) = (.steps(1), force)
        }, progress: progress)
    },
    Job(name: "quantize") { place, force, progress in
      _ = try QuantizeRun(
        place.training.dense, QuantizeOptions(output: place.folder["out"], force: force)
      ).run(progress: progress)
    },
    Job(name: "quantize a file", isFile: true) { place, force, progress in
      _ = try QuantizeRun(
        place.training.dense + "/model.safetensors",
        QuantizeOptions(output: place.folder["out"], force: force)
      ).run(progress: progress)
    },
    Job(name: "compress") { place, force, progress in
      _ = try CompressRun(place.training.sparse, place.encoding(force)).run(progress: progress)
    },
    Job(name: "expand") { place, force, progress in
      _ = try ExpandRun(place.folder["small"], place.encoding(force)).run(progress: progress)
    },
    Job(name: "export") { place, force, progress in
      let target = try #require(ExportTarget.named("vllm"))
      _ = try ExportRun(
        place.training.sparse, for: target, output: place.folder["out"], force: force
      ).run(progress: progress)
    },
    Job(name: "prune from statistics") { place, force, progress in
      _ = try LayerwiseRun(
        place.training.dense, place.pruning(.wanda, force: force), statistics: place.folder["grams"]
      ).run(progress: progress)
    },
    Job(name: "prune a part", isFile: true) { place, force, progress in
      let part = try #require(WorkPart(1, of: 2))
      _ = try LayerwiseRun(
        place.training.dense, place.pruning(.magnitude, force: force), statistics: nil,
        selection: .part(part)
      ).run(progress: progress)
    },
    Job(name: "merge") { place, force, progress in
      _ = try PrunedMerge(
        [place.folder["part0"], place.folder["part1"]], model: place.training.dense,
        output: place.folder["out"], force: force
      ).run(progress: progress)
    },
    Job(name: "calibrate", isFile: true) { place, force, progress in
      _ = try CalibrateRun(
        place.training.dense,
        CalibrateOptions(calibration: place.calibration, output: place.folder["out"], force: force)
      ).run(progress: progress)
    },
    Job(name: "merge statistics", isFile: true) { place, force, progress in
      _ = try StatisticsMerge([place.folder["grams"]], output: place.folder["out"], force: force)
        .run(progress: progress)
    },
    Job(name: "measure sensitivity", isFile: true, isKept: true) { place, force, progress in
      _ = try SensitivityRun(
        place.training.dense,
        SensitivityOptions(
          pruning: PruneOptions(method: .magnitude), unit: .block,
          heldOut: CalibrationOptions(
            source: place.calibration.source, samples: 2, length: TrainingPlace.length),
          output: place.folder["out"], force: force)
      ).run(progress: progress)
    },
  ]

  private let place: Place

  init() throws { place = try Place() }

  /// Puts something at the output's place as soon as the work goes on.
  private func take(_ job: Job) throws {
    guard !FileSystem.isTaken(place.folder["out"]) else { return }
    try place.folder.write("mine", to: job.isFile ? "out" : "out/mine.safetensors")
  }

  @Test(arguments: jobs) func whatHasTheNameIsLeftAlone(job: Job) throws {
    let before = try FileSystem.names(in: place.folder.path)
    do {
      try job.run(place, false) { _ in try take(job) }
      Issue.record("\(job.name) has succeeded")
    } catch let error as UnfinishedRun {
      #expect(job.isKept)
      #expect(error.error as? CheckpointOutputError == .exists(path: place.folder["out"]))
      #expect(error.done == "all")
    } catch let error as CheckpointOutputError {
      #expect(!job.isKept && error == .exists(path: place.folder["out"]))
    }
    #expect(
      try place.folder.read(job.isFile ? "out" : "out/mine.safetensors") == Array("mine".utf8))
    let kept =
      job.isKept ? [job.name.contains("and train") ? "out.steps.partial" : "out.partial"] : []
    #expect(try FileSystem.names(in: place.folder.path) == (before + ["out"] + kept).sorted())
    if !job.isFile {
      #expect(try FileSystem.names(in: place.folder["out"]) == ["mine.safetensors"])
    }
  }

  @Test(arguments: jobs) func whatIsToBeReplacedIs(job: Job) throws {
    let before = try FileSystem.names(in: place.folder.path)
    try job.run(place, true) { _ in try take(job) }
    #expect(try FileSystem.names(in: place.folder.path) == (before + ["out"]).sorted())
    if job.isFile {
      #expect(try place.folder.read("out") != Array("mine".utf8))
    } else {
      #expect(!FileSystem.isTaken(place.folder["out/mine.safetensors"]))
      #expect(FileSystem.isTaken(place.folder["out/config.json"]))
    }
  }

  /// What was made is not lost: once the name is free the run is ended without any work.
  @Test func theWorkIsEndedOnceTheNameIsFree() throws {
    let job = Self.jobs[1]
    #expect(throws: UnfinishedRun.self) { try job.run(place, false) { _ in try take(job) } }
    var options = place.pruning(.wanda)
    options.resumes = true
    #expect(throws: CheckpointOutputError.exists(path: place.folder["out"])) {
      try PruneRun(place.training.dense, options).run()
    }
    try FileSystem.removeTree(place.folder["out"])
    _ = try PruneRun(place.training.dense, options).run { progress in
      #expect(!progress.step.contains("block"), "\(progress.step)")
    }
    let made = try place.folder.read("out/model.safetensors")
    try FileSystem.removeTree(place.folder["out"])
    try job.run(place, false) { _ in }
    #expect(try place.folder.read("out/model.safetensors") == made)
  }
}
