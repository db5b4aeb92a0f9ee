import SparseCore
import SparseModel
import Testing

@testable import sparsify

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#endif

/// Swift Testing has an `ExitStatus` too.
private typealias Status = sparsify.ExitStatus

@Suite(.timeLimit(.minutes(20))) struct ExitStatusTests {
  private struct SomeLibraryError: Error {}

  @Test(
    arguments: [
      (UsageFailure(error: .unexpectedArguments(["a"]), command: nil), .usage),
      (UsageError.unexpectedArguments(["a"]), .usage),
      (EnvironmentError(variable: .kernel, reason: "unknown"), .usage),
      (CheckpointOutputError.exists(path: "a"), .usage),
      (CheckpointError.noWeights(folder: "a"), .badInput),
      (SweepError.notFolder(path: "a"), .badInput),
      (SweepError.exists(path: "a"), .usage),
      (SweepError.diskTooSmall(folder: "a", needed: 2, free: 1), .ioFailed),
      (
        FailedSweepRow(
          variant: SweepVariant(method: nil, quantization: .none), error: Interrupted()),
        .interrupted
      ),
      (Interrupted(), .interrupted),
      (AdvisedError(error: FileError.diskFull(path: "a"), advice: "b"), .ioFailed),
      (OutputError.closed, .ioFailed),
      (OutputError.failed(errno: ENOSPC), .ioFailed),
      (FileError.missing(path: "a"), .badInput),
      (FileError.isFolder(path: "a"), .badInput),
      (FileError.notFolder(path: "a"), .badInput),
      (FileError.notRegularFile(path: "a"), .badInput),
      (FileError.exists(path: "a"), .usage),
      (JournalError.busy(folder: "a"), .usage),
      (JournalError.unlockable(folder: "a"), .ioFailed),
      (FileError.missingFolder(path: "a"), .ioFailed),
      (FileError.diskFull(path: "a"), .ioFailed),
      (FileError.failed(.rename, path: "a", code: EIO), .ioFailed),
      (SomeLibraryError(), .badInput),
    ] as [(any Error, Status)])
  fileprivate func everyErrorHasItsStatus(error: any Error, status: Status) {
    #expect(Status(for: error) == status)
  }
}

@Suite(.timeLimit(.minutes(20))) struct InterruptTests {
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func aSignalBecomesAnError(number: Int32) async {
    await #expect(processExitsWith: .exitCode(130)) { [number] in
      Self.stopIgnoring()
      Interrupt.listen()
      try Interrupt.check()
      Self.sendAndWait(number)
      do {
        try Interrupt.check()
      } catch {
        exit(Status(for: error).rawValue)
      }
    }
  }

  @Test func aSecondSignalEndsTheProcessAtOnce() async {
    await #expect(processExitsWith: .signal(SIGTERM)) {
      Self.stopIgnoring()
      Interrupt.listen()
      Self.sendAndWait(SIGINT)
      Self.sendAndWait(SIGTERM)
      while true { pause() }
    }
  }

  @Test func anIgnoredSignalStaysIgnored() async {
    await #expect(processExitsWith: .success) {
      signal(SIGINT, SIG_IGN)
      Interrupt.listen()
      kill(getpid(), SIGINT)
      kill(getpid(), SIGINT)
      usleep(100_000)
      try Interrupt.check()
    }
  }

  /// What runs the tests may ignore these signals, and what is ignored is inherited.
  private static func stopIgnoring() {
    signal(SIGINT, SIG_DFL)
    signal(SIGTERM, SIG_DFL)
    signal(SIGHUP, SIG_DFL)
  }

  /// Sends a signal to the whole process, since this thread may not take any, until it has come.
  private static func sendAndWait(_ number: Int32) {
    kill(getpid(), number)
    for _ in 0..<100_000 where (try? Interrupt.check()) != nil { usleep(1000) }
  }
}
