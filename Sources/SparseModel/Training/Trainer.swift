internal import SparseCore

/// Trains the kept weights of a model: steps, measurements, and when to stop.
struct Trainer {
  /// The way through the model.
  let pass: TrainingPass
  let options: TrainingOptions
  /// What is trained on.
  let windows: TokenWindows
  /// What is measured on; nil for no measurements.
  let heldOut: TokenWindows?
  /// The teachers of both; nil for objectives without.
  var teacher: Teacher?
  var heldOutTeacher: Teacher?
  /// The weights.
  var parameters: TrainingParameters
  var optimizer: MaskedOptimizer
  /// What has happened so far.
  var log = TrainingLog()

  /// The steps of the whole training.
  var totalSteps: Int { options.steps(windows: windows.count) }

  /// Trains from the step after the last one in the log.
  ///
  /// - Parameters:
  ///   - stepped: called after every step that no measurement follows.
  ///   - evaluated: called after every measurement, and with `isBest` for each that is better than all before.
  mutating func run(
    progress: ProgressHandler, stepped: (_ trainer: Trainer) throws -> Void = { _ in },
    evaluated: (_ trainer: Trainer, _ isBest: Bool) throws -> Void
  ) throws {
    let total = totalSteps
    let schedule = options.schedule(steps: total)
    let interval = options.evaluationInterval ?? max(1, (total + 7) / 8)
    var meter = StepMeter(
      total: total, first: log.steps.count, blocks: pass.decoder.blocks.count,
      batches: options.accumulation, tokens: options.windowsPerStep * windows.length)
    func isMeasured(_ step: Int) -> Bool { step % interval == 0 || step == total }
    // At the start, and where an earlier run was cut short in a measurement.
    if isMeasured(log.steps.count) && log.evaluations.last?.step != log.steps.count {
      try evaluate(meter: &meter, progress: progress, evaluated: evaluated)
    }
    checkPatience()
    while log.steps.count < total && log.earlyStop == nil {
      let step = log.steps.count
      try makeStep(schedule.rate(at: step), meter: &meter, progress: progress)
      guard log.earlyStop == nil else { break }
      if isMeasured(step + 1) {
        try evaluate(meter: &meter, progress: progress, evaluated: evaluated)
      } else {
        try stepped(self)
      }
    }
  }

  /// Makes one step, outside of any course.
  mutating func step(progress: ProgressHandler) throws {
    var meter = StepMeter(
      total: totalSteps, first: log.steps.count, blocks: pass.decoder.blocks.count,
      batches: options.accumulation, tokens: 0)
    try makeStep(options.learningRate, meter: &meter, progress: progress)
  }

  private mutating func makeStep(
    _ rate: Double, meter: inout StepMeter, progress: ProgressHandler
  ) throws {
    let (step, pass) = (log.steps.count, pass)
    meter.begin(step: step, loss: log.steps.last?.loss.value(options.objective))
    parameters.clearGradients(on: pass.compute)
    let factors = TrainingPass.Factors(
      options.objective.loss, windows: options.windowsPerStep, length: windows.length)
    let indices = options.windows(ofStep: step, count: windows.count)
    var sums = LossSums()
    for first in stride(from: 0, to: indices.count, by: options.batch) {
      let batch = Array(indices[first..<first + options.batch])
      let states = try teacher?.states(of: batch, chunkTokens: pass.chunkTokens) {
        try progress(meter.progress)
      }
      let known = states.flatMap { states in teacher.map { ($0.head, states) } }
      sums += try pass.gradient(
        of: windows[windows: batch], factors, teacher: known, to: &parameters
      ) {
        meter.advance()
        try progress(meter.progress)
      }
    }
    let loss = TrainingLoss(sums)
    let value = loss.value(options.objective)
    let start = log.steps.first?.loss.value(options.objective) ?? value
    guard value.isFinite, value <= 2 * start + 1 else {
      if !value.isFinite { try requireFiniteStart(windows) }
      log.earlyStop = .diverged(step: step + 1, loss: value)
      return
    }
    let norm: Double
    do throws(OptimizerError) {
      norm = try optimizer.step(
        &parameters.values, gradients: &parameters.gradients, learningRate: rate,
        clippingNorm: options.clippingNorm, on: pass.compute)
    } catch {
      guard case .nonFiniteGradient(let tensor, let count, _) = error else {
        preconditionFailure("Trainer: \(error)")
      }
      log.earlyStop = .nonFiniteGradient(step: step + 1, tensor: tensor, count: count)
      return
    }
    log.steps.append(
      TrainingStep(step: step + 1, learningRate: rate, loss: loss, gradientNorm: norm))
  }

