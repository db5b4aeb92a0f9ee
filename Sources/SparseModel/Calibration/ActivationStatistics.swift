internal import SparseCore

/// Collects what a pruning method needs to know about a stage's inputs, and no more.
struct StatisticsCollector {
  private enum Collected {
    case nothing
    case norms(InputNorms)
    case gram(Gram)
  }

  private var collected: Collected

  init(needs: StatisticsKind, inputs: Int) {
    switch needs {
    case .none: collected = .nothing
    case .norms: collected = .norms(InputNorms(inputs: inputs))
    case .gram: collected = .gram(Gram(inputs: inputs))
    }
  }

  /// Takes in `tokens × inputs` activations.
  mutating func add(_ activations: Matrix, on compute: Compute) {
    switch collected {
    case .nothing: break
    case .norms(var norms):
      collected = .nothing  // so that the sums are changed in place
      norms.add(activations, on: compute)
      collected = .norms(norms)
    case .gram(var gram):
      collected = .nothing
      gram.add(activations, on: compute)
      collected = .gram(gram)
    }
  }

  /// Ends the collection: a gram takes no more memory than it needs.
  mutating func close(on compute: Compute) {
    guard case .gram(var gram) = collected else { return }
    collected = .nothing
    gram.close(on: compute)
    collected = .gram(gram)
  }

  /// The statistics of all activations so far.
  var result: InputStatistics {
    switch collected {
    case .nothing: .none
    case .norms(let norms): .norms(norms.norms)
    case .gram(let gram): .gram(gram)
    }
  }
}

/// A stage's inputs for some of the calibration windows, on which output errors are measured.
///
/// Whole windows, evenly spread: a window's first tokens carry activations unlike all others.
struct InputSample {
  private let length: Int
  private let windows: Int
  private let count: Int
  private var seen = 0
  private var taken = 0
  private var values: [Float] = []
  private var columns = 0

  /// One sixteenth of the tokens, but at least 1024 and at most 4096, in whole windows.
  init(windows: Int, length: Int) {
    let tokens = min(max(windows * length / 16, 1024), 4096)
    self.length = length
    count = min(windows, max(1, tokens / length))
    self.windows = windows
  }

  /// The number of tokens that will have been sampled.
  var tokens: Int { count * length }

  /// Takes in the next windows' activations.
  mutating func add(_ activations: Matrix) {
    columns = activations.columns
    values.reserveCapacity(count * length * columns)
    for window in 0..<activations.rows / length {
      if taken < count && seen * count >= taken * windows {
        let start = window * length * columns
        values += activations.values[start..<start + length * columns]
        taken += 1
      }
      seen += 1
    }
  }

  /// The sampled inputs, `tokens × inputs`.
  var inputs: Matrix { Matrix(rows: taken * length, columns: columns, values) }
}

/// How far a layer's outputs are from those of its original weight: ‖X(W−W′)ᵀ‖_F / ‖XWᵀ‖_F.
package struct OutputError: Sendable, Equatable {
  /// ‖X(W−W′)ᵀ‖²_F.
  package let squaredError: Double
  /// ‖XWᵀ‖²_F.
  package let squaredReference: Double

  /// The relative error of outputs whose squared sums are known.
  package init(squaredError: Double, squaredReference: Double) {
    self.squaredError = squaredError
    self.squaredReference = squaredReference
  }

  /// The error of `changed` in place of `weight` on `inputs`, `tokens × inputs`.
  ///
  /// The outputs are made for some tokens at a time.
  init(of changed: RowSource, for original: RowSource, inputs: Matrix, on compute: Compute) {
    let tokens = Self.tokensAtOnce(outputs: original.rows)
    func squaredOutput(of weight: RowSource) -> Double {
      stride(from: 0, to: inputs.rows, by: tokens).reduce(0.0) { sum, start in
        let range = start..<min(start + tokens, inputs.rows)
        let x = range.count == inputs.rows ? inputs : inputs.gather(rows: Array(range))
        return linear(x, weight, on: compute).sumOfSquares(addedTo: sum, on: compute)
      }
    }
    squaredError = squaredOutput(of: changed.minus(original))
    squaredReference = squaredOutput(of: original)
  }

  /// The same on all inputs that a gram has seen.
  ///
  /// - Parameter stripeBytes: see ``Gram/squaredOutput(of:stripeBytes:on:)``.
  init(
    of changed: RowSource, for original: RowSource, gram: Gram, stripeBytes: Int = .max,
    on compute: Compute
  ) {
    squaredError = gram.squaredOutput(
      of: changed.minus(original), stripeBytes: stripeBytes, on: compute)
    squaredReference = gram.squaredOutput(of: original, stripeBytes: stripeBytes, on: compute)
  }

  /// Tokens whose outputs take 64 MiB, and at least 128 of them.
  static func tokensAtOnce(outputs: Int) -> Int { max(128, (64 << 20) / (4 * max(1, outputs))) }

  /// The relative error: 0 where nothing changed, even if the outputs are all zero.
  package var relative: Double {
    squaredError == 0 ? 0 : (squaredError / squaredReference).squareRoot()
  }
}
