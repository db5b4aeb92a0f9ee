import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// A small model with biases in a place of its own, its statistics, and what is pruned with them.
private struct Place {
  let made: PrunedFolder
  let grams: String
  var folder: TemporaryFolder { made.folder }

  init(_ fixture: String = "qwen2") throws {
    let model = try EditedModel(ModelFixture(name: "architectures/\(fixture)"))
    made = try PrunedFolder(model)
    let vocabulary = try ModelFixture(name: "architectures/\(fixture)").decoder().configuration
      .vocabulary
    let tokens = try made.tokens(samples: 3, length: 16, vocabulary: Int32(vocabulary))
    grams = made.folder["grams"]
    let options = CalibrateOptions(calibration: tokens, output: grams)
    _ = try CalibrateRun(made.input, options).run()
  }

  func prune(
    _ options: PruneOptions, _ selection: LayerSelection, to name: String, threads: Int = 2,
    model: String? = nil, statistics: String? = nil
  ) throws -> String {
    var options = options
    options.output = folder[name]
    let needed = options.needs == .none && options.smoothing == nil ? nil : statistics ?? grams
    _ = try LayerwiseRun(
      model ?? made.input, options, statistics: needed, selection: selection
    ).run(on: Compute(threads: threads))
    return folder[name]
  }

  func merge(_ parts: [String], model: String? = nil, to name: String = "merged") throws {
    _ = try PrunedMerge(
      parts, model: model ?? made.input, output: folder[name], force: true
    ).run(on: Compute(threads: 3))
  }

  /// The files of a folder and their bytes.
  func contents(_ name: String) throws -> [String: [UInt8]] {
    let files = try FileSystem.names(in: folder[name])
    return Dictionary(
      uniqueKeysWithValues: try files.map { ($0, try folder.read("\(name)/\($0)")) })
  }
}

/// A pruned checkpoint in parts is, put together, the bytes of one run.
@Suite struct PrunedMergeTests {
  static let jobs: [PruneOptions] = [
    PruneOptions(method: .magnitude),
    PruneOptions(method: .magnitude, quantization: QuantizationOptions()),
    PruneOptions(method: .wanda),
    PruneOptions(method: .wanda, permutes: false, quantization: QuantizationOptions(groupSize: 4)),
    PruneOptions(method: .sparseGPT, permutes: false),
    PruneOptions(method: .sparseGPT, smoothing: 0.5),
    PruneOptions(effort: .fast, quantization: QuantizationOptions(), smoothing: 0.7),
    PruneOptions(effort: .fast, selection: WeightSelection(only: ["*.mlp.*"], skip: ["*.0.*up*"])),
  ]

