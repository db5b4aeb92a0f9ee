/// Finds the kernel of cuSPARSELt that does a product fastest, by running them.
///
/// The library's own search does not cut the reduction into parts, without which a few rows leave most of a
/// large GPU idle. Here all kernels are tried, and the best of them with the reduction cut.
struct AlgorithmSearch: ~Copyable {
  private let session: SparseLtSession
  private var timer: ProductTimer

  init(_ session: SparseLtSession) throws(CUDAError) {
    self.session = session
    timer = try ProductTimer(on: session.device)
  }

  /// The fastest kernel, and its time for one product.
  ///
  /// - Parameters:
  ///   - x: activations of the product's size.
  ///   - y: room for its result.
  mutating func best(
    for product: SparseProduct, _ x: borrowing DeviceBuffer, _ weights: borrowing RotatedWeights,
    into y: borrowing DeviceBuffer
  ) throws(CUDAError) -> AlgorithmChoice {
    var plan = try SparsePlan(product, session)
    let configurations = try plan.configurations
    try plan.search(x, weights[0], into: y)
    var tried: [AlgorithmChoice: Double] = [:]
    func ranked() -> [AlgorithmChoice] {
      // By number where times are the same, so that a search ends with the same kernel each time.
      tried.sorted { ($0.value, $0.key.order) < ($1.value, $1.key.order) }.map(\.key)
    }
    let first =
      [try plan.algorithm] + (0..<configurations).map { AlgorithmChoice(configuration: $0) }
    for choice in first where tried[choice] == nil {
      tried[choice] = try seconds(choice, product, x, weights, into: y)
    }
    if product.rows <= Self.fewRows {
      for choice in ranked().prefix(Self.finalists) {
        for splits in Self.splits {
          for mode in AlgorithmChoice.splitModes {
            let cut = AlgorithmChoice(
              configuration: choice.configuration, splits: splits, splitMode: mode)
            tried[cut] = try seconds(cut, product, x, weights, into: y)
          }
        }
      }
    }
    return ranked()[0]
  }

  /// The seconds of one product with a kernel; infinity where it does not do this product.
  private mutating func seconds(
    _ choice: AlgorithmChoice, _ product: SparseProduct, _ x: borrowing DeviceBuffer,
    _ weights: borrowing RotatedWeights, into y: borrowing DeviceBuffer
  ) throws(CUDAError) -> Double {
    do throws(CUDAError) {
      let plan = try SparsePlan(product, algorithm: choice, session)
      return try timer.time(rounds: 3) { turn throws(CUDAError) in
        try plan.multiply(x, weights[turn], into: y)
      }.median
    } catch .callFailed(_, CuSPARSELt.notSupported, _, _) {
      return .infinity
    }
  }

  /// Up to so many rows a GPU has more multiprocessors than a weight has tiles.
  private static let fewRows = 256
  private static let finalists = 3
  private static let splits = [2, 3, 4, 8]
}

extension AlgorithmChoice {
  fileprivate var order: Int { configuration * 10_000 + splits * 10 + splitMode }
}
