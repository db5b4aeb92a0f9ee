internal import SparseCore
internal import SparseModel

/// The file that `--report` names: opened before the work, filled after it.
struct ReportFile {
  private let file: AtomicFile

  /// Opens the file at `path`, which must not be one that `run` reads, nor lie where its output goes.
  init(_ path: String, of run: PruneRun) throws {
    if let reason = try Self.conflict(path, run) {
      throw UsageError.badValue(PruneCommand.report.spec, value: path, reason: reason)
    }
    file = try AtomicFile(path: path)
  }

  /// Writes the numbers and gives the file its name.
  func write(_ report: PruneReport) throws {
    let text = report.json.text(pretty: true) + "\n"
    try file.write(ByteView(copying: Array(text.utf8)), at: 0)
    try file.commit()
  }

  private static func conflict(_ path: String, _ run: PruneRun) throws -> String? {
    if try FileSystem.kind(of: path) == .file, let identity = try FileSystem.identity(of: path) {
      for input in run.inputFiles where try FileSystem.identity(of: input) == identity {
        return "is a file that is read, and is never overwritten"
      }
    }
    let folder = Path.folder(of: path)
    guard try FileSystem.kind(of: folder) != nil else { return nil }  // the next step says so
    let output = try place(run.output.path)
    let isInside = (try place(path) + "/").hasPrefix(output + "/")
    return isInside ? "is where the output goes" : nil
  }

  /// The path without links of something that may still have to be made.
  private static func place(_ path: String) throws -> String {
    Path.join(try FileSystem.resolved(Path.folder(of: path)), Path.name(of: path))
  }
}
