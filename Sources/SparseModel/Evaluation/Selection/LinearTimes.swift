public import SparseCore

/// What each linear layer of a model takes of the time of one pass, dense and 2:4.
public struct LinearTimes: Sendable {
  /// In the checkpoint's order, so that sums have the same bits in every run.
  private let layers: [(name: ExactString, dense: Double, sparse: Double)]
  private let gains: [ExactString: Double]
  /// What dense float16 takes in all: speedups are over that.
  private let baseline: Double
  /// Attention and output projection.
  private let rest: Double

  private init(
    _ layers: [(name: ExactString, dense: Double, sparse: Double)], baseline: Double, rest: Double
  ) {
    self.layers = layers
    self.baseline = baseline
    self.rest = rest
    gains = Dictionary(
      layers.map { ($0.name, $0.dense - $0.sparse) }, uniquingKeysWith: { first, _ in first })
  }

  /// The times of decoding `batch` sequences at once on a GPU, by the roofline model.
  ///
  /// - Parameter isQuantized: whether all layers are INT8, those that stay dense too.
  /// - Throws: the errors of ``Checkpoint/plan(_:)``.
  public init(_ checkpoint: Checkpoint, gpu: GPU, batch: Int, isQuantized: Bool) throws {
    let form: LinearForm = isQuantized ? .sparseInt8 : .sparseHalf
    let plan = try checkpoint.plan(PlanRequest(gpu: gpu, form: form, batches: [batch]))
    let roofline = Roofline(gpu: gpu)
    let layers = plan.layers.filter { $0.rows == batch }
    let rest = plan.passes.first { $0.phase == .decode }?.rest ?? 0
    self.init(
      layers.map { layer in
        let dense = roofline.time(
          form.dense, rows: batch, outputs: layer.outputs, inputs: layer.inputs)
        return (ExactString(layer.name), dense.seconds, layer.sparse.seconds)
      }, baseline: layers.reduce(rest) { $0 + $1.dense.seconds }, rest: rest)
  }

  /// Times in proportion to the bytes of weights: what decoding takes wherever memory limits it.
  ///
  /// - Throws: the errors of reading the headers and config.json.
  public init(bytesOf checkpoint: Checkpoint, isQuantized: Bool) throws {
    let form: LinearForm = isQuantized ? .sparseInt8 : .sparseHalf
    let linears = try PlanShape(checkpoint).linears
    func bytes(_ form: LinearForm, _ linear: PlanShape.Linear) -> Double {
      let form = linear.inputs % 4 == 0 ? form : form.dense
      return Double(form.byteCount(outputs: linear.outputs, inputs: linear.inputs))
    }
    self.init(
      linears.map { (ExactString($0.name), bytes(form.dense, $0), bytes(form, $0)) },
      baseline: linears.reduce(0) { $0 + bytes(.denseHalf, $1) }, rest: 0)
  }

  /// How many times as fast as dense float16 the model is with these weights 2:4 and all others dense.
  public func speedup(sparse names: [String]) -> Double {
    let sparse = Set(names.map(ExactString.init))
    return baseline
      / layers.reduce(rest) { $0 + (sparse.contains($1.name) ? $1.sparse : $1.dense) }
  }

  /// What a part gains by being 2:4.
  func gain(_ part: Sensitivity) -> Double {
    part.layers.reduce(0) { $0 + (gains[ExactString($1)] ?? 0) }
  }
}
