internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Runs that are cut short and gone on with, and what is refused then.
@Suite struct ResumeTests {
  private static let qwen2 = ModelFixture(name: "architectures/qwen2")

  /// The failure that a test brings about.
  private struct Cut: Error {}

  /// What is run: a name for messages, and options without a place.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let options: PruneOptions
    var writesText = false
    var testDescription: String { name }

    init(_ name: String, _ options: PruneOptions, writesText: Bool = false) {
      self.name = name
      self.options = options
      self.writesText = writesText
    }
  }

  static let cases = [
    Case("magnitude", PruneOptions(method: .magnitude)),
    Case("magnitude int8", PruneOptions(method: .magnitude, quantization: QuantizationOptions())),
    Case("wanda", PruneOptions(method: .wanda)),
    Case("sparsegpt int8", PruneOptions(method: .sparseGPT, quantization: QuantizationOptions())),
    Case("admm smooth", PruneOptions(method: .admm, effort: .fast, smoothing: 0.5)),
    Case("wanda self", PruneOptions(method: .wanda), writesText: true),
  ]

  private let place: PrunedFolder

  init() throws {
    place = try PrunedFolder(EditedModel(Self.qwen2))
    _ = try place.tokens(samples: 6, length: 16, vocabulary: 64)
  }

  private func run(
    _ options: PruneOptions, writesText: Bool = false, to output: String, resumes: Bool = false,
    force: Bool = false, threads: Int = 2, progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    var options = options
    (options.output, options.resumes, options.force) = (place.folder[output], resumes, force)
    if options.method != .magnitude {
      options.calibration =
        writesText
        ? CalibrationOptions(samples: 3, length: 12)
        : CalibrationOptions(source: .tokens(path: place.folder["tokens.safetensors"]))
    }
    var run = try PruneRun(place.input, options)
    run.journalStretch = 1000
    return try run.run(on: Compute(threads: threads), progress: progress)
  }

  private func progressCount(_ options: PruneOptions, writesText: Bool, to output: String) throws
    -> Int
  {
    var count = 0
    _ = try run(options, writesText: writesText, to: output) { _ in count += 1 }
    return count
  }

  private var partial: String { place.folder["cut.partial"] }

  @Test(arguments: cases) func aRunThatIsCutAnywhereEndsWithTheSameBytes(_ what: Case) throws {
    let count = try progressCount(what.options, writesText: what.writesText, to: "whole")
    for cut in Set((0..<8).map { $0 * count / 8 }).sorted() {
      // Cut again and again, always after as many steps.
      var runs = 0
      var isDone = false
      while !isDone {
        runs += 1
        var steps = 0
        do {
          let report = try run(
            what.options, writesText: what.writesText, to: "cut", resumes: true, threads: runs
          ) { _ in
            steps += 1
            if steps > cut && runs < 4 { throw Cut() }
          }
          #expect(report.layers.count == 14)
          isDone = true
        } catch let error as UnfinishedRun {
          #expect(error.error is Cut)
          #expect(error.folder == partial)
          #expect(FileManager.default.fileExists(atPath: partial))
        } catch is Cut {
          #expect(!FileManager.default.fileExists(atPath: partial), "nothing was finished")
        }
        #expect(isDone == FileManager.default.fileExists(atPath: place.folder["cut"]))
      }
      #expect(try place.bytes("cut") == place.bytes("whole"), "cut after \(cut) of \(count)")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: place.folder.path).sorted()
          == ["cut", "model", "tokens.safetensors", "whole"])
      try FileManager.default.removeItem(atPath: place.folder["cut"])
    }
  }

  /// Leaves a run that is cut short after its first block.
  private func leaveUnfinished(_ options: PruneOptions = PruneOptions(method: .wanda)) throws {
    let error = #expect(throws: UnfinishedRun.self) {
      try run(options, to: "cut") {
        if $0.step.hasPrefix("block 2") { throw Cut() }
      }
    }
    #expect(error?.done == "1 block")
    #expect(
      error?.description
        == "Cut(); 1 block done, kept in \(partial): the same command with --resume goes on there")
  }

  @Test func reportsOfAResumedRunHaveAllLayers() throws {
    let whole = try run(PruneOptions(method: .wanda), to: "whole")
    try leaveUnfinished()
    let resumed = try run(PruneOptions(method: .wanda), to: "cut", resumes: true)
    #expect(resumed.layers.map(\.name) == whole.layers.map(\.name))
    #expect(resumed.layers.map(\.relativeError) == whole.layers.map(\.relativeError))
    #expect(resumed.layers.map(\.sparsity) == whole.layers.map(\.sparsity))
  }

  @Test func onlyWhatIsLeftIsDone() throws {
    try leaveUnfinished()
    var steps: Set<String> = []
    _ = try run(PruneOptions(method: .wanda), to: "cut", resumes: true) { steps.insert($0.step) }
    #expect(!steps.contains { $0.hasPrefix("block 1 ") })
    #expect(steps.contains { $0.hasPrefix("block 2 ") })
  }

  @Test func unfinishedWorkIsNotThrownAwayUnasked() throws {
    try leaveUnfinished()
    #expect(throws: JournalError.unfinished(folder: partial, done: "1 block")) {
      try run(PruneOptions(method: .wanda), to: "cut")
    }
    #expect(FileManager.default.fileExists(atPath: partial))
    _ = try run(PruneOptions(method: .wanda), to: "cut", force: true)
    #expect(!FileManager.default.fileExists(atPath: partial))
  }

  /// Tries to resume and expects to be told what differs, with nothing lost.
  private func expectDifference(
    _ part: String, then: String? = nil, now: String? = nil,
    _ options: PruneOptions = PruneOptions(method: .wanda), threads: Int = 2
  ) throws {
    let error = #expect(throws: JournalError.self) {
      try run(options, to: "cut", resumes: true, threads: threads)
    }
    guard case .differs(let folder, let found, let was, let `is`) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(folder == partial)
    #expect(found == part)
    if let then { #expect(was == then) }
    if let now { #expect(`is` == now) }
    #expect(FileManager.default.fileExists(atPath: partial))
  }

  @Test func anotherRunIsNotGoneOnWith() throws {
    try leaveUnfinished()
    try expectDifference(
      "the method", then: "wanda", now: "sparsegpt", PruneOptions(method: .sparseGPT))
    try expectDifference(
      "--permute", then: "none", now: "false", PruneOptions(method: .wanda, permutes: false))
    try expectDifference(
      "the choice of weights",
      PruneOptions(method: .wanda, selection: WeightSelection(skip: ["*.down_proj.*"])))
    let tokens = try place.folder.read("tokens.safetensors")
    try place.folder.write(Array(tokens.dropLast(4)) + [1, 0, 0, 0], to: "tokens.safetensors")
    try expectDifference("the calibration's tokens")
    try place.folder.write(tokens, to: "tokens.safetensors")
    let weights = try place.bytes("model")
    var changed = weights
    changed[weights.count - 2] ^= 1
    try place.folder.write(changed, to: "model/model.safetensors")
    let last = try #require(Checkpoint(path: place.input).tensors.last)
    try expectDifference(
      "tensor \(last.name) \(last.dtype.rawValue) \(last.shape) of \(place.input)")
    try place.folder.write(weights, to: "model/model.safetensors")
    let config = try place.bytes("model", "config.json")
    try place.folder.write(config + [10], to: "model/config.json")
    try expectDifference("config.json")
    try place.folder.write(config, to: "model/config.json")
    // With all as it was the run goes on.
    _ = try run(PruneOptions(method: .wanda), to: "cut", resumes: true)
    _ = try run(PruneOptions(method: .wanda), to: "whole")
    #expect(try place.bytes("cut") == place.bytes("whole"))
  }

  @Test func whatIsDamagedIsDoneAnew() throws {
    _ = try run(PruneOptions(method: .wanda), to: "whole")
    for name in ["hidden-even", "output/model.safetensors", "journal"] {
      try leaveUnfinished()
      let file = "cut.partial/\(name)"
      var bytes = try place.folder.read(file)
      for index in stride(from: bytes.count / 8, to: bytes.count, by: 61) { bytes[index] ^= 0x55 }
      try place.folder.write(bytes, to: file)
      var notes: [String] = []
      _ = try run(PruneOptions(method: .wanda), to: "cut", resumes: true) {
        if let note = $0.note { notes.append(note) }
      }
      let told = name == "journal" ? partial + "/journal" : partial
      #expect(notes.count == 1 && notes[0].hasPrefix("\(told): is not what"), "\(notes)")
      #expect(try place.bytes("cut") == place.bytes("whole"), "\(name)")
      try FileManager.default.removeItem(atPath: place.folder["cut"])
    }
  }

  /// What was being written beside the weights when the process was killed has no place in the output.
  @Test func halfWrittenFilesDoNotGetIntoTheOutput() throws {
    _ = try run(PruneOptions(method: .wanda), to: "whole")
    try leaveUnfinished()
    try place.folder.write(
      "half", to: "cut.partial/output/model.safetensors.index.json.tmp-0123456789abcdef")
    try place.folder.write("{", to: "cut.partial/output/config.json")
    _ = try run(PruneOptions(method: .wanda), to: "cut", resumes: true)
    #expect(
      try FileSystem.names(in: place.folder["cut"]) == FileSystem.names(in: place.folder["whole"]))
    #expect(try place.bytes("cut", "config.json") == place.bytes("whole", "config.json"))
  }

  @Test(arguments: cases) func aRunThatOnlyLacksItsEndIsEnded(_ what: Case) throws {
    let journal = KeptJournal(of: place.folder["cut"])
    let whole = try run(what.options, writesText: what.writesText, to: "cut") { _ in
      try journal.keep()
    }
    let bytes = try place.bytes("cut")
    try journal.restore()
    #expect(throws: CheckpointOutputError.exists(path: place.folder["cut"])) {
      try run(what.options, writesText: what.writesText, to: "cut")
    }
    let report = try run(what.options, writesText: what.writesText, to: "cut", resumes: true)
    #expect(report.layers.map(\.relativeError) == whole.layers.map(\.relativeError))
    #expect(report.calibration?.0 == whole.calibration?.0)
    #expect(try place.bytes("cut") == bytes)
    #expect(!FileManager.default.fileExists(atPath: partial))
  }

  @Test func anOutputThatIsGoneIsMadeAgain() throws {
    let journal = KeptJournal(of: place.folder["cut"])
    _ = try run(PruneOptions(method: .wanda), to: "cut") { _ in try journal.keep() }
    let bytes = try place.bytes("cut")
    try journal.restore()
    try FileManager.default.removeItem(atPath: place.folder["cut"])
    _ = try run(PruneOptions(method: .wanda), to: "cut", resumes: true)
    #expect(try place.bytes("cut") == bytes)
  }

  /// What has the output's name is that run's output only once it was given the name.
  @Test func anOutputThatIsNotItsOwnIsNotReplacedUnasked() throws {
    try leaveUnfinished()
    do {
      let journal = try #require(try Journal(path: partial + "/journal"))
      try journal.append(.complete)
    }
    _ = try run(PruneOptions(method: .magnitude), to: "other")
    try FileManager.default.moveItem(atPath: place.folder["other"], toPath: place.folder["cut"])
    #expect(throws: CheckpointOutputError.exists(path: place.folder["cut"])) {
      try run(PruneOptions(method: .wanda), to: "cut", resumes: true)
    }
  }

  @Test func whatIsNoUnfinishedRunIsLeftAlone() throws {
    try place.folder.write("mine", to: "cut.partial/notes.txt")
    for (resumes, force) in [(false, false), (true, false), (false, true)] {
      #expect(throws: JournalError.notAJournal(folder: partial)) {
        try run(PruneOptions(method: .magnitude), to: "cut", resumes: resumes, force: force)
      }
    }
    #expect(try place.folder.read("cut.partial/notes.txt") == Array("mine".utf8))
  }

  @Test func twoRunsDoNotWorkOnOneOutput() throws {
    let error = #expect(throws: (any Error).self) {
      try run(PruneOptions(method: .wanda), to: "cut") { _ in
        #expect(throws: JournalError.busy(folder: partial)) {
          try run(PruneOptions(method: .wanda), to: "cut", force: true)
        }
        throw Cut()
      }
    }
    #expect(error is Cut)
    #expect(!FileManager.default.fileExists(atPath: partial))
  }
}
