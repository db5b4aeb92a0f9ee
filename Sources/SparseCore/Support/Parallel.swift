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
    share(count, threads: threads) { next in
      while let index = next() { body(index) }
    }
  }

  /// The same, with `scratchBytes` bytes for each thread to work in: one index finds there what an
  /// earlier one has left.
  package static func forEach(
    _ count: Int, threads: Int, scratchBytes: Int,
    _ body: @Sendable (Int, UnsafeMutableRawBufferPointer) -> Void
  ) {
    share(count, threads: threads) { next in
      withUnsafeTemporaryAllocation(byteCount: scratchBytes, alignment: 64) { scratch in
        while let index = next() { body(index, scratch) }
      }
    }
  }

  /// Calls `work` on as many threads as are of use; each takes indices in `0..<count` by calling
  /// `next` until there are no more.
  private static func share(
    _ count: Int, threads: Int, _ work: @Sendable (_ next: () -> Int?) -> Void
  ) {
    let workers = min(threads, count)
    guard workers > 1 else {
      var index = 0
      work {
        defer { index += 1 }
        return index < count ? index : nil
      }
      return
    }
    let shared = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      work {
        let index = shared.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < count ? index : nil
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
