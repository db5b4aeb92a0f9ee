/// Causal grouped-query attention of one or more whole sequences of equal length.
///
/// Row `s · sequenceLength + t` holds position t of sequence s. Queries have `heads` heads of `headWidth`
/// columns, keys and values `keyValueHeads`; query head h reads key/value head h / (heads / keyValueHeads).
/// Keys and values may have more rows per sequence than queries (`keyLength`): then the queries are the
/// last positions. A row's bits depend on the positions it sees and on nothing else, neither on the
/// number of queries nor on the threads.
///
/// - Returns: tokens × (heads · headWidth), softmax(QKᵀ / √headWidth) V.
package func causalAttention(
  queries: Matrix, keys: Matrix, values: Matrix, sequenceLength: Int, keyLength: Int? = nil,
  heads: Int, keyValueHeads: Int, headWidth: Int, on compute: Compute = .automatic
) -> Matrix {
  let keyLength = keyLength ?? sequenceLength
  precondition(
    sequenceLength > 0 && queries.rows % sequenceLength == 0,
    "causalAttention: \(queries.rows) rows are not sequences of \(sequenceLength)")
  precondition(
    keyLength >= sequenceLength,
    "causalAttention: \(keyLength) keys for \(sequenceLength) queries")
  precondition(
    keyValueHeads > 0 && heads % keyValueHeads == 0,
    "causalAttention: \(heads) heads do not share \(keyValueHeads) key/value heads evenly")
  let sequences = queries.rows / sequenceLength
  precondition(
    queries.columns == heads * headWidth,
    "causalAttention: queries have \(queries.columns) columns, not \(heads) × \(headWidth)")
  for side in [keys, values] {
    precondition(
      side.rows == sequences * keyLength && side.columns == keyValueHeads * headWidth,
      "causalAttention: keys or values are \(side.rows) × \(side.columns), not \(sequences * keyLength) × \(keyValueHeads * headWidth)"
    )
  }
  return Matrix(rows: queries.rows, columns: queries.columns) { out in
    queries.values.withUnsafeBufferPointer { queries in
      keys.values.withUnsafeBufferPointer { keys in
        values.values.withUnsafeBufferPointer { values in
          AttentionWork(
            queries: queries.start, keys: keys.start, values: values.start, out: out.start,
            sequences: sequences, length: sequenceLength, keyLength: keyLength, heads: heads,
            keyValueHeads: keyValueHeads, width: headWidth, compute: compute
          ).run()
        }
      }
    }
  }
}

/// What ``causalAttention(queries:keys:values:sequenceLength:keyLength:heads:keyValueHeads:headWidth:on:)`` takes
/// beside its result: all keys and values in panels, and the scores of a block of queries for each thread.
package func causalAttentionBytes(
  sequences: Int, sequenceLength: Int, keyValueHeads: Int, headWidth: Int, threads: Int
) -> Int {
  let panel = KernelSet.panelWidth
  let keys = KernelSet.panels(for: sequenceLength) * panel * headWidth
  let values = KernelSet.panels(for: headWidth) * panel * sequenceLength
  let scores = KernelSet.queryBlock * (KernelSet.panels(for: sequenceLength) + 1) * panel
  return 4 * (sequences * keyValueHeads * (keys + values) + threads * scores)
}

/// The pointers live as long as the call that made them; each piece of work writes its own rows and columns.
private struct AttentionWork: @unchecked Sendable {
  let queries: UnsafePointer<Float>
  let keys: UnsafePointer<Float>
  let values: UnsafePointer<Float>
  let out: UnsafeMutablePointer<Float>
  let sequences: Int
  let length: Int
  let keyLength: Int
  let heads: Int
  let keyValueHeads: Int
  let width: Int
  let compute: Compute

