/// How long a linear layer takes on a GPU: as long as its arithmetic or its memory traffic, whichever takes longer.
///
/// ```swift
/// let roofline = Roofline(gpu: h100)
/// let dense = roofline.time(.denseHalf, rows: 16, outputs: 4096, inputs: 4096)
/// let sparse = roofline.time(.sparseInt8, rows: 16, outputs: 4096, inputs: 4096)
/// print(dense.seconds / sparse.seconds, sparse.bound)   // about 1.9, memory
/// ```
///
/// It is a model: launches, caches, and kernels that are tuned for one shape and not for another are in it as
/// averages only. Where the time of a product was measured, that takes the model's place.
public struct Roofline: Sendable {
  /// What a product waits for.
  public enum Bound: String, Sendable {
    /// The tensor cores.
    case compute
    /// Weights, activations and results on their way from and to memory.
    case memory
  }

  /// The time of one product.
  public struct Time: Sendable, Equatable {
    /// All of it.
    public let seconds: Double
    /// What most of it is spent on.
    public let bound: Bound
    /// The part of it that does not depend on the size.
    public let fixedSeconds: Double
    /// Whether `seconds` comes from ``Roofline/measured``; the rest is the model's in any case.
    public let isMeasured: Bool
  }

  /// How much of the datasheet's rates a kind of kernel reaches.
  struct Efficiency {
    /// Of the rate of its tensor cores.
    let compute: Double
    /// Of the memory bandwidth.
    let memory: Double
    /// What each product costs besides, in seconds.
    let fixed: Double
  }

  /// What it is computed for.
  public let gpu: GPU
  /// What was measured on it; nil where nothing was.
  public let measured: MeasuredTimes?

  /// The model of a GPU, with what was measured on it.
  public init(gpu: GPU, measured: MeasuredTimes? = nil) {
    self.gpu = gpu
    self.measured = measured
  }

  /// The efficiency of each kind of kernel, calibrated on an H100 SXM.
  ///
  /// Measured were the seven linears of a Llama-7B block, cuBLAS float16 against cuSPARSELt with plans kept. 2:4 INT8 was
  /// 1.9, 1.8, 2.4 and 3.1 times as fast at 16, 128, 1024 and 8192 rows (this gives 1.9, 1.9, 2.6 and 2.9), 2:4
  /// float16 1.4 to 1.6 times, dense INT8 1.2 to 2.0 times.
  static func efficiency(of form: LinearForm) -> Efficiency {
    switch form {
    case .denseHalf: Efficiency(compute: 0.75, memory: 0.80, fixed: 3e-6)
    case .denseInt8: Efficiency(compute: 0.60, memory: 0.70, fixed: 4e-6)
    case .sparseHalf: Efficiency(compute: 0.55, memory: 0.75, fixed: 4e-6)
    case .sparseInt8: Efficiency(compute: 0.55, memory: 0.70, fixed: 5e-6)
    }
  }

  /// The time of `rows × inputs` times (`outputs × inputs`)ᵀ, all of them at least 1.
  ///
  /// INT8 forms read INT8 activations with a float32 scale a row; results are 16 bits. Sparse kernels take rows in multiples of
  /// 8 (16 bits) or 16 (INT8): the missing ones are counted as computed. A sparse form on a GPU without sparse tensor
  /// cores, or of a shape that no sparse kernel takes, takes the time of the dense one. A measured time is taken as it is.
  public func time(_ form: LinearForm, rows: Int, outputs: Int, inputs: Int) -> Time {
    precondition(
      rows > 0 && outputs > 0 && inputs > 0,
      "Roofline: \(rows) rows, \(outputs) outputs, \(inputs) inputs")
    if form.isSparse, obstacle(to: form, outputs: outputs, inputs: inputs) != nil {
      return time(form.dense, rows: rows, outputs: outputs, inputs: inputs)
    }
    let efficiency = Self.efficiency(of: form)
    let multiple = form.isSparse ? (form.isInt8 ? 16 : 8) : 1
    let (m, n, k) = (
      Double((rows + multiple - 1) / multiple * multiple), Double(outputs), Double(inputs)
    )
    let rate = 1e12 * (form.isInt8 ? gpu.int8Rate : gpu.halfRate) * (form.isSparse ? 2 : 1)
    let compute = 2 * m * n * k / (rate * efficiency.compute)
    let activations = m * (form.isInt8 ? k + 4 : 2 * k) + 2 * m * n
    let bytes = Double(form.byteCount(outputs: outputs, inputs: inputs)) + activations
    let memory = bytes / (1e9 * gpu.bandwidth * efficiency.memory)
    let seconds = measured?.seconds(form, rows: rows, outputs: outputs, inputs: inputs)
    return Time(
      seconds: seconds ?? max(compute, memory) + efficiency.fixed,
      bound: compute > memory ? .compute : .memory, fixedSeconds: efficiency.fixed,
      isMeasured: seconds != nil)
  }

  /// Why the GPU runs a weight of this shape dense; nil where it does not.
  public func obstacle(to form: LinearForm, outputs: Int, inputs: Int) -> SparseObstacle? {
    guard form.isSparse else { return nil }
    if !gpu.hasSparseTensorCores { return .noSparseTensorCores(gpu: gpu.name) }
    return form.shapeObstacle(outputs: outputs, inputs: inputs)
  }

  /// By what factor a product must be faster than another to count as faster.
  package static let worthwhile = 1.05

  /// Why a sparse form is not faster than the dense one with the same numbers, by 5 percent at least; nil where it is.
  ///
  /// Of measured times only that is known: ``SparseObstacle/efficiency(rows:)``.
  public func obstacle(
    to form: LinearForm, rows: Int, outputs: Int, inputs: Int
  ) -> SparseObstacle? {
    guard form.isSparse else { return nil }
    if let obstacle = obstacle(to: form, outputs: outputs, inputs: inputs) { return obstacle }
    let dense = time(form.dense, rows: rows, outputs: outputs, inputs: inputs)
    let sparse = time(form, rows: rows, outputs: outputs, inputs: inputs)
    if dense.seconds / sparse.seconds >= Self.worthwhile { return nil }
    if dense.isMeasured || sparse.isMeasured { return .efficiency(rows: rows) }
    let isFixed =
      sparse.fixedSeconds > sparse.seconds / 2
      || (dense.seconds - dense.fixedSeconds) / (sparse.seconds - sparse.fixedSeconds)
        >= Self.worthwhile
    if isFixed { return .fixedCost(rows: rows) }
    return sparse.bound == .memory ? .activations(rows: rows) : .efficiency(rows: rows)
  }
}
