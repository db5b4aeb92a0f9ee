internal import SparseCore

/// The cosines and sines by which the rotary embedding turns queries and keys (arXiv 2104.09864).
///
/// Row `p` belongs to position `p` and holds one value for each of the `headWidth / 2` frequencies.
struct RotaryTable: Sendable {
  /// `positions × headWidth / 2` cosines.
  let cosines: Matrix
  /// `positions × headWidth / 2` sines.
  let sines: Matrix
  /// The sines of the angles turned round.
  private var backSines: Matrix {
    Matrix(rows: sines.rows, columns: sines.columns, sines.values.map { -$0 })
  }

  /// The table of positions `0 ..< positions`, computed in double and rounded once.
  init(positions: Int, configuration: ModelConfiguration) {
    let frequencies = RotaryTable.frequencies(of: configuration)
    var cosines: [Float] = []
    var sines: [Float] = []
    cosines.reserveCapacity(positions * frequencies.count)
    sines.reserveCapacity(positions * frequencies.count)
    for position in 0..<positions {
      for frequency in frequencies {
        let angle = Double(position) * frequency
        cosines.append(Float(Math.cosine(angle)))
        sines.append(Float(Math.sine(angle)))
      }
    }
    self.cosines = Matrix(rows: positions, columns: frequencies.count, cosines)
    self.sines = Matrix(rows: positions, columns: frequencies.count, sines)
  }

  /// Turns the heads of each row, in place: row `t` is at position `first + t % sequenceLength`.
  func rotate(_ x: inout Matrix, sequenceLength: Int, from first: Int, on compute: Compute) {
    SparseCore.rotate(
      &x, headWidth: 2 * cosines.columns, cosines: cosines, sines: sines, firstPosition: first,
      sequenceLength: sequenceLength, on: compute)
  }

  /// Turns the heads of each row back: the inverse, which is also the way back of a gradient.
  func rotateBack(_ x: inout Matrix, sequenceLength: Int, from first: Int, on compute: Compute) {
    SparseCore.rotate(
      &x, headWidth: 2 * cosines.columns, cosines: cosines, sines: backSines, firstPosition: first,
      sequenceLength: sequenceLength, on: compute)
  }

  /// Radians per position of each pair of channels: `theta^(−2i / headWidth)`, scaled as the configuration says.
  static func frequencies(of configuration: ModelConfiguration) -> [Double] {
    (0..<configuration.headWidth / 2).map { pair in
      let exponent = -2 * Double(pair) / Double(configuration.headWidth)
      let frequency = Math.power(configuration.ropeTheta, exponent)
      return configuration.ropeScaling.scaled(frequency)
    }
  }
}

extension RopeScaling {
  /// The frequency after scaling; `llama3` follows the published model's `apply_scaling`.
  func scaled(_ frequency: Double) -> Double {
    switch self {
    case .none: return frequency
    case .linear(let factor): return frequency / factor
    case .llama3(let factor, let lowFactor, let highFactor, let originalContext):
      let wavelength = 2 * Double.pi / frequency
      let turns = Double(originalContext) / wavelength
      if turns < lowFactor { return frequency / factor }
      if turns > highFactor { return frequency }
      let blend = (turns - lowFactor) / (highFactor - lowFactor)
      return (1 - blend) * frequency / factor + blend * frequency
    }
  }
}
