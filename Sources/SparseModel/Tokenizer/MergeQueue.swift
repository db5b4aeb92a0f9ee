/// Merges the symbols of a word: always the pair of lowest rank, the leftmost of those, until none is left.
///
/// The symbols form a linked list and the pairs a heap, so a word of n symbols takes O(n log n): the
/// words of SentencePiece-style models are whole texts. The arrays are kept from word to word.
struct MergeQueue {
  private var tokens: [Int32] = []  // -1 once merged into the one before
  private var next: [Int32] = []
  private var previous: [Int32] = []
  private var heap = MinHeap()  // rank << 32 | position of the left symbol

  /// Replaces `symbols` by what is left of them after all merges.
  mutating func merge(_ symbols: inout [Int32], by table: MergeTable) {
    guard symbols.count > 1 else { return }
    precondition(symbols.count < Int(Int32.max), "MergeQueue: \(symbols.count) symbols in one word")
    tokens = symbols
    link(count: Int32(symbols.count))
    heap.removeAll()
    for position in 0..<symbols.count - 1 { offer(Int32(position), table) }
    while let entry = heap.popMinimum() {
      let left = Int(UInt32(truncatingIfNeeded: entry))
      let right = Int(next[left])
      // The pair may have changed since it was queued: then its rank is another.
      guard tokens[left] >= 0, right >= 0,
        let merge = table.merge(of: tokens[left], tokens[right]), UInt64(merge.rank) == entry >> 32
      else { continue }
      tokens[left] = merge.token
      tokens[right] = -1
      next[left] = next[right]
      if next[left] >= 0 { previous[Int(next[left])] = Int32(left) }
      if previous[left] >= 0 { offer(previous[left], table) }
      offer(Int32(left), table)
    }
    symbols.removeAll(keepingCapacity: true)
    for token in tokens where token >= 0 { symbols.append(token) }
  }

  private mutating func link(count: Int32) {
    next.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    for position in 0..<count {
      previous.append(position - 1)
      next.append(position + 1)
    }
    next[Int(count) - 1] = -1
  }

  /// Queues the pair whose left symbol is at `position`, if it merges at all.
  private mutating func offer(_ position: Int32, _ table: MergeTable) {
    let right = next[Int(position)]
    guard right >= 0,
      let merge = table.merge(of: tokens[Int(position)], tokens[Int(right)])
    else { return }
    heap.insert(UInt64(merge.rank) << 32 | UInt64(position))
  }
}

/// A binary heap of numbers, the smallest on top.
private struct MinHeap {
  private var items: [UInt64] = []

  mutating func removeAll() { items.removeAll(keepingCapacity: true) }

  mutating func insert(_ item: UInt64) {
    var place = items.count
    items.append(item)
    while place > 0 {
      let parent = (place - 1) / 2
      guard items[parent] > item else { break }
      items[place] = items[parent]
      place = parent
    }
    items[place] = item
  }

  mutating func popMinimum() -> UInt64? {
    guard let last = items.popLast() else { return nil }
    guard let top = items.first else { return last }
    var place = 0
    while 2 * place + 1 < items.count {
      var child = 2 * place + 1
      if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
      guard items[child] < last else { break }
      items[place] = items[child]
      place = child
    }
    items[place] = last
    return top
  }
}
