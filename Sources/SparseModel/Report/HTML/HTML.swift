internal import SparseCore

/// A piece of a page, which is both HTML and well-formed XML.
///
/// Text gets in through ``text(_:)`` and attribute values alone, and both are escaped; names of elements and of attributes
/// are part of this program. So nothing that a checkpoint says becomes markup.
package struct HTML: Sendable, Equatable {
  /// The piece as it stands in the file.
  package let markup: String

  private init(markup: String) { self.markup = markup }

  /// Nothing.
  package static let empty = HTML(markup: "")

  /// A text, letter for letter.
  ///
  /// Controls and invisible formatting characters, which could turn the direction of what follows, are spelled out.
  package static func text(_ text: String) -> HTML { HTML(markup: escaped(text)) }

  /// A name from a file: a text that loses its middle where it is very long.
  package static func name(_ name: String) -> HTML { .text(name.shortened(to: 200)) }

  /// An element.
  package static func element(
    _ name: StaticString, _ attributes: [(StaticString, String)] = [], _ content: HTML...
  ) -> HTML {
    element(name, attributes, joined(content))
  }

  /// An element with a text in it.
  package static func element(
    _ name: StaticString, _ attributes: [(StaticString, String)] = [], _ content: String
  ) -> HTML {
    element(name, attributes, .text(content))
  }

  /// Pieces after one another.
  package static func joined(_ pieces: some Sequence<HTML>) -> HTML {
    HTML(markup: pieces.map(\.markup).joined())
  }

  /// A style sheet that is part of this program.
  static func style(_ sheet: StaticString) -> HTML {
    HTML(markup: "<style>\n\(sheet)</style>\n")
  }

  /// The whole file.
  static func document(_ html: HTML) -> String { "<!DOCTYPE html>\n" + html.markup + "\n" }

  private static func element(
    _ name: StaticString, _ attributes: [(StaticString, String)], _ content: HTML
  ) -> HTML {
    let start = attributes.reduce("<\(name)") { $0 + " \($1.0)=\"\(escaped($1.1))\"" }
    // A browser takes `<p/>` for a start; only elements that never hold anything may end at once.
    if voidElements.contains("\(name)") { return HTML(markup: start + "/>") }
    let end = blockElements.contains("\(name)") ? ">\n" : ">"
    return HTML(markup: start + ">" + content.markup + "</\(name)" + end)
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.printable.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // No characters of XML, though of Unicode.
      case "\u{FFFE}", "\u{FFFF}": result += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static let voidElements: Set<String> = ["meta", "br", "hr"]
  /// Elements after which a line ends, so that the file can be read and compared.
  private static let blockElements: Set<String> = [
    "html", "head", "title", "body", "header", "main", "footer", "section", "h1", "h2", "h3", "p",
    "ul", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "figure", "figcaption", "svg",
    "details", "summary", "div", "pre", "g",
  ]
}

extension String {
  /// The text without its middle where it has more than `count` characters.
  package func shortened(to count: Int) -> String {
    let scalars = unicodeScalars
    guard scalars.count > count else { return self }
    let front = (count - 1) / 2
    return String(scalars.prefix(front)) + "…" + String(scalars.suffix(count - 1 - front))
  }
}
