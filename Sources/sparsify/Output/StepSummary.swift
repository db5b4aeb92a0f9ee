internal import SparseCore

/// The file that a step of GitHub Actions shows as its summary, in Markdown.
struct StepSummary {
  private let path: String

  /// The file that the environment names; nil where it names none.
  static var current: StepSummary? {
    Environment[.stepSummary].flatMap { $0.isEmpty ? nil : StepSummary(path: $0) }
  }

  /// Adds Markdown at the end; what other steps have written stays.
  func append(_ markdown: String) throws(StepSummaryError) {
    do throws(FileError) {
      try FileDescriptor.append(Array(markdown.utf8), to: path)
    } catch {
      throw StepSummaryError(reason: error)
    }
  }
}

/// The file of the step's summary cannot be written.
struct StepSummaryError: Error, CustomStringConvertible {
  let reason: FileError

  var description: String { "\(Environment.stepSummary.rawValue): \(reason)" }
}
