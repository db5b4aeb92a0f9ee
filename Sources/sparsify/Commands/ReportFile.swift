internal import SparseCore
internal import SparseModel

/// The file that `--report` names: found writable before the work, written after it.
struct ReportFile {
  private let path: String
  private let isPage: Bool

  /// Checks the place `path`, which must be none of those that are read, nor lie where the output goes.
  ///
  /// - Parameter output: where the command's output goes; nil where there is none.
  init(_ path: String, reading inputs: [String], output: String? = nil) throws {
    if let reason = try Self.conflict(path, inputs, output) {
      throw UsageError.badValue(Common.report.spec, value: path, reason: reason)
    }
    // Nothing stays there during the work: a run that is killed would leave it.
    _ = try AtomicFile(path: path)
    guard Self.isKnown(path) else {
      throw UsageError.badValue(Common.report.spec, value: path, reason: Self.endings)
    }
    self.path = path
    isPage = Self.isPage(path)
  }

  /// Whether a report of this name is a page.
  static func isPage(_ path: String) -> Bool {
    [".html", ".htm"].contains { path.lowercased().hasSuffix($0) }
  }

  /// Whether a report of this name is a page or JSON.
  static func isKnown(_ path: String) -> Bool {
    isPage(path) || path.lowercased().hasSuffix(".json")
  }

  static let endings = "must end in .html for a page or in .json for the numbers"

  /// Writes the numbers, as a page or as JSON, and gives the file its name.
  func write(_ report: some Reportable, from origin: ReportOrigin) throws {
    let text = isPage ? report.page(origin).text : report.json.text(pretty: true) + "\n"
    try AtomicFile.write(Array(text.utf8), to: path)
  }

  private static func conflict(
    _ path: String, _ inputs: [String], _ output: String?
  ) throws -> String? {
    if try FileSystem.kind(of: path) == .file, let identity = try FileSystem.identity(of: path) {
      for input in inputs where try FileSystem.identity(of: input) == identity {
        return "is a file that is read, and is never overwritten"
      }
    }
    let folder = Path.folder(of: path)
    // Where there is no such folder the next step says so.
    guard let output, try FileSystem.kind(of: folder) != nil else { return nil }
    let isInside = (try place(path) + "/").hasPrefix(try place(output) + "/")
    return isInside ? "is where the output goes" : nil
  }

  /// The path without links of something that may still have to be made.
  private static func place(_ path: String) throws -> String {
    Path.join(try FileSystem.resolved(Path.folder(of: path)), Path.name(of: path))
  }
}

extension ValueType where Value == String {
  /// A path whose ending says what the report is: a page or JSON.
  ///
  /// A path without an ending, and one of something that exists, may be wrong for a graver reason: ``ReportFile`` tells it.
  static var report: Self {
    Self(completion: .files) { text throws(ValueError) in
      let hasOtherEnding = Path.name(of: text).contains(".") && !ReportFile.isKnown(text)
      guard !hasOtherEnding || FileSystem.isTaken(text) else {
        throw ValueError(ReportFile.endings)
      }
      guard !text.isEmpty else { throw ValueError("must not be empty") }
      return text
    }
  }
}
