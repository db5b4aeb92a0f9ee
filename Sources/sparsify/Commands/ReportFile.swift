internal import SparseCore
internal import SparseModel

/// The file that `--report` names: opened before the work, filled after it.
struct ReportFile {
  private let file: AtomicFile

  /// Opens the file at `path`, which must be none of those that are read, nor lie where the output goes.
  init(_ path: String, reading inputs: [String], output: String) throws {
    if let reason = try Self.conflict(path, inputs, output) {
      throw UsageError.badValue(PruneCommand.report.spec, value: path, reason: reason)
    }
    file = try AtomicFile(path: path)
  }

  /// Writes the numbers and gives the file its name.
  func write(_ report: PruneReport) throws { try write(report.json) }

  /// The same for the numbers of a sweep.
  func write(_ report: SweepReport) throws { try write(report.json) }

  private func write(_ json: JSON) throws {
    let text = json.text(pretty: true) + "\n"
    try file.write(ByteView(copying: Array(text.utf8)), at: 0)
    try file.commit()
  }

  private static func conflict(
    _ path: String, _ inputs: [String], _ output: String
  ) throws -> String? {
    if try FileSystem.kind(of: path) == .file, let identity = try FileSystem.identity(of: path) {
      for input in inputs where try FileSystem.identity(of: input) == identity {
        return "is a file that is read, and is never overwritten"
      }
    }
    let folder = Path.folder(of: path)
    guard try FileSystem.kind(of: folder) != nil else { return nil }  // the next step says so
    let output = try place(output)
    let isInside = (try place(path) + "/").hasPrefix(output + "/")
    return isInside ? "is where the output goes" : nil
  }

  /// The path without links of something that may still have to be made.
  private static func place(_ path: String) throws -> String {
    Path.join(try FileSystem.resolved(Path.folder(of: path)), Path.name(of: path))
  }
}