  private func parts(_ count: Int) throws -> [LayerSelection] {
    try (0..<count).map { .part(try #require(WorkPart($0, of: count))) }
  }

  @Test(arguments: jobs.indices, ["qwen2", "llama-biases"])
  func anySplitGivesTheBytesOfOneRun(job: Int, fixture: String) throws {
    let place = try Place(fixture)
    let options = Self.jobs[job]
    if options.needs == .none {
      var whole = options
      whole.output = place.folder["whole"]
      _ = try PruneRun(place.made.input, whole).run()
    } else {
      _ = try place.prune(options, .all, to: "whole", threads: 1)
    }
    let whole = try place.contents("whole")
    #expect(try Checkpoint(path: place.folder["whole"]).check().passed)
    for split in [try parts(3), [.blocks(1..<2), .blocks(0..<1)]] {
      let paths = try split.enumerated().map {
        try place.prune(options, $1, to: "part-\($0)", threads: $0 + 1)
      }
      try place.merge(paths.reversed())
      #expect(try place.contents("merged") == whole)
      for path in paths { try FileSystem.removeTree(path) }
    }
  }

  @Test func refittedPartsGiveTheBytesOfOneRun() throws {
    let place = try Place()
    var options = PruneOptions(method: .magnitude, output: place.folder["sparse"])
    _ = try PruneRun(place.made.input, options).run()
    options = PruneOptions(effort: .fast, dense: place.made.input)
    let sparse = place.folder["sparse"]
    _ = try place.prune(options, .all, to: "whole", model: sparse)
    let paths = try parts(4).enumerated().map {
      try place.prune(options, $1, to: "part-\($0)", model: sparse)
    }
    try place.merge(paths, model: sparse)
    #expect(try place.contents("merged") == place.contents("whole"))
  }

  @Test func shardsAndSingleFilesComeOutAsOneRunMakesThem() throws {
    let place = try Place()
    let model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    let sharded = try TemporaryFolder()
    _ = try model.writeShards(to: sharded, count: 3)
    for (input, output) in [
      (sharded["model"], "whole"),
      (place.folder["model/model.safetensors"], "whole.safetensors"),
    ] {
      let options = PruneOptions(method: .magnitude, output: place.folder[output])
      _ = try PruneRun(input, options).run()
      let paths = try parts(2).enumerated().map {
        try place.prune(PruneOptions(method: .magnitude), $1, to: "part-\($0)", model: input)
      }
      let merged = "merged" + output.dropFirst("whole".count)
      try place.merge(paths, model: input, to: String(merged))
      if output == "whole" {
        #expect(try place.contents("merged") == place.contents("whole"))
        #expect(try place.contents("merged").count > 3)
      } else {
        #expect(try place.folder.read(String(merged)) == place.folder.read(output))
      }
      for path in paths { try FileSystem.removeTree(path) }
    }
  }

  /// The first stage of the first block reads the same in the dense model and while it is pruned.
  @Test func theFirstStageIsPrunedAsOnTheWayThroughTheModel() throws {
    let place = try StatisticsPlace(samples: 4)
    let grams = try place.collect("grams")
    func report(_ output: String) -> PruneOptions {
      PruneOptions(
        method: .sparseGPT, permutes: false, calibration: place.calibration,
        output: place.folder[output])
    }
    let walked = try PruneRun(place.model, report("walked")).run()
    let alone = try LayerwiseRun(place.model, report("alone"), statistics: grams).run()
    #expect(alone.layers.map(\.name) == walked.layers.map(\.name))
    for (a, b) in zip(alone.layers, walked.layers).prefix(3) {
      let (x, y) = (try #require(a.relativeError), try #require(b.relativeError))
      #expect(abs(x - y) < 0.02 * y, "\(a.name): \(x), \(y)")
    }
    #expect(alone.layers.allSatisfy { $0.sampleTokens == 48 && $0.sparsity == 0.5 })
    // What follows reads other inputs.
    let last = zip(alone.layers, walked.layers).suffix(1).map {
      $0.relativeError != $1.relativeError
    }
    #expect(last == [true])
  }

  // MARK: Refusals

  private func refusal(_ place: Place, _ parts: [String], model: String? = nil) throws
    -> PrunedPartError?
  {
    let before = try place.folder.contents()
    defer { #expect((try? place.folder.contents()) == before) }
    do {
      try place.merge(parts, model: model)
      Issue.record("\(parts) were put together")
      return nil
    } catch {
      return error as? PrunedPartError
    }
  }

  @Test func partsThatOverlapOrLeaveSomethingOutAreRefusedByName() throws {
    let place = try Place()
    let options = PruneOptions(method: .magnitude)
    let paths = try parts(2).enumerated().map {
      try place.prune(options, $1, to: "part-\($0)")
    }
    let block = try place.prune(options, .blocks(0..<1), to: "block")
    let first = "model.layers.0.mlp.down_proj.weight"
    #expect(
      try refusal(place, paths + [paths[1]])
        == .overlap(
          tensor: try #require(try PrunedPartFile(path: paths[1]).part.own.first), path: paths[1],
          other: paths[1]))
    #expect(
      try refusal(place, paths + [block])
        == .overlap(tensor: first, path: block, other: paths[0]))
    let missing = try #require(try refusal(place, [paths[1]]))
    #expect(missing == .missing(weight: first, count: 7, of: 14, parts: 1))
    #expect("\(missing)" == "7 of 14 weights are not in the part: '\(first)' first")
  }

  @Test func partsOfOtherRunsAreRefusedSayingWhatDiffers() throws {
    let place = try Place()
    let split = try parts(2)
    let options = PruneOptions(method: .sparseGPT, permutes: false)
    let part = try place.prune(options, split[0], to: "part")
    var others: [(String, PruneOptions)] = [
      ("the method", PruneOptions(method: .wanda, permutes: false)),
      ("--permute", PruneOptions(method: .sparseGPT)),
      ("--smooth", PruneOptions(method: .sparseGPT, permutes: false, smoothing: 0.5)),
      ("--effort", PruneOptions(method: .sparseGPT, effort: .fast, permutes: false)),
    ]
    var quantized = options
    quantized.quantization = QuantizationOptions()
    others.append(("--quantize", quantized))
    var selected = options
    selected.selection = WeightSelection(skip: ["*.0.*q_proj*"])
    others.append(("the choice of weights", selected))
    for (index, (what, other)) in others.enumerated() {
      let path = try place.prune(other, split[1], to: "other-\(index)")
      guard case .differs(let found, path, _, part, _)? = try refusal(place, [part, path]) else {
        Issue.record("\(what) was not noticed")
        continue
      }
      #expect(found == what)
    }
    let fewer = place.folder["fewer"]
    let tokens = CalibrationOptions(
      source: .tokens(path: place.folder["tokens.safetensors"]), samples: 2)
    _ = try CalibrateRun(
      place.made.input, CalibrateOptions(calibration: tokens, output: fewer)
    ).run()
    let path = try place.prune(options, split[1], to: "fewer-part", statistics: fewer)
    guard case .differs("--statistics", path, _, part, _)? = try refusal(place, [part, path]) else {
      Issue.record("other statistics were not noticed")
      return
    }
  }

  @Test func anotherModelIsRefused() throws {
    let place = try Place()
    var edited = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    let name = "model.layers.1.mlp.up_proj.weight"
    edited.setBFloat16(name, at: 3, to: 2)
    let other = try edited.write(to: place.folder, "other")
    let magnitude = try parts(2).enumerated().map {
      try place.prune(PruneOptions(method: .magnitude), $1, to: "part-\($0)")
    }
    #expect(
      try refusal(place, magnitude, model: other)
        == .foreignModel(path: magnitude[1], tensor: name, model: other))
    // A tensor that no part stands for tells by the statistics' model.
    var embedded = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    embedded.setBFloat16("model.embed_tokens.weight", at: 3, to: 2)
    let third = try embedded.write(to: place.folder, "third")
    let wanda = try parts(2).enumerated().map {
      try place.prune(
        PruneOptions(method: .wanda, permutes: false), $1, to: "wanda-\($0)")
    }
    guard case .foreignStatistics(wanda[0], _, third, _)? = try refusal(place, wanda, model: third)
    else {
      Issue.record("another embedding was not noticed")
      return
    }
    edited.remove(name)
    let fourth = try edited.write(to: place.folder, "fourth")
    #expect(
      try refusal(place, magnitude, model: fourth)
        == .foreignModel(path: magnitude[1], tensor: name, model: fourth))
  }

