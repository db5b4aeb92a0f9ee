/// Finds the kernel of cuSPARSELt that does a product fastest, by running them.
///
/// All kernels are tried, and where rows are few also with the reduction cut into parts: whole sums leave most of a large GPU
/// idle then. What the library's own search finds is one of the candidates.
struct AlgorithmSearch: ~Copyable {
  private let session: SparseLtSession
  private var timer: ProductTimer
  private var failure: CUDAError?

  init(_ session: SparseLtSession) throws(CUDAError) {
    self.session = session
    timer = try ProductTimer(on: session.device)
  }

  /// The fastest kernel that passes a check.
  ///
  /// A candidate that fails in any way is left out.
  ///
  /// - Parameters:
  ///   - x: activations of the product's size.
  ///   - y: room for its result.
  ///   - isRight: whether what a kernel has written to `y` is right.
  /// - Throws: the failure of the last candidate where none is left.
  mutating func best(
    for product: SparseProduct, _ x: borrowing DeviceBuffer, _ weights: borrowing RotatedWeights,
    into y: borrowing DeviceBuffer, scale: Float,
    isRight: (borrowing SparsePlan) throws(CUDAError) -> Void
  ) throws(CUDAError) -> AlgorithmChoice {
    let plan = try SparsePlan(product, session)
    let standard = try plan.algorithm
    let configurations = try plan.configurations
    let found = try? plan.search(x, weights[0], into: y)
    var choices =
      [standard, found].compactMap(\.self)
      + (0..<configurations).map { AlgorithmChoice(configuration: $0) }
    if product.rows <= Self.fewRows {
      choices += (0..<configurations).flatMap {
        AlgorithmChoice(configuration: $0).cut(on: session.device.capability)
      }
    }
    var tried: [(choice: AlgorithmChoice, seconds: Double)] = []
    for choice in choices where !tried.contains(where: { $0.choice == choice }) {
      tried.append((choice, try seconds(choice, product, x, weights, into: y, scale: scale)))
    }
    // By number where times are the same, so that a search ends with the same kernel each time.
    tried.sort { ($0.seconds, $0.choice.order) < ($1.seconds, $1.choice.order) }
    for (choice, seconds) in tried where seconds.isFinite {
      do throws(CUDAError) {
        try isRight(SparsePlan(product, algorithm: choice, session))
        return choice
      } catch {
        failure = error
      }
    }
    throw failure ?? .noKernel("\(product)")
  }

  /// The seconds of one product with a kernel; infinity where it fails.
  private mutating func seconds(
    _ choice: AlgorithmChoice, _ product: SparseProduct, _ x: borrowing DeviceBuffer,
    _ weights: borrowing RotatedWeights, into y: borrowing DeviceBuffer, scale: Float
  ) throws(CUDAError) -> Double {
    do throws(CUDAError) {
      let plan = try SparsePlan(product, algorithm: choice, session)
      return try timer.time(rounds: 3) { turn throws(CUDAError) in
        try plan.multiply(x, weights[turn], into: y, scale: scale)
      }.median
    } catch {
      failure = error
      return .infinity
    }
  }

  /// Up to so many rows a GPU has more multiprocessors than a weight has tiles.
  private static let fewRows = 256
}

extension AlgorithmChoice {
  fileprivate var order: Int { configuration * 10_000 + splits * 10 + splitMode }
}
