import SparseCore
import TestSupport
import Testing

/// Values in −1..<1 with 20 random bits, so that products of two of them are exact in float64.
func randomFloats(_ count: Int, seed: UInt64) -> [Float] {
  var generator = SplitMix64(seed: seed)
  return (0..<count).map { _ in
    Float(Int64(generator.next() >> 44) - (1 << 19)) / Float(1 << 19)
  }
}

func randomMatrix(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
  Matrix(rows: rows, columns: columns, randomFloats(rows * columns, seed: seed))
}

/// The bit patterns, so that comparisons tell −0.0 from +0.0 and find NaNs equal to themselves.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

/// An exact value with the bound that a float32 sum of `terms` products must keep to it.
struct Expected {
  var value: Double
  var magnitude: Double
  var terms: Int

  /// The rounding of n multiply-adds: (n + 1) · 2⁻²³ · Σ|aᵢbᵢ|.
  var bound: Double { Double(terms + 1) * Double(Float.ulpOfOne) * magnitude }
}

/// Σ aᵢbᵢ in float64.
func exactDot(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Expected {
  var result = Expected(value: 0, magnitude: 0, terms: 0)
  for (x, y) in zip(a, b) {
    result.value += Double(x) * Double(y)
    result.magnitude += abs(Double(x) * Double(y))
    result.terms += 1
  }
  return result
}

/// Fails with the worst place if a value strays from its bound.
func expectClose(
  _ got: [Float], _ expected: [Expected], _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(got.count == expected.count, sourceLocation: sourceLocation)
  var worst = (index: 0, excess: -Double.infinity)
  for (index, (value, exact)) in zip(got, expected).enumerated() {
    let error = abs(Double(value) - exact.value)
    let excess = error.isNaN ? .infinity : error - exact.bound
    if excess > worst.excess { worst = (index, excess) }
  }
  guard worst.excess > 0 else { return }
  let (value, exact) = (got[worst.index], expected[worst.index])
  Issue.record(
    "\(what) [\(worst.index)]: got \(value), exact \(exact.value), bound \(exact.bound)",
    sourceLocation: sourceLocation)
}

/// `tokens × inputs` by (`outputs × inputs`)ᵀ in float64, added to `start`.
func referenceProduct(_ x: Matrix, _ weight: Matrix, start: Matrix? = nil) -> [Expected] {
  var result: [Expected] = []
  for token in 0..<x.rows {
    for output in 0..<weight.rows {
      var sum = exactDot(row(x, token), row(weight, output))
      if let start {
        sum.value += Double(start[token, output])
        sum.magnitude += abs(Double(start[token, output]))
        sum.terms += 1
      }
      result.append(sum)
    }
  }
  return result
}

func row(_ matrix: Matrix, _ index: Int) -> ArraySlice<Float> {
  matrix.values[index * matrix.columns..<(index + 1) * matrix.columns]
}

/// The rows of a matrix in `range`.
func rows(_ matrix: Matrix, _ range: Range<Int>) -> Matrix {
  Matrix(
    rows: range.count, columns: matrix.columns,
    Array(matrix.values[range.lowerBound * matrix.columns..<range.upperBound * matrix.columns]))
}

/// Stored bytes of exact conversions, computed one by one.
func storedBytes(_ halves: [UInt16]) -> [UInt8] {
  halves.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
}

/// Uneven pieces that together cover 0..<count.
func unevenChunks(_ count: Int) -> [Range<Int>] {
  var chunks: [Range<Int>] = []
  var start = 0
  while start < count {
    let end = min(count, start + chunks.count * 7 % 23 + 1)
    chunks.append(start..<end)
    start = end
  }
  return chunks
}
