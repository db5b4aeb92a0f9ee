public import SparseCore

/// A linear layer as far as its speed goes.
public struct LinearSize: Sendable, Hashable {
  /// The rows of the weight.
  public let outputs: Int
  /// The columns of the weight.
  public let inputs: Int
  /// How many layers of this size there are.
  public let count: Int

  /// `count` layers of one size.
  public init(outputs: Int, inputs: Int, count: Int = 1) {
    self.outputs = outputs
    self.inputs = inputs
    self.count = count
  }

  /// The linears of a block of Llama-2 7B: q, k, v and o, gate and up, and down.
  public static let llama7B = [
    LinearSize(outputs: 4096, inputs: 4096, count: 4),
    LinearSize(outputs: 11008, inputs: 4096, count: 2),
    LinearSize(outputs: 4096, inputs: 11008, count: 1),
  ]
}

/// How fast a GPU multiplies with dense and with 2:4 weights.
///
/// Products run on random numbers, with weights that take turns so that none comes from a cache. Times are the GPU's
/// own, and medians. Each library's kernels are tried, the fastest is taken, and some values of its result are held against the CPU's.
/// Dense INT8 gives INT8, 2:4 INT8 float16: what the libraries have kernels for.
public struct GPUBenchmark: ~Copyable {
  /// What the GPU itself was measured to reach, on products and copies as large as it likes.
  public struct Peak: Sendable, Equatable {
    /// Dense float16 products, in operations a second.
    public let half: Double
    /// Dense INT8 products, in operations a second.
    public let int8: Double
    /// Copies, in bytes read and written a second.
    public let bandwidth: Double
  }

  /// One measured product.
  public struct Result: Sendable, Equatable {
    /// The form of the weight.
    public let form: LinearForm
    /// The rows of activations.
    public let rows: Int
    /// The sizes of the weight.
    public let size: LinearSize
    /// Seconds of the middle and of the fastest round.
    public let median, best: Double
    /// The least time that the peak allows, for arithmetic or memory, as a share of the median.
    public let share: Double
    /// The kernel of a 2:4 form.
    public let algorithm: AlgorithmChoice?
  }

  private let sparse: SparseLtSession
  private let dense: BlasLtSession
  private var timer: ProductTimer
  private var cache: AlgorithmCache?
  private let compute: Compute

  /// A benchmark on a GPU.
  ///
  /// - Parameter cache: where kernels that were found are kept; nil for nowhere.
  public init(
    _ sparse: SparseLtSession, _ dense: BlasLtSession, cache: AlgorithmCache? = nil,
    on compute: Compute = .automatic
  ) throws(CUDAError) {
    timer = try ProductTimer(on: sparse.device)
    self.sparse = sparse
    self.dense = dense
    self.cache = cache
    self.compute = compute
  }

  /// The kernels that have been found so far.
  public var algorithms: AlgorithmCache? { cache }

  /// Measures what the GPU reaches.
  ///
  /// - Parameter side: the rows and columns of the matrices.
  public mutating func peak(side: Int = 8192) throws(CUDAError) -> Peak {
    let size = LinearSize(outputs: side, inputs: side)
    let operations = 2 * Double(side) * Double(side) * Double(side)
    func rate(_ form: LinearForm) throws(CUDAError) -> Double {
      guard let time = try timeDense(form, rows: side, size, isChecked: false) else {
        throw .noKernel("\(form.rawValue), \(side)³")
      }
      return operations / time.best
    }
    let half = try rate(.denseHalf)
    let int8 = try rate(.denseInt8)
    let from = try DeviceBuffer(byteCount: side * side * 2, on: dense.device)
    let to = try DeviceBuffer(byteCount: side * side * 2, on: dense.device)
    let copy = try timer.time(rounds: Self.rounds) { _ throws(CUDAError) in try to.copy(from) }
    return Peak(half: half, int8: int8, bandwidth: Double(2 * from.byteCount) / copy.best)
  }

  /// Measures one product; nil where the library has no kernel for the form and the shape.
  ///
  /// - Throws: ``CUDAError``, also where the product is not what the CPU says.
  public mutating func measure(
    _ form: LinearForm, rows: Int, _ size: LinearSize, _ peak: Peak
  ) throws(CUDAError) -> Result? {
    let time: ProductTimer.Time?
    var algorithm: AlgorithmChoice?
    if form.isSparse {
      let measured = try timeSparse(form, rows: rows, size)
      (time, algorithm) = (measured?.time, measured?.algorithm)
    } else {
      time = try timeDense(form, rows: rows, size, isChecked: true)
    }
    guard let time else { return nil }
    let (m, n, k) = (Double(rows), Double(size.outputs), Double(size.inputs))
    let rate = (form.isInt8 ? peak.int8 : peak.half) * (form.isSparse ? 2 : 1)
    // The weight alone: activations may be in the cache.
    let bytes = Double(form.byteCount(outputs: size.outputs, inputs: size.inputs))
    let least = max(2 * m * n * k / rate, bytes / peak.bandwidth)
    return Result(
      form: form, rows: rows, size: size, median: time.median, best: time.best,
      share: least / time.median, algorithm: algorithm)
  }