  /// Throws where nothing has been trained and the model itself predicts NaN or infinity.
  private func requireFiniteStart(_ windows: TokenWindows) throws {
    if log.steps.isEmpty { _ = try pass.decoder.perplexity(of: windows, on: pass.compute) }
  }

  /// Stops where as many measurements as allowed have brought no new best.
  private mutating func checkPatience() {
    guard let patience = options.patience, let best = log.best(options.objective) else { return }
    if log.evaluations.count(where: { $0.step > best.step }) >= patience {
      log.earlyStop = .patience(step: log.steps.count)
    }
  }

  private mutating func evaluate(
    meter: inout StepMeter, progress: ProgressHandler,
    evaluated: (_ trainer: Trainer, _ isBest: Bool) throws -> Void
  ) throws {
    guard let heldOut else { return try evaluated(self, true) }
    meter.beginMeasuring(after: log.steps.count)
    let pass = pass
    var sums = LossSums()
    for first in stride(from: 0, to: heldOut.count, by: options.batch) {
      let batch = Array(first..<min(first + options.batch, heldOut.count))
      let states = try heldOutTeacher?.states(of: batch, chunkTokens: pass.chunkTokens) {
        try progress(meter.progress)
      }
      sums += try pass.loss(
        of: heldOut[windows: batch], parameters,
        teacher: states.flatMap { states in heldOutTeacher.map { ($0.head, states) } }
      ) { try progress(meter.progress) }
    }
    let evaluation = TrainingEvaluation(step: log.steps.count, loss: TrainingLoss(sums))
    guard evaluation.loss.value(options.objective).isFinite else {
      try requireFiniteStart(heldOut)
      log.earlyStop = .diverged(step: log.steps.count, loss: .nan)
      return
    }
    log.evaluations.append(evaluation)
    checkPatience()
    do {
      try evaluated(self, log.best(options.objective) == evaluation)
    } catch {
      // What it measured may not have been kept: who goes on from here measures again.
      log.evaluations.removeLast()
      throw error
    }
  }
}

/// Says how far training has come.
private struct StepMeter {
  private let total: Int
  private let first: Int
  /// Reports on the way of a step: of every batch each block there and back, and the head.
  private let units: Int
  private let tokens: Int
  private var step: Int
  private var unit = 0
  private var text = ""
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant

  init(total: Int, first: Int, blocks: Int, batches: Int, tokens: Int) {
    self.total = total
    self.first = first
    units = (2 * blocks + 2) * batches
    self.tokens = tokens
    step = first
    start = clock.now
  }

  mutating func begin(step: Int, loss: Double?) {
    self.step = step
    unit = 0
    text = "step \(step + 1) of \(total)"
    if let loss { text += ", loss \(Format.fixed(loss, 4))" }
    let seconds = (clock.now - start).seconds
    if step > first, seconds > 0 {
      text += ", \(Format.fixed(Double((step - first) * tokens) / seconds, 0)) tokens/s"
    }
  }

  mutating func beginMeasuring(after steps: Int) {
    (step, unit) = (steps, 0)
    text = "measure after step \(steps) of \(total)"
  }

  /// Counts a report.
  mutating func advance() { unit = min(unit + 1, units) }

  /// In parts of a step, so that the share that is done grows within one, too.
  var progress: RunProgress {
    RunProgress(step: text, done: step * units + unit, total: total * units)
  }
}
