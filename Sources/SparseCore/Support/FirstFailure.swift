internal import Synchronization

/// Of the errors that parallel pieces of work end in, the one of the lowest index: the same for any
/// number of threads, as long as every piece is tried.
package final class FirstFailure: Sendable {
  private let first = Mutex<(index: Int, error: any Error)?>(nil)

  package init() {}

  /// Does the work of one index, and keeps its error.
  package func record(_ index: Int, _ work: () throws -> Void) {
    do {
      try work()
    } catch {
      first.withLock { first in
        if first.map({ index < $0.index }) ?? true { first = (index, error) }
      }
    }
  }

  /// Throws the error that was kept.
  package func get() throws {
    if let error = first.withLock({ $0?.error }) { throw error }
  }
}
