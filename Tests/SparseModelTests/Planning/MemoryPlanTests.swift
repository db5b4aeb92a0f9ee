import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Runs that keep to a budget, and what plans promise of them.
@Suite struct MemoryPlanTests {
  /// A way to prune, of which every budget must give the same bytes.
  enum Variant: String, CaseIterable, Sendable {
    case plain, int8, smooth, refit, ownText
  }

  private static let compute = Compute(threads: 2)

  private static func options(
    _ method: PruningMethod, _ variant: Variant, dense: String, to output: String
  ) -> PruneOptions {
    let text = CalibrationOptions(
      source: .text(path: ModelFixture.tiny.file("calibration.txt")), samples: 5, length: 24)
    var options = PruneOptions(
      method: method, effort: .fast, calibration: text,
      selection: WeightSelection(only: ["model.layers.2.*"]), output: output)
    switch variant {
    case .plain: options.effort = .standard
    case .int8: options.quantization = QuantizationOptions()
    case .smooth: options.smoothing = 0.5
    case .refit: options.dense = dense
    case .ownText: options.calibration = CalibrationOptions(samples: 3, length: 10)
    }
    return options
  }

  private static let runs = PruningMethod.allCases.flatMap { method in
    Variant.allCases.filter { $0 != .refit || method == .admm }.map { (method, $0) }
  }

