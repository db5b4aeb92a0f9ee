internal import SparseCore

/// The predicted times of a model's linears and of its passes.
struct PlanTimes {
  private let shape: PlanShape
  private let request: PlanRequest
  private let context: Int
  private let roofline: Roofline

  init(_ shape: PlanShape, _ request: PlanRequest, context: Int) {
    self.shape = shape
    self.request = request
    self.context = context
    roofline = Roofline(gpu: request.gpu, measured: request.measured)
  }

  /// Every linear at every number of rows.
  func layers(rows: [Int]) -> [ModelPlan.Layer] {
    rows.flatMap { rows in
      shape.linears.map { linear in
        func time(_ form: LinearForm) -> Roofline.Time {
          roofline.time(form, rows: rows, outputs: linear.outputs, inputs: linear.inputs)
        }
        return ModelPlan.Layer(
          name: linear.name, rows: rows, outputs: linear.outputs, inputs: linear.inputs,
          dense: time(.denseHalf), denseInt8: time(.denseInt8), sparse: time(request.form),
          obstacle: obstacle(linear, rows: rows))
      }
    }
  }

  /// Why the form asked for is not faster than both dense forms, by 5 percent at least; nil where it is.
  private func obstacle(_ linear: PlanShape.Linear, rows: Int) -> SparseObstacle? {
    let (outputs, inputs) = (linear.outputs, linear.inputs)
    let obstacle = roofline.obstacle(
      to: request.form, rows: rows, outputs: outputs, inputs: inputs)
    if obstacle != nil { return obstacle }
    func seconds(_ form: LinearForm) -> Double {
      roofline.time(form, rows: rows, outputs: outputs, inputs: inputs).seconds
    }
    let other: LinearForm = request.form.isInt8 ? .denseHalf : .denseInt8
    let gain = seconds(other) / seconds(request.form)
    return gain < Roofline.worthwhile ? .otherDense(other, rows: rows) : nil
  }

  /// How much of the layers' times was measured; nil where the request came without measurements.
  ///
  /// A weight is measured at every number of rows or at none, so one number of them tells it.
  func measurement(of layers: [ModelPlan.Layer]) -> PlanMeasurement? {
    PlanMeasurement(
      layers.filter { $0.rows == layers.first?.rows }, roofline, form: request.form)
  }

  /// Decoding at every batch, then prefill.
  func passes() -> [ModelPlan.Pass] {
    request.batches.map { pass(.decode, batch: $0, rows: $0) }
      + request.batches.map {
        pass(.prefill, batch: $0, rows: min($0 * context, PlanRequest.prefillRows))
      }
  }

  private func pass(_ phase: ModelPlan.Pass.Phase, batch: Int, rows: Int) -> ModelPlan.Pass {
    let linears = Dictionary(
      uniqueKeysWithValues: LinearForm.allCases.map { form in
        (
          form,
          shape.linears.reduce(0.0) { sum, linear in
            sum
              + roofline.time(form, rows: rows, outputs: linear.outputs, inputs: linear.inputs)
              .seconds
          }
        )
      })
    let logits = shape.projection.map {
      roofline.time(.denseHalf, rows: batch, outputs: $0.outputs, inputs: $0.inputs).seconds
    }
    return ModelPlan.Pass(
      phase: phase, batch: batch, rows: rows, linears: linears,
      rest: (logits ?? 0) + attention(phase, batch: batch, rows: rows))
  }

  /// The products of queries with keys and of their weights with values.
  ///
  /// While decoding each sequence reads its whole cache once. In prefill a token sees half of the context on average;
  /// both products are 2 operations for each query channel and token seen.
  private func attention(
    _ phase: ModelPlan.Pass.Phase, batch: Int, rows: Int
  ) -> Double {
    let configuration = shape.configuration
    let gpu = request.gpu
    switch phase {
    case .decode:
      let bytes = Double(batch) * Double(context) * Double(shape.cache.bytesPerToken)
      return bytes / (1e9 * gpu.bandwidth * Self.efficiency)
    case .prefill:
      let channels = Double(configuration.heads) * Double(configuration.headWidth)
      let work = 4 * Double(rows) * Double(context) / 2 * channels * Double(configuration.blocks)
      return work / (1e12 * gpu.halfRate * Self.efficiency)
    }
  }

  /// What fused attention kernels reach of the datasheet's bandwidth and rates, roughly.
  private static let efficiency = 0.6
}
