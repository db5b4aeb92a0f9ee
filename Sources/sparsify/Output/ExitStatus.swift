internal import SparseCUDA
internal import SparseCore
internal import SparseModel

/// What the process ends with, and what each number means.
enum ExitStatus: Int32, CaseIterable {
  case done = 0
  case refused = 1
  case usage = 64
  case badInput = 65
  case unavailable = 69
  case ioFailed = 74
  case interrupted = 130

  /// The meaning, for the help.
  var meaning: String {
    switch self {
    case .done: "done"
    case .refused: "the check said no, or a target was not reached"
    case .usage: "wrong usage"
    case .badInput: "bad input: a file, a model or a text"
    case .unavailable: "a device or library isn't there"
    case .ioFailed: "reading or writing failed"
    case .interrupted: "interrupted"
    }
  }

  /// The status that an error ends the process with.
  ///
  /// The libraries throw for what comes from outside, so an error that isn't listed is bad input.
  init(for error: any Error) {
    switch error {
    case is UsageFailure, is UsageError, is EnvironmentError, is CheckpointOutputError,
      is PartError, is MemoryBudgetError:
      // An output that can't be is found on the command line alone, before any work.
      self = .usage
    case SweepError.exists: self = .usage
    case SweepError.diskTooSmall: self = .ioFailed
    case let error as FailedSweepRow: self = ExitStatus(for: error.error)
    case let error as UnfinishedRun: self = ExitStatus(for: error.error)
    case JournalError.unfinished, JournalError.busy, JournalError.notAJournal: self = .usage
    case JournalError.unlockable: self = .ioFailed
    case let error as AdvisedError: self = ExitStatus(for: error.error)
    case is Interrupted: self = .interrupted
    case let error as FileError: self = ExitStatus(for: error)
    case is OutputError, is StepSummaryError: self = .ioFailed
    case CUDAError.wrongProduct: self = .refused
    case is CUDAError: self = .unavailable
    default: self = .badInput
    }
  }

  /// A wrong path is bad input; all that goes wrong with a right one is not.
  private init(for error: FileError) {
    switch error {
    case .missing, .brokenLink, .isFolder, .notFolder, .notRegularFile: self = .badInput
    case .exists: self = .usage
    case .missingFolder, .vanished, .resized, .modified, .diskFull, .failed: self = .ioFailed
    }
  }
}