  private mutating func timeDense(
    _ form: LinearForm, rows: Int, _ size: LinearSize, isChecked: Bool
  ) throws(CUDAError) -> ProductTimer.Time? {
    guard
      let product = DenseProduct(
        rows: rows, outputs: size.outputs, inputs: size.inputs,
        type: form.isInt8 ? .int8 : .float16)
    else { return nil }
    let scale = ProductSample.scale(of: product.type, inputs: size.inputs)
    let weight = try RandomBytes(product.type, seed: 1).buffer(
      product.weightBytes, on: dense.device)
    let weights = try RotatedWeights(weight, on: dense.device)
    let x = try RandomBytes(product.type, seed: 2).buffer(product.inputBytes, on: dense.device)
    let y = try DeviceBuffer(byteCount: product.outputBytes, on: dense.device)
    var plan: DensePlan
    do throws(CUDAError) {
      plan = try DensePlan(product, dense)
    } catch .callFailed(_, CuBLASLt.notSupported, _, _) {
      return nil
    }
    var (fastest, kernel) = (Double.infinity, plan.proposals[0])
    for proposal in plan.proposals {
      plan.choose(proposal)
      let time = try? Self.time(plan, x, weights, y, scale, rounds: 3, &timer)
      if let time, time.median < fastest { (fastest, kernel) = (time.median, proposal) }
    }
    plan.choose(kernel)
    let time = try Self.time(plan, x, weights, y, scale, rounds: Self.rounds, &timer)
    if isChecked { try ProductSample(product, scale: scale).check(y, x, weight) }
    return time
  }

  private static func time(
    _ plan: borrowing DensePlan, _ x: borrowing DeviceBuffer, _ weights: borrowing RotatedWeights,
    _ y: borrowing DeviceBuffer, _ scale: Float, rounds: Int, _ timer: inout ProductTimer
  ) throws(CUDAError) -> ProductTimer.Time {
    try timer.time(rounds: rounds) { turn throws(CUDAError) in
      try plan.multiply(x, weights[turn], into: y, scale: scale)
    }
  }

  private mutating func timeSparse(
    _ form: LinearForm, rows: Int, _ size: LinearSize
  ) throws(CUDAError) -> (time: ProductTimer.Time, algorithm: AlgorithmChoice)? {
    guard
      let shape = try? SparseShape(
        outputs: size.outputs, inputs: size.inputs, type: form.isInt8 ? .int8 : .float16),
      let product = try? SparseProduct(shape, rows: rows)
    else { return nil }
    let scale = ProductSample.scale(of: shape.type, inputs: size.inputs)
    let weight = try RandomBytes(shape.type, seed: 1).buffer(shape.denseBytes, on: sparse.device)
    try sparse.prune(weight, shape: shape, by: .strip, into: weight)
    let weights = try RotatedWeights(
      SparseWeight(compressing: weight, shape: shape, sparse).blob, on: sparse.device)
    let x = try RandomBytes(shape.type, seed: 2).buffer(product.inputBytes, on: sparse.device)
    let y = try DeviceBuffer(byteCount: product.outputBytes, on: sparse.device)
    if let known = cache?[product, sparse],
      let time = try? time(product, known, x, weights, y, scale),
      (try? ProductSample(product, scale: scale).check(y, x, weight)) != nil
    {
      return (time, known)
    }
    var search = try AlgorithmSearch(sparse)
    let algorithm = try search.best(for: product, x, weights, into: y, scale: scale) {
      plan throws(CUDAError) in
      try y.clear()
      try plan.multiply(x, weights[0], into: y, scale: scale)
      try ProductSample(product, scale: scale).check(y, x, weight)
    }
    cache?[product, sparse] = algorithm
    return (try time(product, algorithm, x, weights, y, scale), algorithm)
  }

  private mutating func time(
    _ product: SparseProduct, _ algorithm: AlgorithmChoice, _ x: borrowing DeviceBuffer,
    _ weights: borrowing RotatedWeights, _ y: borrowing DeviceBuffer, _ scale: Float
  ) throws(CUDAError) -> ProductTimer.Time {
    let plan = try SparsePlan(product, algorithm: algorithm, sparse)
    return try timer.time(rounds: Self.rounds) { turn throws(CUDAError) in
      try plan.multiply(x, weights[turn], into: y, scale: scale)
    }
  }

  private static let rounds = 11
}
