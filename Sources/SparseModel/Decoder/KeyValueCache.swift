internal import SparseCore

/// The keys and values of the tokens that several sequences hold so far, for generation.
///
/// All sequences have the same length. Every block keeps, for each sequence and head, `capacity` rows
/// of `headWidth` keys and as many values: a head's positions follow each other, as decoding reads them.
package final class KeyValueCache {
  /// The number of sequences.
  package let sequences: Int
  /// The number of tokens that each sequence can hold.
  package let capacity: Int
  /// The number of tokens that each sequence holds, up to the last finished step.
  package private(set) var length = 0
  private let heads: Int
  private let keyValueHeads: Int
  private let headWidth: Int
  private var rowWidth: Int { keyValueHeads * headWidth }
  private var keys: [[Float]]  // a block's: sequences × keyValueHeads × capacity × headWidth
  private var values: [[Float]]

  /// An empty cache for a model's blocks.
  package init(configuration: ModelConfiguration, sequences: Int, capacity: Int) {
    self.sequences = sequences
    self.capacity = capacity
    heads = configuration.heads
    keyValueHeads = configuration.keyValueHeads
    headWidth = configuration.headWidth
    let rowWidth = keyValueHeads * headWidth
    let empty = [Float](repeating: 0, count: sequences * capacity * rowWidth)
    keys = (0..<configuration.blocks).map { _ in empty }
    values = keys
  }

  /// The size in bytes that a cache takes for each sequence of the given capacity.
  package static func bytesPerSequence(_ configuration: ModelConfiguration, capacity: Int) -> Int {
    2 * configuration.blocks * capacity * configuration.keyValueHeads * configuration.headWidth
      * MemoryLayout<Float>.size
  }

  /// Stores the keys and values of the tokens that follow and gives what their queries gather from all
  /// tokens so far: `sequences · newTokens × heads · headWidth`.
  ///
  /// Several tokens at once can only be the first ones.
  func attention(
    queries: Matrix, keys newKeys: Matrix, values newValues: Matrix, block: Int, on compute: Compute
  ) -> Matrix {
    let added = newKeys.rows / sequences
    precondition(
      length + added <= capacity,
      "KeyValueCache: \(length) + \(added) tokens exceed the capacity of \(capacity)")
    store(newKeys, in: &keys[block])
    store(newValues, in: &values[block])
    guard added == 1 else {
      precondition(length == 0, "KeyValueCache: \(added) tokens at once after \(length)")
      return causalAttention(
        queries: queries, keys: newKeys, values: newValues, sequenceLength: added, heads: heads,
        keyValueHeads: keyValueHeads, headWidth: headWidth, on: compute)
    }
    return keys[block].withUnsafeBufferPointer { keys in
      values[block].withUnsafeBufferPointer { values in
        guard let keys = keys.baseAddress, let values = values.baseAddress else { return queries }
        let rows = (0..<sequences).map { sequence in
          let start = sequence * capacity * rowWidth
          return CachedRows(keys: keys + start, values: values + start, count: length + 1)
        }
        return decodeAttention(
          queries: queries, caches: rows, stride: headWidth, heads: heads,
          keyValueHeads: keyValueHeads, headWidth: headWidth, headStride: capacity * headWidth,
          on: compute)
      }
    }
  }

  /// Puts the heads of the tokens that follow behind those of their sequence.
  private func store(_ rows: Matrix, in cache: inout [Float]) {
    let added = rows.rows / sequences
    rows.values.withUnsafeBufferPointer { from in
      cache.withUnsafeMutableBufferPointer { cache in
        for row in 0..<rows.rows {
          let (sequence, position) = (row / added, length + row % added)
          for head in 0..<keyValueHeads {
            let source = row * rowWidth + head * headWidth
            let target = ((sequence * keyValueHeads + head) * capacity + position) * headWidth
            for channel in 0..<headWidth { cache[target + channel] = from[source + channel] }
          }
        }
      }
    }
  }

  /// Counts the tokens of a step that all blocks have seen.
  package func advance(by tokens: Int) { length += tokens }
}
