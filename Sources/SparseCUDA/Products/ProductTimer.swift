/// Times products by the GPU's own clock.
struct ProductTimer: ~Copyable {
  /// The seconds of one product.
  struct Time: Sendable, Equatable {
    /// Of the fastest and of the middle round.
    let best, median: Double
  }

  private let timer: DeviceTimer
  private var turn = 0

  init(on device: CUDADevice) throws(CUDAError) { timer = try DeviceTimer(on: device) }

  /// Runs a product in rounds, as many in each as take a millisecond, after some to warm up.
  ///
  /// - Parameters:
  ///   - rounds: the number of rounds.
  ///   - run: starts one product; its argument counts them, so that weights can take turns.
  mutating func time(
    rounds: Int, _ run: (_ turn: Int) throws(CUDAError) -> Void
  ) throws(CUDAError) -> Time {
    var once = try seconds(of: 2, run) / 2
    once = try seconds(of: 2, run) / 2
    let products = max(2, min(Self.mostProducts, Int(Self.roundSeconds / max(once, 1e-7))))
    var times: [Double] = []
    for _ in 0..<rounds { times.append(try seconds(of: products, run) / Double(products)) }
    times.sort()
    return Time(best: times[0], median: times[times.count / 2])
  }

  private mutating func seconds(
    of products: Int, _ run: (Int) throws(CUDAError) -> Void
  ) throws(CUDAError) -> Double {
    let first = turn
    turn += products
    return try timer.seconds { () throws(CUDAError) in
      for place in 0..<products { try run(first + place) }
    }
  }

  private static let roundSeconds = 1e-3
  private static let mostProducts = 200
}
