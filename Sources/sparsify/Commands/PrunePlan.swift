internal import SparseCore
internal import SparseModel

/// What a run of pruning would do.
struct PrunePlan {
  private let run: PruneRun
  private let memory: MemoryPlan
  /// All steps, those that follow the pruning among them.
  private let steps: [RunPlan.Step]
  private let outputBytes: Int
  private let isInt8: Bool

  /// Plans a run, and measures for about a second how fast this machine is.
  ///
  /// - Throws: `MemoryBudgetError` where the run cannot keep to the memory that it is given.
  init(_ run: PruneRun, on compute: Compute) throws {
    self.run = run
    memory = try run.memoryPlan(on: compute)
    let speed = MachineSpeed(
      reading: run.checkpoint, writingBeside: run.output.path, on: compute)
    steps = memory.steps(taking: run.estimatedSeconds(memory, speed, on: compute))
    outputBytes = run.outputBytes
    isInt8 = run.options.quantization != nil
  }

  /// Plans a run of pruning and of what follows it.
  ///
  /// - Throws: what planning the pruning throws, and the errors of reading the text that is trained on.
  init(_ pruning: TrainedPruning, on compute: Compute) throws {
    run = try pruning.pruningRun()
    memory = try run.memoryPlan(on: compute)
    let speed = MachineSpeed(
      reading: run.checkpoint, writingBeside: run.output.path, on: compute)
    steps =
      memory.steps(taking: run.estimatedSeconds(memory, speed, on: compute))
      + (try pruning.laterSteps(after: run, speed, on: compute))
    outputBytes = try pruning.outputBytes(of: run)
    isInt8 = pruning.options.quantization != nil
  }

  private var seconds: Double { steps.reduce(0) { $0 + $1.seconds } }
  private var peakBytes: Int { steps.map(\.bytes).max() ?? 0 }
  /// The memory that may be taken; what follows the pruning may take all of the machine's.
  private var budget: Int { max(memory.budget, steps.count > memory.steps.count ? peakBytes : 0) }

  /// A weight that would change; one that stays dense is only rounded to INT8.
  private struct Weight {
    let name: String
    let shape: [Int]
    let bytes: Int
    let isDense: Bool
  }

  private var weights: [Weight] {
    let dense = Set(run.options.keptDense.map(ExactString.init))
    return run.targets.compactMap { name in
      run.checkpoint[name].map {
        Weight(
          name: name, shape: $0.shape, bytes: $0.byteCount,
          isDense: dense.contains(ExactString(name)))
      }
    }
  }

  private var inputBytes: Int { run.checkpoint.tensors.reduce(0) { $0 + $1.byteCount } }

  /// The weights that would be pruned, and where the output would go.
  var text: String {
    var table = Table([("weight", .left), ("shape", .right), ("size", .right)])
    for weight in weights {
      table.append([
        weight.name + (weight.isDense ? " (dense)" : ""), Format.shape(weight.shape),
        Format.bytes(weight.bytes),
      ])
    }
    let pruned = weights.filter { !$0.isDense }
    let rounded = weights.count - pruned.count
    var source = run.calibration.map { $0.source.name.printable } ?? "none"
    if let (samples, length) = run.calibrationSize { source += ", \(samples) × \(length) tokens" }
    return table.text + "\n" + DryRun.table(steps) + """

      method       \(run.options.methodName)
      calibration  \(source)
      prunes       \(pruned.count) of \(run.checkpoint.tensors.count) tensors, \
      \(Format.bytes(pruned.reduce(0) { $0 + $1.bytes })) of \(Format.bytes(inputBytes))\
      \(isInt8 ? ", to INT8" : "")\
      \(rounded == 0 ? "" : "; \(rounded) more to INT8 and no further")
      output       \(run.output.path.printable), \(Format.bytes(outputBytes))
      memory       \(Format.bytes(peakBytes)) at most, of \(Format.bytes(budget)) that may be taken
      scratch      \(memory.scratchBytes == 0 ? "none" : Format.bytes(memory.scratchBytes) + " of disk beside the output")
      journal      \(run.journalBytes == 0 ? "a few KiB" : Format.bytes(run.journalBytes) + " of disk beside the output")
      time         about \(Format.duration(seconds)), an estimate from a probe of a second
      \(DryRun.writingLine(steps).map { String(repeating: " ", count: 13) + $0 + "\n" } ?? "")\
      Nothing has been written.

      """
  }

  /// The same as an object.
  var json: JSON {
    [
      "schema": 1, "method": .string(run.options.methodName), "dryRun": true,
      "output": .string(run.output.path), "outputBytes": .integer(outputBytes),
      "memory": [
        "budgetBytes": .integer(budget), "peakBytes": .integer(peakBytes),
        "scratchBytes": .integer(memory.scratchBytes),
        "journalBytes": .integer(run.journalBytes),
      ],
      "estimatedSeconds": .number(seconds),
      "steps": DryRun.json(steps),
      "calibration": run.calibration.map { .string($0.source.name) } ?? .null,
      "layers": .array(
        weights.map {
          [
            "name": .string($0.name), "shape": .array($0.shape.map(JSON.integer)),
            "bytes": .integer($0.bytes), "dense": .bool($0.isDense),
          ]
        }),
    ]
  }
}
