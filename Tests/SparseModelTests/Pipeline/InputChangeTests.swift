import Foundation
import SparseCore
import SparseModel
import TestSupport
import Testing

/// What is read must be the same at the end of a run as at its beginning, or the run was for nothing.
@Suite struct InputChangeTests {
  /// A run that reads a checkpoint and writes another one.
  enum Job: String, CaseIterable { case prune, quantize, compress, expand, export, pack }

  /// What another program does to a file in the meantime.
  enum Change: String, CaseIterable { case touched, longer, shorter, gone }

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let shards = [
      "model-1-of-2.safetensors": "a.0.weight", "model-2-of-2.safetensors": "b.1.weight",
    ]
    for (file, name) in shards {
      try folder.write("", to: "model/\(file)")
      let writer = try SafetensorsWriter(
        path: folder["model/\(file)"],
        tensors: [TensorSpec(name: name, dtype: .bf16, shape: [32, 64])])
      let values = (0..<32 * 64).map { (place: Int) -> Float in
        place % 4 < 2 ? Float(place % 7 + 1) : 0
      }
      let weight = StoredMatrix(Matrix(rows: 32, columns: 64, values), as: .bfloat16)
      try writer.write(weight.bytes, as: name)
      try writer.commit()
    }
    let map = JSON.object(shards.map { JSON.Member(key: $1, value: .string($0)) })
    try folder.write(
      JSON.object([JSON.Member(key: "weight_map", value: map)]).text(),
      to: "model/model.safetensors.index.json")
    try folder.write(#"{"model_type":"llama"}"#, to: "model/config.json")
    try folder.write("notes", to: "model/notes/notes.txt")
  }

  private func run(_ job: Job, _ progress: ProgressHandler) throws {
    let (model, output) = (folder["model"], folder["out"])
    let options = EncodingOptions(output: output)
    let compute = Compute(threads: 2)
    switch job {
    case .prune:
      _ = try PruneRun(model, PruneOptions(method: .magnitude, output: output))
        .run(on: compute, progress: progress)
    case .quantize:
      _ = try QuantizeRun(model, QuantizeOptions(output: output))
        .run(on: compute, progress: progress)
    case .compress:
      _ = try CompressRun(model, options).run(on: compute, progress: progress)
    case .expand: _ = try ExpandRun(model, options).run(on: compute, progress: progress)
    case .export, .pack:
      let name = job == .export ? "transformers" : "pytorch"
      let target = try #require(ExportTarget.named(name))
      _ = try ExportRun(model, for: target, output: output)
        .run(on: compute, progress: progress)
    }
  }

  /// Puts the compressed form in the place of the model, which `expand` needs.
  private func prepare(_ job: Job) throws {
    guard job == .expand else { return }
    try run(.compress) { _ in }
    try FileManager.default.removeItem(atPath: folder["model"])
    try FileManager.default.moveItem(atPath: folder["out"], toPath: folder["model"])
  }

