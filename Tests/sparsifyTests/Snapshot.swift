import Foundation
import Testing

/// Whole texts that users read, kept as files so that every change of one is seen in review.
enum Snapshot {
  /// Expects `text` to be exactly the file `name` in `Snapshots`.
  ///
  /// With `SPARSIFY_UPDATE_SNAPSHOTS` set, writes the file instead and fails, so that no test run
  /// passes by comparing a text with itself.
  static func expect(
    _ text: String, equals name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Snapshots/\(name)")
    if ProcessInfo.processInfo.environment["SPARSIFY_UPDATE_SNAPSHOTS"] != nil {
      try Data(text.utf8).write(to: file)
      Issue.record("\(name) was written anew", sourceLocation: sourceLocation)
      return
    }
    let expected = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    #expect(text == expected, "\(name) differs", sourceLocation: sourceLocation)
  }
}