  @Test func whatIsNoPartIsRefused() throws {
    let place = try Place()
    let part = try place.prune(
      PruneOptions(method: .magnitude), .blocks(0..<2), to: "part")
    let model = place.made.input + "/model.safetensors"
    #expect(try refusal(place, [part, model]) == .notAPart(path: model))
    #expect(throws: PrunedPartError.notAPart(path: model)) { try PartKind(ofFileAt: model) }
    #expect(try PartKind(ofFileAt: part) == .pruned)
    #expect(try PartKind(ofFileAt: place.grams) == .statistics)
    for (good, bad) in [
      ("\"schema\\\":1,\\\"identity", "\"schema\\\":2,\\\"identity"),
      ("\\\"own\\\"", "\\\"oun\\\""), ("\\\"tensors\\\"", "\\\"tensorz\\\""),
      ("{\\\"schema\\\":1,\\\"identity", "[\\\"schema\\\":1,\\\"identity"),
    ] {
      let text = String(decoding: try place.folder.read("part"), as: UTF8.self)
      #expect(text.contains(good), "\(good)")
      var bytes = try place.folder.read("part")
      let start = try #require(bytes.firstRange(of: Array(good.utf8)))
      bytes.replaceSubrange(start, with: Array(bad.utf8))
      let damaged = try place.folder.write(bytes, to: "damaged")
      let error = try #require(try refusal(place, [damaged]))
      #expect("\(error)".hasPrefix(damaged + ": the manifest"), "\(error)")
    }
  }

