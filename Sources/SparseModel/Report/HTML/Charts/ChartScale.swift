internal import SparseCore

/// Where values lie between the ends of an axis, and the round numbers along it.
struct ChartScale: Equatable {
  /// How distance follows from value.
  enum Kind: Sendable {
    /// Equal differences are equally far apart.
    case linear
    /// Equal ratios are.
    case logarithmic
  }

  private let kind: Kind
  private var lower: Double
  private var upper: Double
  /// Round numbers from one end to the other, ascending.
  private(set) var ticks: [Double]

  /// A scale for some values, those that it cannot show left out: NaN, infinities, on a logarithmic one all up to 0.
  ///
  /// - Parameter includesZero: for bars, whose length means something only from 0 on.
  init(_ values: some Sequence<Double>, _ kind: Kind = .linear, includesZero: Bool = false) {
    self.kind = kind
    let shown = values.filter { Self.shows($0, kind) }
    switch kind {
    case .linear:
      // What is less than 1e-300 has no digits left to part it by.
      let parted = shown.map { $0.magnitude < 1e-300 ? 0 : $0 }
      var (low, high) = (parted.min() ?? 0, parted.max() ?? 1)
      if includesZero { (low, high) = (min(0, low), max(0, high)) }
      if low == high { (low, high) = low == 0 ? (0, 1) : (min(0, 2 * low), max(0, 2 * high)) }
      let (digit, exponent) = Self.step(notBelow: (high - low) / 5)
      let step = Self.decimal(digit, exponent)
      let places = Int((low / step).rounded(.down))...Int((high / step).rounded(.up))
      // From text, so that it is 0.3 and not 0.30000000000000004.
      ticks = places.map { Self.decimal($0 * digit, exponent) }
    case .logarithmic:
      let (low, high) = (shown.min() ?? 1, shown.max() ?? 10)
      var ladder = Self.ladder(from: low, to: high)
      if ladder.count > 8 { ladder = Self.decades(ladder) }
      ticks = ladder
    }
    (lower, upper) = (ticks[0], ticks[ticks.count - 1])
  }

  /// The same, from the least value to the largest, with its ticks at the values themselves where these are few.
  func ticking(at values: [Double]) -> ChartScale {
    var other = self
    var kept: [Double] = []
    var lastPlace = -1.0
    for value in Set(values).sorted() {
      guard let place = position(value) else { continue }
      if place - lastPlace >= 0.07 {
        kept.append(value)
        lastPlace = place
      }
    }
    guard let first = kept.first, let last = kept.last, (2...9).contains(kept.count) else {
      return self
    }
    (other.ticks, other.lower, other.upper) = (kept, first, last)
    return other
  }

  /// Where a value lies: 0 for the lower end, 1 for the upper one; nil for one that cannot be shown.
  func position(_ value: Double) -> Double? {
    guard Self.shows(value, kind) else { return nil }
    let place =
      switch kind {
      case .linear: (value - lower) / (upper - lower)
      case .logarithmic: Math.logarithm(value / lower) / Math.logarithm(upper / lower)
      }
    return min(1, max(0, place))
  }

  /// Whether a value has a place; beyond 1e300 differences would overflow.
  private static func shows(_ value: Double, _ kind: Kind) -> Bool {
    switch kind {
    case .linear: value.magnitude <= 1e300
    case .logarithmic: value >= 1e-300 && value <= 1e300
    }
  }

  /// The first of …, 1e-1, 2e-1, 5e-1, 1e0, 2e0, … that is not less, as its digit and its exponent.
  private static func step(notBelow value: Double) -> (digit: Int, exponent: Int) {
    var exponent = Int(exponent(value).rounded(.down)) - 1
    while true {
      for digit in [1, 2, 5] where decimal(digit, exponent) >= value { return (digit, exponent) }
      exponent += 1
    }
  }

  /// The round numbers from the last that is not above `low` to the first that is not below `high`.
  private static func ladder(from low: Double, to high: Double) -> [Double] {
    var exponent = Int(exponent(low).rounded(.down)) - 1
    var ladder: [Double] = []
    while true {
      for digit in [1, 2, 5] {
        let rung = decimal(digit, exponent)
        if rung <= low { ladder = [rung] } else { ladder.append(rung) }
        if rung >= high && ladder.count > 1 { return ladder }
      }
      exponent += 1
    }
  }

  /// At most nine powers of ten, equally far apart, around a long ladder.
  private static func decades(_ ladder: [Double]) -> [Double] {
    let first = Int((exponent(ladder[0]) + 1e-9).rounded(.down))
    let last = Int((exponent(ladder[ladder.count - 1]) - 1e-9).rounded(.up))
    let step = max(1, (last - first + 7) / 8)
    return (0...(last - first + step - 1) / step).map { decimal(1, first + $0 * step) }
  }

  private static func exponent(_ value: Double) -> Double {
    Math.logarithm(value) / Math.logarithm(10)
  }

  /// digits · 10^exponent, correctly rounded.
  private static func decimal(_ digits: Int, _ exponent: Int) -> Double {
    Double("\(digits)e\(exponent)") ?? 0
  }
}
