public import SparseCore

extension PruneRun {
  /// The seconds that each step of the plan takes by estimate, in the plan's order.
  ///
  /// - Parameter speed: this machine's, measured.
  public func estimatedSeconds(
    _ plan: MemoryPlan, _ speed: MachineSpeed, on compute: Compute = .automatic
  ) -> [Double] {
    let work = memoryWork(on: compute)
    return plan.steps.map { step in
      estimate(of: step, plan, work).seconds(speed)
    }
  }

  private func estimate(
    of step: MemoryPlan.Step, _ plan: MemoryPlan, _ work: MemoryWork?
  ) -> WorkEstimate {
    guard let work else {
      return WorkEstimate(reading: checkpoint.byteCount, writing: outputBytes)
    }
    let shapes = work.shapes.filter { MemoryPlan.name(of: $0) == step.name }
    guard shapes.isEmpty else {
      return WorkEstimate(shapes, work, plan.choices, search: options.search)
    }
    switch step.name {
    case MemoryPlan.writingName:
      return WorkEstimate(
        writing: work.samples, length: work.length,
        together: work.text?.together(plan.writing) ?? 1, checkpoint)
    case MemoryPlan.embeddingName:
      return WorkEstimate(reading: work.embeddingTableBytes, writing: 0)
    default:
      // All that is copied, and all that is read for its fingerprint.
      let pruned = work.shapes.reduce(0) { $0 + $1.newBytes }
      return WorkEstimate(reading: checkpoint.byteCount, writing: max(0, outputBytes - pruned))
    }
  }
}

extension PruneOptions {
  /// What the search of the method or of the repair costs.
  var search: SearchCost {
    dense == nil ? method.pruner(effort: effort).search : Refit(effort: effort).search
  }
}
