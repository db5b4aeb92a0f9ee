/// Why a run cannot begin or go on where an unfinished one has left its work.
public enum JournalError: Error, Equatable, Sendable {
  /// An unfinished run has left work there, and was not asked about.
  case unfinished(folder: String, done: String)
  /// Another run is at work there now.
  case busy(folder: String)
  /// The file system has no locks, which would tell whether another run is at work there.
  case unlockable(folder: String)
  /// The unfinished run was another one.
  case differs(folder: String, part: String, then: String, now: String)
  /// Something that is no work of an unfinished run has the name.
  case notAJournal(folder: String)
}

extension JournalError: CustomStringConvertible {
  /// One line that names the folder.
  public var description: String {
    switch self {
    case .unfinished(let folder, let done):
      "\(folder): an unfinished run has done \(done); --resume goes on with it, --force begins anew"
    case .busy(let folder): "\(folder): another run is at work there"
    case .unlockable(let folder):
      "\(folder): another run may be at work there, and the file system has no locks to tell;"
        + " remove the folder if none is, or write to another disk"
    case .differs(let folder, let part, let then, let now):
      "\(folder): the unfinished run cannot be resumed: \(part) was \(then) and is now \(now);"
        + " --force begins anew"
    case .notAJournal(let folder):
      "\(folder): is not the work of an unfinished run, and is where this one would keep its own"
    }
  }
}

/// A run that failed and has left its finished work, so that it can be resumed.
public struct UnfinishedRun: Error, CustomStringConvertible {
  /// What it failed of.
  public let error: any Error
  /// Where its work is.
  public let folder: String
  /// What it has finished, in words.
  public let done: String

  /// One line: the failure, and where the work is.
  public var description: String {
    "\(error); \(done) done, kept in \(folder): the same command with --resume goes on there"
  }
}
