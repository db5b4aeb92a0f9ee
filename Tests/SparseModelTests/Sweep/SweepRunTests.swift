import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Sweeps of the tiny model over short texts.
@Suite struct SweepRunTests {
  private let place: PrunedFolder
  private let text: TokenWindows
  private let calibration = CalibrationOptions(samples: 4, length: 32)

  init() throws {
    place = try PrunedFolder(EditedModel(.tiny))
    text = try ModelFixture.tiny.windows("heldout.txt", length: 32, count: 3)
  }

  private func run(
    _ options: SweepOptions, on compute: Compute = .automatic,
    progress: ProgressHandler = { _ in }
  ) throws -> SweepReport {
    try SweepRun(place.input, options, text: text).run(on: compute, progress: progress)
  }

  /// What is in the folder besides the model itself.
  private func made() throws -> [String] {
    try place.folder.contents().filter { !$0.hasPrefix("model/") && $0 != "model" }
  }

  @Test func rowsAreWhatPruneAndQuantizeMake() throws {
    let report = try run(
      SweepOptions(
        methods: [.wanda, .magnitude], calibration: calibration, output: place.folder["kept"],
        keepsModels: true))
    #expect(
      report.rows.map(\.variant.name)
        == ["dense", "dense-int8", "wanda", "wanda-int8", "magnitude", "magnitude-int8"])
    _ = try QuantizeRun(place.input, QuantizeOptions(output: place.folder["int8"])).run()
    #expect(try place.bytes("kept/dense-int8") == place.bytes("int8"))
    for row in report.rows {
      guard let method = row.variant.method else { continue }
      let name = row.variant.name
      let alone = try PruneRun(
        place.input,
        PruneOptions(
          method: method,
          quantization: row.variant.quantization == .int8 ? QuantizationOptions() : nil,
          calibration: calibration, output: place.folder[name])
      ).run()
      #expect(try place.bytes("kept/\(name)") == place.bytes(name), "\(name)")
      #expect(row.relativeError == alone.meanSquaredRelativeError?.squareRoot())
      #expect(row.output == place.folder["kept/\(name)"])
    }
    #expect(
      try Set(made().filter { $0.hasPrefix("kept/") && !$0.dropFirst(5).contains("/") })
        == [
          "kept/dense-int8", "kept/wanda", "kept/wanda-int8", "kept/magnitude",
          "kept/magnitude-int8",
        ])
  }

  @Test func numbersAreThoseOfTheCompressedModel() throws {
    let report = try run(
      SweepOptions(methods: [.magnitude], output: place.folder["kept"], keepsModels: true))
    let dense = try LanguageModel(Checkpoint(path: place.input))
    #expect(report.calibration == nil)
    for row in report.rows {
      guard let output = row.output else {
        #expect(row.variant.isInput && row.comparison.divergence.maximum == 0)
        #expect(try row.comparison.other == dense.perplexity(of: text))
        continue
      }
      let model = try LanguageModel(Checkpoint(path: output))
      let expected = try dense.comparison(with: model, over: text)
      #expect(row.comparison.reference == expected.reference)
      #expect(row.comparison.other == expected.other)
      #expect(row.comparison.divergence == expected.divergence)
      #expect(row.comparison.agreement == expected.agreement)
      #expect(row.relativeError == nil && row.decodeRate.spread.lowerBound > 0)
    }
  }

  /// As compressed, and as the memory budget counts it: but for the shape, 16 bytes, that each compressed weight has with it.
  @Test func sizesAreThoseOfCompressedModelsAndOfTheirShapes() throws {
    let report = try run(
      SweepOptions(methods: [.magnitude], output: place.folder["kept"], keepsModels: true))
    let checkpoint = try Checkpoint(path: place.input)
    let linears = try checkpoint.blockWeights().map { try checkpoint.matrix($0) }
    let others = checkpoint.byteCount - linears.reduce(0) { $0 + 2 * $1.rows * $1.columns }
    let forms: [String: LinearForm] = [
      "dense": .denseHalf, "dense-int8": .denseInt8, "magnitude": .sparseHalf,
      "magnitude-int8": .sparseInt8,
    ]
    for row in report.rows {
      let form = try #require(forms[row.variant.name])
      let counted = MemoryBudget.weights(
        form, linears: linears.map { ($0.rows, $0.columns) }, others: others)
      #expect(row.bytes == counted + (form.isSparse ? 16 * linears.count : 0))
      guard row.variant.method != nil, let output = row.output else { continue }
      let compressed = try CompressRun(
        output, EncodingOptions(output: output + "-small")
      ).run()
      #expect(row.bytes == compressed.outputBytes)
    }
    #expect(report.compressionRatio(of: report.rows[2]) > 1.6)
  }

  @Test func oneCalibrationServesAllMethods() throws {
    var steps: [String] = []
    _ = try run(
      SweepOptions(
        methods: [.wanda, .sparseGPT], quantizations: [.none], calibration: calibration)
    ) { if steps.last != $0.step { steps.append($0.step) } }
    #expect(steps.first == "write calibration text")
    #expect(steps.count { $0.contains("write calibration text") } == 1)
    #expect(steps.contains { $0.hasPrefix("sparsegpt, 3 of 3: block 4 of 4") })
    #expect(try made().isEmpty)
  }

  @Test func threadsChangeNoNumber() throws {
    let options = SweepOptions(methods: [.wanda], calibration: calibration)
    let one = try run(options, on: Compute(threads: 1))
    let many = try run(options, on: Compute(threads: 3))
    // Dense and Wanda, each in two kinds of numbers.
    #expect(one.rows.count == 4 && many.rows.count == 4)
    for (a, b) in zip(one.rows, many.rows) {
      #expect(a.comparison.other == b.comparison.other)
      #expect(a.comparison.divergence == b.comparison.divergence)
      #expect(a.relativeError == b.relativeError && a.bytes == b.bytes)
    }
  }

  // MARK: What goes wrong

  @Test(arguments: [false, true]) func aRowThatFailsIsNamedAndLeavesNothing(keeps: Bool) throws {
    let options = SweepOptions(
      methods: [.magnitude, .wanda], quantizations: [.none], calibration: calibration,
      output: place.folder["kept"], keepsModels: keeps)
    let error = try #require(
      throws: FailedSweepRow.self,
      performing: {
        try run(options) { progress in
          if progress.step.hasPrefix("wanda, 3 of 3: block 3") { throw CancellationError() }
        }
      })
    #expect(error.variant.name == "wanda" && error.error is CancellationError)
    #expect("\(error)".hasPrefix("wanda: "))
    let folders = try made().filter { !$0.contains(".") }
    #expect(folders == (keeps ? ["kept", "kept/magnitude"] : []))
    #expect(try made().contains("kept/magnitude/config.json") == keeps)
  }

  @Test func nothingIsReplaced() throws {
    try place.folder.write("mine", to: "kept/wanda")
    let options = SweepOptions(methods: [.wanda], output: place.folder["kept"])
    #expect(throws: SweepError.exists(path: place.folder["kept/wanda"])) { try run(options) }
    #expect(try made() == ["kept", "kept/wanda"])
    try place.folder.write("mine", to: "file")
    #expect(throws: FileError.notFolder(path: place.folder["file"])) {
      try run(SweepOptions(methods: [.wanda], output: place.folder["file"]))
    }
    let inside = SweepOptions(methods: [.magnitude], output: place.folder["model/sweep"])
    #expect(throws: CheckpointOutputError.self) { try run(inside) }
    #expect(try !place.folder.contents().contains("model/sweep"))
  }

  @Test func aFolderThatWasThereStays() throws {
    try place.folder.write("mine", to: "kept/mine")
    _ = try run(
      SweepOptions(
        methods: [.magnitude], quantizations: [.none], output: place.folder["kept"] + "/"))
    #expect(try made() == ["kept", "kept/mine"])
  }

  @Test func modelsThatCannotBeSweptAreRefused() throws {
    let file = place.input + "/model.safetensors"
    #expect(throws: SweepError.notFolder(path: file)) {
      try SweepRun(file, SweepOptions(), text: text)
    }
    _ = try QuantizeRun(place.input, QuantizeOptions(output: place.folder["int8"])).run()
    #expect(throws: Int8WeightError.self) {
      try SweepRun(place.folder["int8"], SweepOptions(), text: text)
    }
    #expect(throws: EvaluationError.nothingToPredict(windows: 0, length: 32)) {
      try SweepRun(place.input, SweepOptions(), text: text.first(0))
    }
    let long = CalibrationOptions(samples: 1, length: 1000)
    #expect(throws: ModelError.contextTooLong(asked: 1000, context: 256)) {
      try SweepRun(place.input, SweepOptions(calibration: long), text: text)
    }
  }
}

