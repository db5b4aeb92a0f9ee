/// Words as a line that a shell takes apart into the very same words.
package enum ShellLine {
  /// The words with spaces between them, in quotes where a shell would see more in them than letters.
  package static func text(_ words: [String]) -> String {
    words.map(quoted).joined(separator: " ")
  }

  /// A word; one with control characters, which no one could read or copy, in the `$'…'` of bash and zsh.
  private static func quoted(_ word: String) -> String {
    if word.printable != word {
      return "$'" + word.unicodeScalars.map(escaped).joined() + "'"
    }
    let isPlain = !word.isEmpty && word.unicodeScalars.allSatisfy { plain.contains($0) }
    // A word of letters beyond ASCII alone needs no quotes, but is no worse for them.
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    if scalar == "'" || scalar == "\\" { return "\\\(scalar)" }
    if "\(scalar)".printable == "\(scalar)" { return "\(scalar)" }
    return "\(scalar)".utf8.map { byte in
      "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  private static let plain = Set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-".unicodeScalars)
}