  @Test(arguments: runs)
  func everyBudgetGivesTheSameBytes(method: PruningMethod, variant: Variant) throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    var input = place.input
    if variant == .refit {
      input = place.folder["sparse"]
      try place.prune(.magnitude, to: "sparse")
    }
    func prune(_ memory: Int?, to output: String) throws -> [UInt8] {
      var options = Self.options(
        method, variant, dense: place.input, to: place.folder[output])
      options.memory = memory
      _ = try PruneRun(input, options).run(on: Self.compute)
      return try place.bytes(output)
    }
    let run = try PruneRun(
      input, Self.options(method, variant, dense: place.input, to: place.folder["x"]))
    let least = try Self.least(of: run)
    let plan = try Self.plan(run, budget: least)
    #expect(plan.peakBytes == least)
    let unlimited = try prune(nil, to: "unlimited")
    #expect(try prune(least, to: "least") == unlimited)
    #expect(
      throws: MemoryBudgetError.self, "\(least - 1) bytes are fewer than the least"
    ) { try prune(least - 1, to: "less") }
    // Scratch files leave nothing.
    #expect(try place.folder.contents().filter { $0.contains("scratch") } == [])
  }

  /// One panel of rows at a time, one tile row, everything in the scratch file: all of it at once, and the errors too.
  @Test(arguments: PruningMethod.allCases, [nil, QuantizationOptions(order: .pruneFirst)])
  func theTightestChoicesChangeNothing(
    method: PruningMethod, quantization: QuantizationOptions?
  ) throws {
    let model = try ModelFixture.tiny.decoder()
    let windows = try ModelFixture.tiny.windows("calibration.txt", length: 24, count: 5)
    let folder = try TemporaryFolder()
    let work = try Self.work(samples: 5, method: method)
    func run(_ memory: MemoryChoices) throws -> (bytes: [String: [UInt8]], errors: [Double?]) {
      var bytes: [String: [UInt8]] = [:]
      let names = model.blocks[1].stageNames
      let recipe = StageRecipe(
        pruner: method.pruner(effort: .fast), quantization: quantization, permutes: true,
        smoothing: 0.5)
      let reports = try BlockwisePruning(
        model: model, recipe: recipe, targets: Set(names.map { ExactString($0) }),
        compute: Self.compute, memory: memory, outputPath: folder["out"]
      ).reports(on: windows) { name, tensor in
        bytes[name] = tensor.bytes.array
        let left = try folder.contents()
        #expect(left == [])
      }
      return (bytes, reports.map(\.relativeError))
    }
    let (least, usual) = try (run(work.leastChoices), run(MemoryChoices()))
    #expect(usual.bytes.count == 9)
    #expect(least.bytes == usual.bytes)
    #expect(least.errors == usual.errors)
    #expect(try folder.contents() == [])
  }

  /// The budget below which a run is refused.
  private static func least(of run: PruneRun) throws -> Int {
    do {
      _ = try plan(run, budget: 1)
    } catch MemoryBudgetError.tooSmall(_, let least, _) {
      return least
    }
    return 1
  }

  private static func plan(_ run: PruneRun, budget: Int?) throws -> MemoryPlan {
    try MemoryPlan(#require(run.memoryWork(on: compute)), budget: budget, available: 32 << 30)
  }

  private static func work(samples: Int, method: PruningMethod) throws -> MemoryWork {
    let folder = try TemporaryFolder()
    let run = try PruneRun(
      ModelFixture.tiny.path, options(method, .ownText, dense: "", to: folder["out"]))
    var work = try #require(run.memoryWork(on: compute))
    work.samples = samples
    work.length = 256
    work.text = try TextWork(
      ModelFixture.tiny.decoder(), samples: samples, length: 256, threads: compute.threads)
    return work
  }

  /// Millions of tokens: what waits for the next stage goes to the disk first, then the residual stream.
  @Test(arguments: PruningMethod.allCases, [false, true])
  func aSmallerBudgetIsKeptByMoreDiskAndSmallerChunks(
    method: PruningMethod, trains: Bool
  ) throws {
    var work = try Self.work(samples: 20_000, method: method)
    if trains {
      work.training = try BlockTrainingBytes(
        ModelFixture.tiny.decoder(), windows: 2, length: 256)
    }
    let generous = try MemoryPlan(work, budget: 1 << 40, available: 1 << 30)
    #expect(generous.scratchBytes == 0 && generous.peakBytes > work.tokens * 4 * (128 + 352))
    var last = generous
    var spills: [ActivationSpill] = []
    for percent in stride(from: 100, through: 1, by: -1) {
      let budget = generous.peakBytes * percent / 100
      guard let plan = try? MemoryPlan(work, budget: budget, available: 1 << 30) else { break }
      #expect(plan.peakBytes <= budget)
      #expect(plan.scratchBytes >= last.scratchBytes)
      if spills.last != plan.choices.spill { spills.append(plan.choices.spill) }
      last = plan
    }
    #expect(
      spills == [
        ActivationSpill(), ActivationSpill(pending: true),
        ActivationSpill(hidden: true, pending: true),
      ])
  }

  @Test func withoutABudgetItIsHalfOfTheMachineOrTheLeast() throws {
    let work = try Self.work(samples: 20_000, method: .sparseGPT)
    let small = try MemoryPlan(work, budget: nil, available: 4 << 30)
    #expect(small.budget == 2 << 30 && small.peakBytes <= 2 << 30 && small.scratchBytes > 0)
    let tiny = try MemoryPlan(work, budget: nil, available: 1 << 20)
    #expect(tiny.budget == tiny.peakBytes && tiny.peakBytes > 1 << 20)
  }

  @Test func aRefusalSaysTheLeastInAFormThatCanBeAskedFor() {
    #expect(
      "\(MemoryBudgetError.tooSmall(budget: 100 << 20, least: (200 << 20) + 1, step: "prune o"))"
        == "100M of memory are too little: the least that would do is 201M, for 'prune o'")
    #expect(
      "\(MemoryBudgetError.tooSmall(budget: 7, least: 1 << 20, step: "embed"))"
        == "7 bytes of memory are too little: the least that would do is 1M, for 'embed'")
  }

  @Test func aWeightAtATimeHasAPlanToo() throws {
    let folder = try TemporaryFolder()
    for quantization in [nil, QuantizationOptions()] {
      let options = PruneOptions(
        method: .magnitude, quantization: quantization, output: folder["out"], memory: 1)
      let run = try PruneRun(ModelFixture.tiny.path, options)
      #expect(throws: MemoryBudgetError.self) { try run.run() }
      #expect(try folder.contents() == [])
    }
  }

  @Test(arguments: [[1, 48, 49], [100], [0, 5, 0], [352, 352]], [1, 2, 3, 100])
  func batchesHoldEveryRowOnceAndNoMoreThanAsked(rows: [Int], panels: Int) {
    let batches = RowBatch.batches(ofRows: rows, panels: panels)
    for (layer, count) in rows.enumerated() {
      let ranges = batches.map { $0.rows[layer] }.filter { !$0.isEmpty }
      #expect(ranges.flatMap(Array.init) == Array(0..<count))
    }
    for batch in batches {
      #expect(batch.rows.reduce(0) { $0 + ($1.count + 47) / 48 } <= panels)
    }
  }

  @Test func estimatesAreThereForEveryStep() throws {
    let folder = try TemporaryFolder()
    let run = try PruneRun(
      ModelFixture.tiny.path, Self.options(.admm, .ownText, dense: "", to: folder["out"]))
    let plan = try run.memoryPlan(on: Self.compute)
    let speed = MachineSpeed(
      reading: run.checkpoint, writingBeside: run.output.path, on: Self.compute)
    let seconds = run.estimatedSeconds(plan, speed, on: Self.compute)
    #expect(seconds.count == plan.steps.count)
    #expect(seconds.allSatisfy { $0.isFinite && $0 > 0 })
    #expect(try folder.contents() == [])
  }
}

extension DecoderBlock {
  /// The names of the block's linear layers.
  fileprivate var stageNames: [String] { Self.stages.flatMap(\.linears).map { linear($0).name } }
}
