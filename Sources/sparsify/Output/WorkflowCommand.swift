internal import SparseCore

/// A line that GitHub Actions turns into an annotation: `::error title=…::…`.
///
/// Texts are escaped as the runner's own toolkit does: `%`, carriage return and line feed everywhere,
/// `:` and `,` in properties besides. Without that, a name from a file could end the command and begin another.
struct WorkflowCommand {
  /// How the annotation is marked.
  enum Level: String { case notice, error }

  let level: Level
  let title: String
  let message: String

  /// The line, with its end.
  var line: String {
    "::\(level.rawValue) title=\(Self.escaped(title, ["%", "\r", "\n", ":", ","]))"
      + "::\(Self.escaped(message, ["%", "\r", "\n"]))\n"
  }

  private static func escaped(_ text: String, _ special: [Unicode.Scalar]) -> String {
    // By scalars: a carriage return with its line feed is a single Character.
    let text = text.unicodeScalars.reduce(into: "") { text, scalar in
      if special.contains(scalar) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        text += (digits.count < 2 ? "%0" : "%") + digits
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text.printable
  }
}
