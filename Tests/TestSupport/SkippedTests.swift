internal import Foundation

/// The tests of this package that a condition leaves out, counted in their sources.
public struct SkippedTests {
  /// How many they are.
  public let count: Int

  /// The tests in some sources under `.enabled(if: condition)`: those of a suite, or a single one.
  public init(under condition: String, in sources: [String]) {
    count = sources.reduce(0) { $0 + Self.count(condition, in: $1) }
  }

  /// The tests under `.enabled(if: condition)` in the sources of this package.
  public init(under condition: String) {
    let folder = Package.path("Tests")
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    self.init(
      under: condition,
      in: names.filter { $0.hasSuffix(".swift") }.sorted().compactMap {
        try? String(contentsOfFile: folder + "/" + $0, encoding: .utf8)
      })
  }

  /// Says on standard error how many tests are left out, and why.
  public func say(why reason: String) {
    let line = "Skipped: \(count) \(count == 1 ? "test" : "tests"), since \(reason)\n"
    FileHandle.standardError.write(Data(line.utf8))
  }

  private static func count(_ condition: String, in source: String) -> Int {
    let parts = source.components(separatedBy: ".enabled(if: \(condition))")
    return parts.indices.dropLast().reduce(0) { sum, index in
      let before = parts[...index].joined()
      let suite = before.range(of: "@Suite", options: .backwards)
      let test = before.range(of: "@Test", options: .backwards)
      let isSuite = suite.map { suite in test.map { $0.lowerBound < suite.lowerBound } ?? true }
      guard isSuite == true else { return sum + 1 }
      // A suite ends with the first brace at the start of a line.
      let after = parts[(index + 1)...].joined(separator: " ")
      let body = after.components(separatedBy: "\n}")[0]
      return sum + body.components(separatedBy: "@Test").count - 1
    }
  }
}