/// Which rows are worth a look.
@Suite struct SweepReportTests {
  private func row(bytes: Int, divergence: Double) -> SweepRow {
    let perplexity = Perplexity(
      ofLosses: 1, TokenWindows(count: 1, length: 2, ids: [0, 1]), .float32)
    return SweepRow(
      variant: SweepVariant(method: .wanda, quantization: .none),
      comparison: ModelComparison(
        reference: perplexity, other: perplexity, divergence: Divergence([divergence]),
        agreement: 1, referenceRate: MeasuredRate(rounds: [1]),
        otherRate: MeasuredRate(rounds: [1])),
      relativeError: nil, bytes: bytes, seconds: 1, decodeRate: MeasuredRate(rounds: [1]),
      output: nil)
  }

  @Test(arguments: [
    ([(100, 0.0), (50, 0.5), (50, 0.4), (30, 0.4), (30, 0.6)], [true, false, false, true, false]),
    ([(100, 0.0), (60, 0.1), (50, 0.2)], [true, true, true]),
    ([(100, 0.0), (100, 0.0)], [true, true]),
    ([(100, 0.0), (100, 0.1), (120, 0.1)], [true, false, false]),
  ])
  func aRowIsBestIfNoneBeatsIt(numbers: [(bytes: Int, divergence: Double)], best: [Bool]) {
    let report = SweepReport(
      model: "m", rows: numbers.map { row(bytes: $0.bytes, divergence: $0.divergence) },
      calibration: nil, seconds: 1, peakResidentBytes: 1)
    #expect(report.rows.map(report.isBest) == best)
    #expect(report.compressionRatio(of: report.rows[1]) == 100 / Double(numbers[1].bytes))
  }

  @Test func rowsComeInTheOrderAskedFor() {
    let options = SweepOptions(methods: [.admm, .magnitude], quantizations: [.int8, .none])
    #expect(
      options.variants.map(\.name)
        == ["dense", "dense-int8", "admm-int8", "admm", "magnitude-int8", "magnitude"])
    let plain = SweepOptions(methods: [.wanda], quantizations: [.none])
    #expect(plain.variants.map(\.name) == ["dense", "wanda"])
  }

  @Test func aDiskThatIsTooSmallIsSaidWithBothNumbers() throws {
    let error = SweepError.diskTooSmall(folder: "a", needed: 3 << 20, free: 2 << 20)
    #expect("\(error)" == "a: the sweep takes up to 3 MiB of disk at once, 2 MiB are free")
    let folder = try TemporaryFolder()
    #expect(FileSystem.freeBytes(in: folder.path).map { $0 > 0 } == true)
    #expect(FileSystem.freeBytes(in: folder["none"]) == nil)
  }
}