  @Test func statisticsThatDoNotFitAreRefused() throws {
    let place = try StatisticsPlace(samples: 2)
    let norms = try place.collect("norms", .norms)
    let part = try place.collect("part", samples: .range(0..<1))
    let grams = try place.collect("grams")
    func run(_ statistics: String, _ method: PruningMethod, model: String? = nil) throws {
      let options = PruneOptions(method: method, permutes: false, output: place.folder["out"])
      _ = try LayerwiseRun(model ?? place.model, options, statistics: statistics).run()
    }
    #expect(throws: StatisticsError.normsOnly(path: norms)) { try run(norms, .sparseGPT) }
    #expect(
      throws: StatisticsError.incomplete(path: part, blocks: 0..<4, samples: 0..<1)
    ) { try run(part, .wanda) }
    let other = ModelFixture(name: "architectures/qwen2").path
    #expect(
      throws: StatisticsError.foreignModel(
        path: grams, model: other, reason: "its blocks and widths are others")
    ) { try run(grams, .wanda, model: other) }
    var edited = try EditedModel(.tiny)
    edited.setBFloat16("model.embed_tokens.weight", at: 0, to: 2)
    let changed = try edited.write(to: place.folder, "changed")
    do {
      try run(grams, .wanda, model: changed)
      Issue.record("statistics of another model were taken")
    } catch StatisticsError.foreignModel(grams, changed, let reason) {
      #expect(reason.hasPrefix("its fingerprint is "))
    }
    try run(norms, .wanda)
    #expect(try Checkpoint(path: place.folder["out"]).check().passed)
  }
}

@Suite struct LayerSelectionTests {
  @Test(arguments: [1, 2, 3, 5, 28, 100])
  func partsAreStretchesOfAboutTheSameBytes(count: Int) throws {
    let checkpoint = try ModelFixture.tiny.checkpoint()
    let units = LayerUnit.weights(try checkpoint.blockWeights())
    func bytes(_ units: [LayerUnit]) -> Int {
      units.flatMap(\.targets).reduce(0) { $0 + (checkpoint[$1]?.byteCount ?? 0) }
    }
    let parts = try (0..<count).map { index in
      try LayerSelection.part(try #require(WorkPart(index, of: count)))
        .units(of: units, in: checkpoint)
    }
    #expect(parts.flatMap { $0 }.flatMap(\.targets) == units.flatMap(\.targets))
    let (total, largest) = (bytes(units), units.map { bytes([$0]) }.max() ?? 0)
    for part in parts { #expect(bytes(part) <= total / count + largest + 1) }
  }

  @Test func blocksAreThoseThatThereAre() throws {
    let checkpoint = try ModelFixture.tiny.checkpoint()
    let units = LayerUnit.weights(try checkpoint.blockWeights())
    let chosen = try LayerSelection.blocks(1..<3).units(of: units, in: checkpoint)
    #expect(chosen.count == 14)
    #expect(chosen.allSatisfy { $0.targets[0].contains(".1.") || $0.targets[0].contains(".2.") })
    #expect(throws: PartError.outOfRange(3..<5, of: "blocks", count: 4)) {
      try LayerSelection.blocks(3..<5).units(of: units, in: checkpoint)
    }
  }
}
