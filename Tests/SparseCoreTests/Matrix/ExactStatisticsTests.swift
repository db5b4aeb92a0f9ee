import TestSupport
import Testing

@testable import SparseCore

/// Statistics of whole sequences that do not depend on how these are spread.
@Suite struct ExactStatisticsTests {
  /// Sequences whose inputs are of very different sizes, so that orders of addition would show.
  private func sequences(_ count: Int, tokens: Int, inputs: Int, seed: UInt64) -> [Matrix] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      Matrix(
        rows: tokens, columns: inputs,
        (0..<tokens * inputs).map { index in
          let scale = Float(sign: .plus, exponent: index % inputs % 13 - 6, significand: 1)
          return Float.random(in: -1...1, using: &random) * scale
        })
    }
  }

  private func gram(_ sequences: [Matrix], inputs: Int, threads: Int = 2) -> ExactGram {
    var gram = ExactGram(inputs: inputs)
    for sequence in sequences { gram.add(sequence: sequence, on: Compute(threads: threads)) }
    return gram
  }

  @Test(arguments: [1, 4, 47, 48, 49, 100])
  func gramsOfPartsAddUpToThatOfAll(inputs: Int) {
    let all = sequences(6, tokens: 9, inputs: inputs, seed: UInt64(inputs))
    let whole = gram(all, inputs: inputs)
    let rows = 0..<inputs
    for (a, b) in [(0..<1, 1..<6), (0..<3, 3..<6)] {
      let parts = [
        gram(Array(all[b].reversed()), inputs: inputs, threads: 3),
        gram(Array(all[a]), inputs: inputs),
      ]
      var sums = ExactSums(count: Gram.triangleCount(inputs: inputs))
      for part in parts {
        let (coarse, fine) = part.triangle(rows: rows)
        coarse.withUnsafeBytes { coarse in
          fine.withUnsafeBytes { sums.add(coarse: coarse, fine: $0) }
        }
      }
      #expect(sums.coarse == whole.triangle(rows: rows).coarse)
      #expect(sums.fine == whole.triangle(rows: rows).fine)
      #expect((0..<sums.count).map { Float(sums[$0]) } == whole.roundedTriangle(rows: rows))
    }
  }

  @Test(arguments: [4, 50]) func theGramIsThatOfAllTokens(inputs: Int) {
    let all = sequences(5, tokens: 7, inputs: inputs, seed: 1)
    let triangle = gram(all, inputs: inputs).roundedTriangle(rows: 0..<inputs)
    let read = Gram(inputs: inputs, tokens: 35, triangle: ByteView(floats: triangle))
    var place = 0
    for row in 0..<inputs {
      for column in 0...row {
        var (exact, size) = (0.0, 0.0)
        for x in all {
          for token in 0..<7 {
            let product = Double(x[token, row]) * Double(x[token, column])
            exact += product
            size += abs(product)
          }
        }
        let bound = 8 * size * 0x1p-24 + 5 * 0x1p-57
        #expect(abs(Double(triangle[place]) - exact) <= bound, "\(row), \(column)")
        let mean = read.matrix[row, column]
        #expect(abs(Double(mean) * 35 - Double(triangle[place])) <= abs(exact) * 0x1p-22)
        #expect(mean == read.matrix[column, row])
        place += 1
      }
    }
    #expect(read.tokens == 35)
  }

  @Test func aSequenceLongerThanABlockIsOneUnit() {
    let long = sequences(1, tokens: 5000, inputs: 4, seed: 2)[0]
    var reference = Gram(inputs: 4)
    reference.add(long)
    let gram = gram([long, long], inputs: 4)
    let diagonal = [0, 2, 5, 9].map { gram.roundedTriangle(rows: 0..<4)[$0] }
    #expect(diagonal == reference.sumsOfSquares.map { 2 * $0 })
  }

  @Test(arguments: [1, 5, 1030]) func squaresOfPartsAddUpToThoseOfAll(inputs: Int) {
    let all = sequences(5, tokens: 6, inputs: inputs, seed: 8)
    func squares(_ part: [Matrix]) -> ExactSums {
      var squares = ExactSquares(inputs: inputs)
      for sequence in part { squares.add(sequence: sequence, on: Compute(threads: 2)) }
      return squares.sums
    }
    var sums = squares(Array(all[2...].reversed()))
    let first = squares(Array(all[..<2]))
    first.coarse.withUnsafeBytes { coarse in
      first.fine.withUnsafeBytes { sums.add(coarse: coarse, fine: $0) }
    }
    #expect(sums == squares(all))
    for input in 0..<inputs {
      let exact = all.reduce(0.0) { sum, x in
        (0..<6).reduce(sum) { $0 + Double(x[$1, input]) * Double(x[$1, input]) }
      }
      #expect(abs(sums[input] - exact) <= 5 * 0x1p-57 + exact * 1e-14)
    }
  }

  @Test(arguments: [Float.nan, .infinity, 1e6, 3e19])
  func whatCannotBeSummedIsSaid(value: Float) {
    var x = Matrix(rows: 2, columns: 4)
    x[1, 2] = value
    var (gram, squares) = (ExactGram(inputs: 4), ExactSquares(inputs: 4))
    for _ in 0..<2 {
      gram.add(sequence: x, on: .automatic)
      squares.add(sequence: x, on: .automatic)
      x[1, 2] = 1  // what follows hides nothing
    }
    for largest in [gram.largest, squares.largest] { #expect(!(largest < ExactSums.limit)) }
    #expect(gram.largest.isNaN == value.isNaN)
  }
}

extension ByteView {
  fileprivate init(floats: [Float]) {
    self.init(
      copying: floats.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
      })
  }
}
