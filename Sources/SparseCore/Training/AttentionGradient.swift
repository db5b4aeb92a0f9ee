/// The gradients of what causal attention reads.
package struct AttentionGradient: Sendable {
  /// That of the queries, as they are: tokens × (heads · headWidth).
  package var queries: Matrix
  /// That of the keys: tokens × (keyValueHeads · headWidth).
  package var keys: Matrix
  /// That of the values, likewise.
  package var values: Matrix
}

/// The way back through ``causalAttention(queries:keys:values:sequenceLength:keyLength:heads:keyValueHeads:headWidth:on:)`` of whole sequences.
///
/// The shares P = softmax(QKᵀ / √headWidth) are computed again, a block of queries at a time, so that memory
/// grows with the length and not with its square. Each key/value head of a sequence takes its queries in
/// order, so the threads change no bit.
///
/// - Parameter gradient: that of the attention's outputs, tokens × (heads · headWidth).
package func causalAttentionGradient(
  queries: Matrix, keys: Matrix, values: Matrix, gradient: Matrix, sequenceLength: Int,
  heads: Int, keyValueHeads: Int, headWidth: Int, on compute: Compute = .automatic
) -> AttentionGradient {
  precondition(
    sequenceLength > 0 && queries.rows % sequenceLength == 0,
    "causalAttentionGradient: \(queries.rows) rows are not sequences of \(sequenceLength)")
  precondition(
    keyValueHeads > 0 && heads % keyValueHeads == 0,
    "causalAttentionGradient: \(heads) heads do not share \(keyValueHeads) key/value heads evenly")
  let (width, keyWidth) = (heads * headWidth, keyValueHeads * headWidth)
  precondition(
    queries.columns == width && gradient.columns == width && gradient.rows == queries.rows,
    "causalAttentionGradient: queries are \(queries.rows) × \(queries.columns), gradients \(gradient.rows) × \(gradient.columns), expected \(width) columns"
  )
  precondition(
    keys.columns == keyWidth && values.columns == keyWidth && keys.rows == queries.rows
      && values.rows == queries.rows,
    "causalAttentionGradient: keys are \(keys.rows) × \(keys.columns), values \(values.rows) × \(values.columns), expected \(queries.rows) × \(keyWidth)"
  )
  var keyGradient = Matrix(rows: keys.rows, columns: keyWidth)
  var valueGradient = Matrix(rows: keys.rows, columns: keyWidth)
  let queryGradient = Matrix(rows: queries.rows, columns: width) { out in
    keyGradient.values.withUnsafeMutableBufferPointer { keyOut in
      valueGradient.values.withUnsafeMutableBufferPointer { valueOut in
        queries.values.withUnsafeBufferPointer { queries in
          keys.values.withUnsafeBufferPointer { keys in
            values.values.withUnsafeBufferPointer { values in
              gradient.values.withUnsafeBufferPointer { gradient in
                let work = AttentionGradientWork(
                  queries: queries.start, keys: keys.start, values: values.start,
                  gradient: gradient.start, queryGradient: out.start, keyGradient: keyOut.start,
                  valueGradient: valueOut.start, length: sequenceLength, heads: heads,
                  keyValueHeads: keyValueHeads, width: headWidth, kernels: compute.kernels)
                let sequences = queries.count / max(1, sequenceLength * width)
                Parallel.forEach(sequences * keyValueHeads, threads: compute.threads) { index in
                  work.run(sequence: index / keyValueHeads, head: index % keyValueHeads)
                }
              }
            }
          }
        }
      }
    }
  }
  return AttentionGradient(queries: queryGradient, keys: keyGradient, values: valueGradient)
}

/// The pointers live as long as the call that made them; each piece of work writes its own rows and columns.
private struct AttentionGradientWork: @unchecked Sendable {
  let queries: UnsafePointer<Float>
  let keys: UnsafePointer<Float>
  let values: UnsafePointer<Float>
  let gradient: UnsafePointer<Float>
  let queryGradient: UnsafeMutablePointer<Float>
  let keyGradient: UnsafeMutablePointer<Float>
  let valueGradient: UnsafeMutablePointer<Float>
  let length: Int
  let heads: Int
  let keyValueHeads: Int
  let width: Int
  let kernels: KernelSet

  /// All query heads of one key/value head of a sequence.
  func run(sequence: Int, head: Int) {
    let panel = KernelSet.panelWidth
    let (queryStride, keyStride) = (heads * width, keyValueHeads * width)
    let rowPanels = KernelSet.panels(for: length) * panel * width
    let columnPanels = KernelSet.panels(for: width) * panel * length
    let block = KernelSet.queryBlock
    let scratchCount = KernelSet.attendBackwardScratch(rows: block, keys: length, width: width)
    let start = sequence * length * keyStride + head * width
    AlignedFloats.withScratch(count: 2 * rowPanels + columnPanels + scratchCount) { memory in
      let (keyPanels, valuePanels) = (memory, memory + rowPanels)
      let keyColumns = memory + 2 * rowPanels
      let scratch = keyColumns + columnPanels
      for (rows, panels) in [(keys, keyPanels), (values, valuePanels)] {
        kernels.pack(
          outputs: length, inputs: width, .float32, rows + start, rowBytes: keyStride * 4,
          into: panels)
      }
      kernels.packColumns(
        rows: length, columns: width, keys + start, stride: keyStride, into: keyColumns,
        panelStride: panel * length)
      let group = heads / keyValueHeads
      for query in head * group..<(head + 1) * group {
        for first in stride(from: 0, to: length, by: block) {
          let place = (sequence * length + first) * queryStride + query * width
          kernels.attendBackward(
            rows: min(block, length - first), visible: first + 1, width: width,
            queries: queries + place, gradient: gradient + place, queryStride: queryStride,
            keys: keyPanels, keyColumns: keyColumns, values: valuePanels,
            keyPanelStride: panel * length, scale: 1 / Float(width).squareRoot(),
            scratch: scratch, queryGradient: queryGradient + place,
            keyGradient: keyGradient + start, valueGradient: valueGradient + start,
            keyStride: keyStride)
        }
      }
    }
  }
}
