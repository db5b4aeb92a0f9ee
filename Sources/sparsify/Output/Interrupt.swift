internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// The work was stopped by SIGINT, SIGTERM or SIGHUP.
struct Interrupted: Error, CustomStringConvertible {
  var description: String { "interrupted" }
}

/// Turns SIGINT, SIGTERM and SIGHUP (the terminal is gone) into an error at the next report of progress.
///
/// The error unwinds through the work, which removes what it had not finished writing. A second
/// signal ends the process at once, as it would any other.
enum Interrupt {
  private static let isRequested = Atomic<Bool>(false)

  /// Begins to listen; a signal that is ignored, as under `nohup`, stays ignored.
  static func listen() {
    // Touched here so that the handler finds it made: a handler must not wait for a lock.
    isRequested.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let previous = signal(number) { _ in
        Interrupt.isRequested.store(true, ordering: .relaxed)
        _ = signal(SIGINT, SIG_DFL)
        _ = signal(SIGTERM, SIG_DFL)
        _ = signal(SIGHUP, SIG_DFL)
      }
      if unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        _ = signal(number, SIG_IGN)
      }
    }
  }

  /// Throws if a signal has come.
  static func check() throws(Interrupted) {
    if isRequested.load(ordering: .relaxed) { throw Interrupted() }
  }
}