  /// First all keys and values are packed, then every head and block of queries is a piece of its own.
  func run() {
    let panel = KernelSet.panelWidth
    let keyFloats = KernelSet.panels(for: keyLength) * panel * width
    let valueFloats = KernelSet.panels(for: width) * panel * keyLength
    let packs = sequences * keyValueHeads
    let packedKeys = AlignedFloats(count: packs * keyFloats)
    let packedValues = AlignedFloats(count: packs * valueFloats)
    let sourceStride = keyValueHeads * width
    Parallel.forEach(packs, threads: compute.threads) { index in
      let (sequence, head) = (index / keyValueHeads, index % keyValueHeads)
      let start = sequence * keyLength * sourceStride + head * width
      compute.kernels.pack(
        outputs: keyLength, inputs: width, .float32, keys + start, rowBytes: sourceStride * 4,
        into: packedKeys.pointer + index * keyFloats)
      compute.kernels.packColumns(
        rows: keyLength, columns: width, values + start, stride: sourceStride,
        into: packedValues.pointer + index * valueFloats, panelStride: panel * keyLength)
    }

    let block = KernelSet.queryBlock
    let blocks = (length + block - 1) / block
    let scale = 1 / Float(width).squareRoot()
    Parallel.forEach(sequences * heads * blocks, threads: compute.threads) { index in
      // The longest blocks of a head first, so that the last pieces handed out are short.
      let (head, start) = (index / blocks % heads, (blocks - 1 - index % blocks) * block)
      let sequence = index / (blocks * heads)
      let pack = sequence * keyValueHeads + head / (heads / keyValueHeads)
      let rows = min(block, length - start)
      let visible = keyLength - length + start + 1
      let place = (sequence * length + start) * heads * width + head * width
      let scores = rows * KernelSet.panels(for: visible + rows - 1) * panel
      AlignedFloats.withScratch(count: scores) { scratch in
        compute.kernels.attend(
          rows: rows, visible: visible, width: width, queries: queries + place,
          queryStride: heads * width, keys: packedKeys.pointer + pack * keyFloats,
          values: packedValues.pointer + pack * valueFloats, valuePanelStride: panel * keyLength,
          scale: scale, scratch: scratch, into: out + place, outStride: heads * width)
      }
    }
  }
}

/// One sequence's cached keys and values of one layer: rows of `stride` floats, position after position.
package struct CachedRows {
  /// Position 0 of key/value head 0.
  package var keys: UnsafePointer<Float>
  /// The values, laid out like the keys.
  package var values: UnsafePointer<Float>
  /// How many positions there are.
  package var count: Int

  package init(keys: UnsafePointer<Float>, values: UnsafePointer<Float>, count: Int) {
    self.keys = keys
    self.values = values
    self.count = count
  }
}

/// Attention of one new position of each of some sequences over their cached keys and values.
///
/// Row s of `queries` belongs to `caches[s]`, which already holds the new position. `stride` is the distance
/// between two positions of a cache in floats, `headStride` between two of its heads (without it the heads of
/// a position lie side by side). It reads fastest where a head's positions follow each other (stride = headWidth).
///
/// - Returns: sequences × (heads · headWidth).
package func decodeAttention(
  queries: Matrix, caches: [CachedRows], stride: Int, heads: Int, keyValueHeads: Int,
  headWidth: Int, headStride: Int? = nil, on compute: Compute = .automatic
) -> Matrix {
  let headStride = headStride ?? headWidth
  precondition(
    queries.rows == caches.count, "decodeAttention: \(queries.rows) queries, \(caches.count) caches"
  )
  precondition(
    keyValueHeads > 0 && heads % keyValueHeads == 0 && queries.columns == heads * headWidth,
    "decodeAttention: \(queries.columns) columns, \(heads) heads of \(headWidth) on \(keyValueHeads)"
  )
  let group = heads / keyValueHeads
  let scale = 1 / Float(headWidth).squareRoot()
  return Matrix(rows: queries.rows, columns: queries.columns) { out in
    queries.values.withUnsafeBufferPointer { queries in
      nonisolated(unsafe) let (from, to, rows) = (queries.start, out.start, caches)
      Parallel.forEach(caches.count * keyValueHeads, threads: compute.threads) { index in
        let (sequence, head) = (index / keyValueHeads, index % keyValueHeads)
        let cache = rows[sequence]
        let place = (sequence * heads + head * group) * headWidth
        AlignedFloats.withScratch(count: group * cache.count) { scratch in
          compute.kernels.attendOne(
            heads: group, width: headWidth, count: cache.count, queries: from + place,
            keys: cache.keys + head * headStride, keyStride: stride,
            values: cache.values + head * headStride, valueStride: stride, scale: scale,
            scratch: scratch, into: to + place)
        }
      }
    }
  }
}
