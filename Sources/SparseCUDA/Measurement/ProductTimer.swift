/// Times products by the GPU's own clock.
struct ProductTimer: ~Copyable {
  /// The seconds of one product.
  struct Time: Sendable, Equatable {
    /// Of the fastest and of the middle round.
    let best, median: Double
  }

  private let timer: DeviceTimer
  /// What keeps the GPU at work while the products of a round are handed to it: launching a small one takes longer
  /// than running it.
  private let filler: DeviceBuffer
  private var turn = 0

  init(on device: CUDADevice) throws(CUDAError) {
    let timer = try DeviceTimer(on: device)
    filler = try DeviceBuffer(byteCount: 4 * max(device.cacheBytes, 1 << 16), on: device)
    self.timer = timer
  }

  /// Runs a product in rounds, as many in each as take a millisecond, after some that are not counted.
  ///
  /// - Parameters:
  ///   - rounds: the number of rounds; half as many come before, so that the clock has risen.
  ///   - run: starts one product; its argument counts them, so that weights can take turns.
  mutating func time(
    rounds: Int, _ run: (_ turn: Int) throws(CUDAError) -> Void
  ) throws(CUDAError) -> Time {
    let once = try seconds(of: 2, run) / 2
    let products = max(2, min(Self.mostProducts, Int(Self.roundSeconds / max(once, 1e-7))))
    for _ in 0..<rounds / 2 { _ = try seconds(of: products, run) }
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
    for _ in 0..<Self.fillers { try filler.clear() }
    return try timer.seconds { () throws(CUDAError) in
      for place in 0..<products { try run(first + place) }
    }
  }

  private static let roundSeconds = 1e-3
  private static let mostProducts = 200
  /// Each takes some 70 µs on an H100, whose cache is 50 MB: together they outlast the launch of 200 products.
  private static let fillers = 24
}
