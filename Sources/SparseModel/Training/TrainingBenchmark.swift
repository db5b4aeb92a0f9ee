package import SparseCore

/// Times whole training steps of a model: way forward, teacher, way back and optimizer.
package enum TrainingBenchmark {
  /// Windows in a step, and tokens in each.
  private static let (windows, length) = (8, 512)

  /// Measures some steps after one to warm up.
  ///
  /// The model is its own teacher, on tokens of no meaning.
  ///
  /// - Returns: the time of a step, and its share of the arithmetic rate that a matrix product reaches. A step
  ///   counts for every multiplied parameter and token 6 operations, and 2 each for the teacher and for what is computed again.
  package static func run(
    _ path: String, on compute: Compute, progress: ProgressHandler
  ) throws -> Benchmark.Result {
    var product: Benchmark.Result?
    try Benchmark.run(cases: ["gemm"], compute: compute) { if product == nil { product = $0 } }
    let checkpoint = try Checkpoint(path: path)
    try checkpoint.requireFloatingPoint()
    let model = try LanguageModel(checkpoint)
    let length = min(length, model.configuration.contextLength)
    var random = SplitMix64(seed: 0)
    let ids = (0..<windows * length).map { _ in
      Int32.random(in: 0..<Int32(model.configuration.vocabulary), using: &random)
    }
    let tokens = TokenWindows(count: windows, length: length, ids: ids)
    let linears = try checkpoint.blockLinears()
    let sparse = Set(try checkpoint.sparseWeights(among: linears).map { ExactString($0) })
    let parameters = try TrainingParameters(
      model.trainedTensors(but: []), of: checkpoint, on: compute
    ) { sparse.contains(ExactString($0)) }
    let steps = 4
    var trainer = Trainer(
      pass: TrainingPass(decoder: model, compute: compute),
      options: TrainingOptions(length: .steps(steps), batch: windows, learningRate: 1e-9),
      windows: tokens, heldOut: nil, teacher: nil, parameters: parameters,
      optimizer: MaskedOptimizer(AdamW(), for: parameters.forOptimizer))
    let clock = ContinuousClock()
    var times: [Double] = []
    try Allocator.keepingFreedMemory {
      for _ in 0..<steps {
        // A new one each time: it keeps what it has once run.
        trainer.teacher = try Teacher(model, of: tokens, beside: nil, on: compute)
        let start = clock.now
        try trainer.step(progress: progress)
        times.append((clock.now - start).seconds)
      }
    }
    times = times.dropFirst().sorted()
    let multiplied =
      try linears.reduce(0) { try $0 + checkpoint.weight($1).rows * checkpoint.weight($1).columns }
      + model.outputProjection.rows * model.outputProjection.columns
    let rate = 10 * Double(multiplied * windows * length) / times[0] / 1e9
    return Benchmark.Result(
      name: "train",
      shape: "\(windows) × \(length) tokens, \(Format.grouped(multiplied)) multiplied weights",
      kernel: compute.kernels.name, threads: compute.threads, best: times[0],
      median: times[times.count / 2], gigaflops: rate, share: rate / (product?.gigaflops ?? .nan),
      limit: .product)
  }
}
