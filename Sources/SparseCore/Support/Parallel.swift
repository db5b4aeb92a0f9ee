internal import Dispatch
internal import Synchronization

/// Runs independent pieces of work on a stated number of threads.
///
/// Which thread runs which piece is left to chance, so a piece must write only what is its own, and
/// nothing it computes may depend on the number of threads: that is what keeps the bytes of every
/// result the same from one thread to many.
package enum Parallel {
  /// Calls `body` once for each index in `0..<count`, on at most `threads` threads.
  package static func forEach(
    _ count: Int, threads: Int, _ body: @Sendable (Int) -> Void
  ) {
    let workers = min(threads, count)
    guard workers > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if index >= count { return }
        body(index)
      }
    }
  }

  /// Calls `body` with consecutive ranges of at most `size` that together cover `0..<count`.
  package static func forEachRange(
    of count: Int, size: Int, threads: Int, _ body: @Sendable (Range<Int>) -> Void
  ) {
    precondition(size > 0, "forEachRange: size \(size) must be positive")
    let pieces = (count + size - 1) / size
    forEach(pieces, threads: threads) { piece in
      body(piece * size..<min((piece + 1) * size, count))
    }
  }

  /// The results of `body` for each index in `0..<count`, in order.
  package static func map<Result: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) -> Result
  ) -> [Result] {
    [Result](unsafeUninitializedCapacity: count) { buffer, initialized in
      nonisolated(unsafe) let results = buffer
      forEach(count, threads: threads) { results.initializeElement(at: $0, to: body($0)) }
      initialized = count
    }
  }
}
