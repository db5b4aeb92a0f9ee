internal import SparseCore

/// What training has brought, as a part of the page.
extension PruneReport {
  /// The blocks' errors before and after, and the course of the loss; nothing where nothing was trained.
  var trainingSection: HTML {
    let charts = [blockChart, lossChart].compactMap(\.self)
    guard !charts.isEmpty else { return .empty }
    return .section("Training" + beforeRounding, .charts(charts), .note(trainingNote))
  }

  /// Says of what was measured in training that rounding came later; empty where it did not.
  package var beforeRounding: String {
    isTrained && options.quantization != nil ? ", before the rounding to INT8" : ""
  }

  /// Says of the errors of trained blocks what came later; empty for nothing.
  package var afterBlocks: String {
    training == nil ? beforeRounding : ", before the training of the whole model"
  }

  private var blockChart: HTML? {
    guard !blocks.isEmpty else { return nil }
    let sides: [(name: String, value: KeyPath<BlockError, Double>)] = [
      ("before", \.before), ("after", \.after),
    ]
    return LineChart(
      "Error of each block's outputs" + (training == nil ? "" : afterBlocks),
      note: "‖y − t‖² / ‖t‖², the mean over the tokens that it was trained on.", x: "block",
      y: "squared relative error",
      series: sides.map { side in
        LineChart.Series(
          side.name, blocks.map { (x: Double($0.block), y: $0[keyPath: side.value]) })
      }
    ).html
  }

  private var lossChart: HTML? {
    guard let training, !training.log.steps.isEmpty else { return nil }
    func value(_ loss: TrainingLoss) -> Double {
      training.log.steps.first?.loss.divergence == nil
        ? loss.negativeLogLikelihood : loss.divergence ?? loss.negativeLogLikelihood
    }
    let courses = [
      ("each step", training.log.steps.map { (x: Double($0.step), y: value($0.loss)) }),
      ("set aside", training.log.evaluations.map { (x: Double($0.step), y: value($0.loss)) }),
    ]
    return LineChart(
      "Loss along the training",
      note: "Of the windows of each step before it, and of those set aside.", x: "step",
      y: "nats a token",
      series: courses.filter { !$0.1.isEmpty }.map { LineChart.Series($0.0, $0.1) }
    ).html
  }

  private var trainingNote: String {
    guard let training else {
      return "Each block's kept weights were trained to give what the dense block gives."
    }
    let weights = training.trainedWeights.counting("weight")
    let windows = training.windows
    return
      "By \(training.objective): \(weights) on \(windows.count) windows of \(windows.length.counting("token")). Pruned weights stayed 0."
  }
}
