internal import SparseCore

/// A decoder's way forward in float64, as the formulas say it: its numeric derivatives are what gradients are tested against.
extension Reference {
  /// x Wᵀ, with a row added to each of its rows where there is one.
  package static func linear(_ x: Matrix64, _ weight: Matrix64, bias: Matrix64? = nil) -> Matrix64 {
    var result = Matrix64(rows: x.rows, columns: weight.rows)
    for token in 0..<x.rows {
      for output in 0..<weight.rows {
        var sum = bias?.values[output] ?? 0
        for input in 0..<x.columns { sum += x[token, input] * weight[output, input] }
        result[token, output] = sum
      }
    }
    return result
  }

  /// x / √(mean x² + ε) · weight, row by row.
  package static func rmsNorm(_ x: Matrix64, weight: [Double], epsilon: Double) -> Matrix64 {
    var result = x
    for row in 0..<x.rows {
      var squares = 0.0
      for column in 0..<x.columns { squares += x[row, column] * x[row, column] }
      let root = (squares / Double(x.columns) + epsilon).squareRoot()
      for column in 0..<x.columns { result[row, column] *= weight[column] / root }
    }
    return result
  }

  /// silu(gate) · up.
  package static func siluMultiply(gate: Matrix64, up: Matrix64) -> Matrix64 {
    let values = zip(gate.values, up.values).map { $0 / (1 + Math.exponential(-$0)) * $1 }
    return Matrix64(rows: gate.rows, columns: gate.columns, values)
  }

  /// The first half of each head turned against its second half: row t by the angles of row t % sequenceLength.
  package static func rotate(
    _ x: Matrix64, headWidth: Int, cosines: Matrix64, sines: Matrix64, sequenceLength: Int
  ) -> Matrix64 {
    var result = x
    let half = headWidth / 2
    for row in 0..<x.rows {
      for head in 0..<x.columns / headWidth {
        for pair in 0..<half {
          let (first, position) = (head * headWidth + pair, row % sequenceLength)
          let (a, b) = (x[row, first], x[row, first + half])
          let (cosine, sine) = (cosines[position, pair], sines[position, pair])
          result[row, first] = a * cosine - b * sine
          result[row, first + half] = b * cosine + a * sine
        }
      }
    }
    return result
  }

  /// softmax(q·k / √headWidth) of one query head over the tokens up to each: sequences · length rows of `length` shares.
  package static func attentionShares(
    queries: Matrix64, keys: Matrix64, sequenceLength length: Int, heads: Int, keyValueHeads: Int,
    head: Int
  ) -> Matrix64 {
    let width = queries.columns / heads
    let keyStart = head / (heads / keyValueHeads) * width
    var result = Matrix64(rows: queries.rows, columns: length)
    for row in 0..<queries.rows {
      let (first, seen) = (row - row % length, row % length + 1)
      var most = -Double.infinity
      for key in 0..<seen {
        var score = 0.0
        for column in 0..<width {
          score += queries[row, head * width + column] * keys[first + key, keyStart + column]
        }
        result[row, key] = score / Double(width).squareRoot()
        most = max(most, result[row, key])
      }
      var total = 0.0
      for key in 0..<seen {
        result[row, key] = Math.exponential(result[row, key] - most)
        total += result[row, key]
      }
      for key in 0..<seen { result[row, key] /= total }
    }
    return result
  }

  /// What each token gathers from itself and those before it in its sequence.
  package static func causalAttention(
    queries: Matrix64, keys: Matrix64, values: Matrix64, sequenceLength length: Int, heads: Int,
    keyValueHeads: Int
  ) -> Matrix64 {
    let width = queries.columns / heads
    var result = Matrix64(rows: queries.rows, columns: queries.columns)
    for head in 0..<heads {
      let start = head / (heads / keyValueHeads) * width
      let shares = attentionShares(
        queries: queries, keys: keys, sequenceLength: length, heads: heads,
        keyValueHeads: keyValueHeads, head: head)
      for row in 0..<queries.rows {
        for key in 0...row % length {
          let share = shares[row, key]
          for column in 0..<width {
            result[row, head * width + column] +=
              share * values[row - row % length + key, start + column]
          }
        }
      }
    }
    return result
  }

  /// The rows of a table.
  package static func gather(_ ids: [Int32], of table: Matrix64) -> Matrix64 {
    let values = ids.flatMap { id in (0..<table.columns).map { table[Int(id), $0] } }
    return Matrix64(rows: ids.count, columns: table.columns, values)
  }

  /// log softmax of each row.
  package static func logSoftmax(_ logits: Matrix64) -> Matrix64 {
    var result = logits
    for row in 0..<logits.rows {
      let values = (0..<logits.columns).map { logits[row, $0] }
      let most = values.max() ?? 0
      let sum = values.reduce(0) { $0 + Math.exponential($1 - most) }
      for column in values.indices {
        result[row, column] = values[column] - most - Math.logarithm(sum)
      }
    }
    return result
  }

  /// KL(teacher ‖ student) of each row of logits.
  package static func divergences(_ logits: Matrix64, teacher: Matrix64) -> [Double] {
    let (student, teacher) = (logSoftmax(logits), logSoftmax(teacher))
    return (0..<logits.rows).map { row in
      (0..<logits.columns).reduce(0) { sum, column in
        let share = Math.exponential(teacher[row, column])
        return sum + share * (teacher[row, column] - student[row, column])
      }
    }
  }

  /// −log p of each row's next token; 0 where there is none.
  package static func negativeLogLikelihoods(_ logits: Matrix64, targets: [Int32?]) -> [Double] {
    let logarithms = logSoftmax(logits)
    return targets.enumerated().map { row, target in
      target.map { -logarithms[row, Int($0)] } ?? 0
    }
  }
}
