/// `tokens × inputs` times (`outputs × inputs`)ᵀ: the product `tokens × outputs`.
///
/// Each value is one chain of float32 multiply-adds over the inputs in order, so its bits depend on its
/// row of activations and its row of weights alone: not on the other rows, nor on the threads.
public func linear(_ x: Matrix, _ weight: PackedWeight, on compute: Compute = .automatic) -> Matrix
{
  checkInputs(x, weight.inputs)
  return Matrix(rows: x.rows, columns: weight.outputs) { out in
    multiply(x, weight, into: out, accumulate: false, on: compute)
  }
}

/// Adds the product of `x` and a weight to `y`, as a residual connection does.
///
/// The chain of each value starts from what `y` holds.
public func addLinear(
  _ x: Matrix, _ weight: PackedWeight, to y: inout Matrix, on compute: Compute = .automatic
) {
  checkInputs(x, weight.inputs)
  precondition(
    y.rows == x.rows && y.columns == weight.outputs,
    "addLinear: y is \(y.rows) × \(y.columns), the product \(x.rows) × \(weight.outputs)")
  y.values.withUnsafeMutableBufferPointer { out in
    multiply(x, weight, into: out, accumulate: true, on: compute)
  }
}

/// Traps where activations have another number of columns than a weight has inputs.
func checkInputs(_ x: Matrix, _ inputs: Int) {
  precondition(
    x.columns == inputs, "linear: x has \(x.columns) columns, the weight \(inputs) inputs")
}

/// Every piece of the product is one call, which blocks it for the caches by itself.
private func multiply(
  _ x: Matrix, _ weight: PackedWeight, into out: UnsafeMutableBufferPointer<Float>,
  accumulate: Bool, on compute: Compute
) {
  let (tokens, inputs, outputs) = (x.rows, x.columns, weight.outputs)
  x.values.withUnsafeBufferPointer { values in
    nonisolated(unsafe) let (x, out) = (values.start, out.start)
    let work = BlockPlan(tokens: tokens, outputs: outputs, threads: compute.threads)
    Parallel.forEach(work.count, threads: compute.threads) { index in
      let (rows, columns) = work[index]
      compute.kernels.gemm(
        tokens: rows.count, outputs: columns.count, inputs: inputs,
        x + rows.lowerBound * inputs, stride: inputs,
        panels: weight.panels.pointer + columns.lowerBound * inputs,
        panelStride: inputs * KernelSet.panelWidth,
        into: out + rows.lowerBound * outputs + columns.lowerBound, outStride: outputs,
        accumulate: accumulate)
    }
  }
}

/// How a product is cut into pieces for the threads: into blocks of tokens, and of outputs where the tokens are few.
struct BlockPlan {
  private let tokens: Int
  private let outputs: Int
  private let tokenBlocks: Int
  private let outputBlocks: Int

  /// Fewer rows than this do not pay for reading the panels from memory once more.
  private static let leastRows = 128
  /// The rows of the largest register tile.
  private static let tileRows = 8
  /// Pieces per thread, so that a thread that is held up leaves its last pieces to the others.
  private static let piecesPerThread = 4

  init(tokens: Int, outputs: Int, threads: Int) {
    self.tokens = tokens
    self.outputs = outputs
    let pieces = threads == 1 ? 1 : threads * BlockPlan.piecesPerThread
    tokenBlocks = min(pieces, max(1, tokens / BlockPlan.leastRows))
    outputBlocks = min(
      (pieces + tokenBlocks - 1) / tokenBlocks, max(1, KernelSet.panels(for: outputs)))
  }

  var count: Int { tokenBlocks * outputBlocks }

  subscript(index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let rows = BlockPlan.cut(tokens, by: BlockPlan.tileRows, index / outputBlocks, of: tokenBlocks)
    let columns = BlockPlan.cut(
      outputs, by: KernelSet.panelWidth, index % outputBlocks, of: outputBlocks)
    return (rows, columns)
  }

  /// Piece `index` of `pieces` of 0..<count, cut at multiples of `unit`, as even as they can be.
  private static func cut(_ count: Int, by unit: Int, _ index: Int, of pieces: Int) -> Range<Int> {
    let units = (count + unit - 1) / unit
    let start = min(count, units * index / pieces * unit)
    let end = min(count, units * (index + 1) / pieces * unit)
    return start..<end
  }
}
