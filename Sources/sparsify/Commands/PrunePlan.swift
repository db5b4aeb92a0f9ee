internal import SparseCore
internal import SparseModel

/// What a run of pruning would do.
struct PrunePlan {
  private let run: PruneRun
  private let memory: MemoryPlan
  /// The seconds of each of the plan's steps, by estimate.
  private let seconds: [Double]

  /// Plans a run, and measures for about a second how fast this machine is.
  ///
  /// - Throws: `MemoryBudgetError` where the run cannot keep to the memory that it is given.
  init(_ run: PruneRun, on compute: Compute) throws {
    self.run = run
    memory = try run.memoryPlan(on: compute)
    let speed = MachineSpeed(
      reading: run.checkpoint, writingBeside: run.output.path, on: compute)
    seconds = run.estimatedSeconds(memory, speed, on: compute)
  }

  /// A row for each step: what it takes of memory and of time.
  private var stepTable: String {
    var table = Table([("step", .left), ("memory", .right), ("time", .right)])
    for (step, time) in zip(memory.steps, seconds) {
      table.append([step.name, Format.bytes(step.bytes), "~" + Format.duration(time)])
    }
    return table.text
  }

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
    return table.text + "\n" + stepTable + """

      method       \(run.options.methodName)
      calibration  \(source)
      prunes       \(pruned.count) of \(run.checkpoint.tensors.count) tensors, \
      \(Format.bytes(pruned.reduce(0) { $0 + $1.bytes })) of \(Format.bytes(inputBytes))\
      \(run.options.quantization == nil ? "" : ", to INT8")\
      \(rounded == 0 ? "" : "; \(rounded) more to INT8 and no further")
      output       \(run.output.path.printable), \(Format.bytes(run.outputBytes))
      memory       \(Format.bytes(memory.peakBytes)) at most, of \(Format.bytes(memory.budget)) that may be taken
      scratch      \(memory.scratchBytes == 0 ? "none" : Format.bytes(memory.scratchBytes) + " of disk beside the output")
      journal      \(run.journalBytes == 0 ? "a few KiB" : Format.bytes(run.journalBytes) + " of disk beside the output")
      time         about \(Format.duration(seconds.reduce(0, +))), an estimate from a probe of a second
      Nothing has been written.

      """
  }

  /// The same as an object.
  var json: JSON {
    [
      "schema": 1, "method": .string(run.options.methodName), "dryRun": true,
      "output": .string(run.output.path), "outputBytes": .integer(run.outputBytes),
      "memory": [
        "budgetBytes": .integer(memory.budget), "peakBytes": .integer(memory.peakBytes),
        "scratchBytes": .integer(memory.scratchBytes),
        "journalBytes": .integer(run.journalBytes),
      ],
      "estimatedSeconds": .number(seconds.reduce(0, +)),
      "steps": .array(
        zip(memory.steps, seconds).map { step, time in
          [
            "name": .string(step.name), "bytes": .integer(step.bytes),
            "estimatedSeconds": .number(time),
          ]
        }),
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
