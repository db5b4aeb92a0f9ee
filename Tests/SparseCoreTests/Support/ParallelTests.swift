import Synchronization
import Testing

@testable import SparseCore

@Suite struct ParallelTests {
  @Test(arguments: [0, 1, 2, 100], [1, 2, 7])
  func everyIndexComesOnceWithMemoryOfItsThreadsOwn(count: Int, threads: Int) {
    let seen = Mutex([Int](repeating: 0, count: count))
    let disturbed = Atomic(0)
    Parallel.forEach(count, threads: threads, scratchBytes: 4096) { index, scratch in
      if scratch.count != 4096 { disturbed.add(1, ordering: .relaxed) }
      scratch.copyBytes(from: repeatElement(UInt8(index), count: 4096))
      seen.withLock { $0[index] += 1 }
      if !scratch.allSatisfy({ $0 == UInt8(index) }) { disturbed.add(1, ordering: .relaxed) }
    }
    #expect(seen.withLock { $0.allSatisfy { $0 == 1 } })
    #expect(disturbed.load(ordering: .relaxed) == 0)
  }

  @Test(arguments: [1, 2, 7]) func theFailureOfTheLowestIndexIsKept(threads: Int) throws {
    struct Failure: Error, Equatable { let index: Int }
    let failure = FirstFailure()
    try failure.get()
    Parallel.forEach(50, threads: threads) { place in
      let index = 49 - place
      failure.record(index) { if index % 10 == 3 { throw Failure(index: index) } }
    }
    #expect(throws: Failure(index: 3)) { try failure.get() }
  }
}
