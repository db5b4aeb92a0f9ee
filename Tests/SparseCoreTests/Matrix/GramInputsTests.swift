import SparseCore
import Testing

@Suite struct GramInputsTests {
  /// Two blocks and a bit where asked, so that finished blocks are moved too.
  private func gram(_ inputs: Int, tokens: Int) -> Gram {
    var gram = Gram(inputs: inputs)
    gram.add(randomMatrix(tokens, inputs, seed: 1))
    return gram
  }

  private func order(_ inputs: Int) -> [Int] {
    var random = SplitMix64(seed: 2)
    return (0..<inputs).shuffled(using: &random)
  }

  @Test(arguments: [(0, 3), (1, 1), (20, 47), (20, 48), (20, 130), (2 * Gram.blockTokens + 9, 5)])
  func movingChangesNoBit(shape: (tokens: Int, inputs: Int)) {
    let gram = gram(shape.inputs, tokens: shape.tokens)
    let order = order(shape.inputs)
    let moved = gram.rearranged(by: order, on: Compute(threads: 3))
    #expect(moved.tokens == gram.tokens && moved.inputs == gram.inputs)
    let (old, new) = (gram.matrix, moved.matrix)
    for row in 0..<shape.inputs {
      for column in 0..<shape.inputs {
        #expect(new[row, column].bitPattern == old[order[row], order[column]].bitPattern)
      }
    }
    #expect(moved.norms == order.map { gram.norms[$0] })
    #expect(gram.rearranged().matrix == old)
  }

  /// Each value is rounded once when it is divided, and twice when the matrix is scaled by the tokens.
  @Test(arguments: [false, true])
  func dividingIsThatOfTheActivations(moves: Bool) {
    let inputs = 70
    let gram = gram(inputs, tokens: 30)
    let scales = randomFloats(inputs, seed: 3).map { 2 + 1.5 * $0 }
    let order = moves ? order(inputs) : Array(0..<inputs)
    let matrix = gram.rearranged(by: moves ? order : nil, dividedBy: scales).matrix
    for row in 0..<inputs {
      for column in 0..<inputs {
        let (a, b) = (order[row], order[column])
        let exact = Double(gram.matrix[a, b]) / (Double(scales[a]) * Double(scales[b]))
        #expect(abs(Double(matrix[row, column]) - exact) <= 0x1p-22 * abs(exact))
      }
    }
  }

  /// Powers of two divide exactly.
  @Test func moreActivationsMayFollow() {
    let (first, second) = (randomMatrix(40, 60, seed: 4), randomMatrix(30, 60, seed: 5))
    let scales = (0..<60).map { Float($0 % 3 == 0 ? 0.5 : 4) }
    let permutation = ChannelPermutation(order(60))
    func changed(_ x: Matrix) -> Matrix {
      let divided = Matrix(
        rows: x.rows, columns: 60, x.values.enumerated().map { $1 / scales[$0 % 60] })
      return divided.permuted(columns: permutation)
    }
    var gram = Gram(inputs: 60)
    gram.add(first)
    var moved = gram.rearranged(by: permutation.order, dividedBy: scales)
    moved.add(changed(second))
    var expected = Gram(inputs: 60)
    expected.add(changed(first))
    expected.add(changed(second))
    #expect(moved.matrix == expected.matrix)
  }
}