  private func make(_ change: Change, to file: String) throws -> FileError {
    let path = folder["model/" + file]
    let size = try folder.read("model/" + file).count
    switch change {
    case .touched:
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: path)
      return .modified(path: path)
    case .longer:
      let handle = try FileHandle(forWritingTo: URL(filePath: path))
      try handle.truncate(atOffset: UInt64(size + 1))
      try handle.close()
      return .resized(path: path, from: size, to: size + 1)
    case .shorter:
      // As a copy under the same name: what is mapped must stay.
      try FileManager.default.removeItem(atPath: path)
      try folder.write([UInt8](repeating: 32, count: 1), to: "model/" + file)
      return .resized(path: path, from: size, to: 1)
    case .gone:
      try FileManager.default.removeItem(atPath: path)
      return .vanished(path: path)
    }
  }

  @Test(
    arguments: Job.allCases,
    [
      "model-2-of-2.safetensors", "model.safetensors.index.json", "config.json",
      "notes/notes.txt",
    ])
  func aChangeOfAnyFileThatIsReadEndsTheRun(job: Job, file: String) throws {
    try prepare(job)
    for change in Change.allCases {
      let copy = try folder.read("model/" + file)
      var expected: FileError?
      let error = #expect(throws: FileError.self, "\(change)") {
        try run(job) { _ in
          if expected == nil { expected = try make(change, to: file) }
        }
      }
      #expect(error == expected, "\(change)")
      let left = try folder.contents().filter { !$0.hasPrefix("model") }
      #expect(left.isEmpty, "\(change) left \(left)")
      try folder.write(copy, to: "model/" + file)
    }
    // As it was: nothing stands in the way of the next run.
    try run(job) { _ in }
    #expect(try Checkpoint(path: folder["out"]).files.count == 2)
  }

  @Test func whatIsReadBesidesTheModelCounts() throws {
    let model = try EditedModel(ModelFixture(name: "architectures/qwen2")).write(to: folder, "tiny")
    let tokens = folder["tokens.safetensors"]
    for (file, wants) in [("tokens.safetensors", "tokens.safetensors"), ("tiny/config.json", "")] {
      let writer = try SafetensorsWriter(
        path: tokens, tensors: [TensorSpec(name: "tokens", dtype: .i32, shape: [2, 8])])
      try writer.write(ByteView(copying: [UInt8](repeating: 0, count: 64)), as: "tokens")
      try writer.commit()
      let options = CalibrationOptions(source: .tokens(path: tokens))
      let runs: [(ProgressHandler) throws -> Void] = [
        {
          _ = try PruneRun(
            model + (wants.isEmpty ? "/model.safetensors" : ""),
            PruneOptions(
              method: .wanda, calibration: options,
              output: folder[wants.isEmpty ? "out.safetensors" : "out"])
          ).run(on: Compute(threads: 1), progress: $0)
        },
        {
          _ = try CalibrateRun(
            model, CalibrateOptions(calibration: options, output: folder["out.safetensors"])
          ).run(on: Compute(threads: 1), progress: $0)
        },
      ]
      for (index, run) in runs.enumerated() {
        var time = 1e9 + Double(index)
        let error = #expect(throws: FileError.self, "\(file) \(index)") {
          try run { _ in
            time += 10
            try FileManager.default.setAttributes(
              [.modificationDate: Date(timeIntervalSince1970: time)], ofItemAtPath: folder[file])
          }
        }
        #expect(error == .modified(path: folder[file]), "\(file) \(index)")
        #expect(try folder.contents().filter { $0.hasPrefix("out") }.isEmpty)
      }
    }
  }

  @Test func partsOfStatisticsCountToo() throws {
    let place = try StatisticsPlace(samples: 2)
    let part = try place.collect("part.safetensors")
    let before = try place.folder.contents()
    let merge = try StatisticsMerge([part], output: place.folder["all.safetensors"])
    #expect(throws: FileError.modified(path: part)) {
      try merge.run(on: Compute(threads: 1)) { _ in
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: part)
      }
    }
    #expect(try place.folder.contents() == before)
  }

  @Test func partsOfPruningCountToo() throws {
    let input = folder["model"]
    func touch(_ path: String) throws {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: path)
    }
    func part(_ number: Int) throws -> LayerwiseRun {
      try LayerwiseRun(
        input, PruneOptions(method: .magnitude, output: folder["part-\(number)"]), statistics: nil,
        selection: .part(#require(WorkPart(number, of: 2))))
    }
    for number in 0...1 { _ = try part(number).run(on: Compute(threads: 1)) }
    let merge = try PrunedMerge(
      [folder["part-0"], folder["part-1"]], model: input, output: folder["out"])
    #expect(throws: FileError.modified(path: folder["part-1"])) {
      try merge.run(on: Compute(threads: 1)) { _ in try touch(folder["part-1"]) }
    }
    try FileManager.default.removeItem(atPath: folder["part-0"])
    #expect(throws: FileError.modified(path: input + "/config.json")) {
      try part(0).run(on: Compute(threads: 1)) { _ in try touch(input + "/config.json") }
    }
    #expect(try folder.contents().filter { !$0.hasPrefix("model") } == ["part-1"])
  }

  @Test func aParentThatVanishesIsNamed() throws {
    let output = folder["place/out.safetensors"]
    try folder.write("", to: "place/keep")
    let input = folder["model/model-1-of-2.safetensors"]
    let run = try PruneRun(input, PruneOptions(method: .magnitude, output: output))
    #expect(throws: FileError.missingFolder(path: folder["place"])) {
      do {
        _ = try run.run(on: Compute(threads: 1)) { _ in
          try? FileManager.default.removeItem(atPath: folder["place"])
        }
      } catch let error as UnfinishedRun { throw error.error }
    }
    #expect(!FileManager.default.fileExists(atPath: folder["place"]))
    let file = try AtomicFile(path: folder["report.json"])
    let made = try #require(folder.contents().first { $0.hasPrefix("report.json.tmp-") })
    try FileManager.default.removeItem(atPath: folder[made])
    let error = #expect(throws: FileError.self) { try file.commit() }
    #expect(
      error?.description == "\(folder["report.json"]): cannot rename: No such file or directory")
  }
}
