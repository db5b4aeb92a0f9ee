/// A page taken apart by the strict rules of XML, so that anything that a browser would have to guess at is found.
package struct Markup {
  /// The names of the elements in the order in which they begin.
  package private(set) var elements: [String] = []
  /// The values of all attributes, unescaped.
  package private(set) var values: [String] = []
  /// All text between tags, unescaped.
  package private(set) var text = ""

  /// What is wrong with a page.
  package struct Fault: Error, CustomStringConvertible {
    package let description: String
  }

  private static let entities = [
    "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&#39;": "'",
  ]

  /// Takes a page apart.
  ///
  /// - Throws: ``Fault`` for tags that do not match, attributes without quotes or given twice, bare `<`, `>` and `&` in text,
  ///   and characters that no page needs: controls and marks that turn the direction of text.
  package init(_ page: String) throws {
    var rest = page[...]
    if rest.hasPrefix("<!DOCTYPE html>\n") { rest = rest.dropFirst(16) }
    for scalar in rest.unicodeScalars where scalar != "\n" {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        throw Fault(description: "U+\(String(scalar.value, radix: 16))")
      default: break
      }
    }
    var open: [String] = []
    while let start = rest.firstIndex(of: "<") {
      text += try Self.unescaped(rest[..<start], isStyle: open.last == "style")
      guard let end = rest[start...].firstIndex(of: ">") else { throw Fault(description: "no >") }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        guard let last = open.popLast(), last == tag.dropFirst() else {
          throw Fault(description: "<\(tag)> ends \(open.last ?? "nothing")")
        }
      } else {
        let isVoid = tag.hasSuffix("/")
        let name = try element(isVoid ? tag.dropLast() : tag)
        if !isVoid { open.append(name) }
      }
    }
    text += try Self.unescaped(rest, isStyle: false)
    if let last = open.last { throw Fault(description: "<\(last)> does not end") }
  }

  /// Reads a name and attributes.
  private mutating func element(_ tag: Substring) throws -> String {
    let name = tag.prefix { $0.isLetter || $0.isNumber }
    guard !name.isEmpty else { throw Fault(description: "<\(tag)>") }
    elements.append(String(name))
    var rest = tag[name.endIndex...]
    var seen: Set<Substring> = []
    while !rest.isEmpty {
      guard rest.first == " ", let equals = rest.firstIndex(of: "=") else {
        throw Fault(description: "<\(tag)>")
      }
      let attribute = rest[..<equals].dropFirst()
      let opening = rest.index(after: equals)
      guard attribute.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" }), !attribute.isEmpty,
        opening < rest.endIndex, rest[opening] == "\"",
        let closing = rest[rest.index(after: opening)...].firstIndex(of: "\""),
        seen.insert(attribute).inserted
      else { throw Fault(description: "<\(tag)>") }
      values.append(
        try Self.unescaped(rest[rest.index(after: opening)..<closing], isStyle: false))
      rest = rest[rest.index(after: closing)...]
    }
    return String(name)
  }

  private static func unescaped(_ text: Substring, isStyle: Bool) throws -> String {
    if isStyle && !text.contains("&") { return "" }
    if text.contains(">") { throw Fault(description: "a bare > in \(text)") }
    var result = ""
    var rest = text
    while let start = rest.firstIndex(of: "&") {
      guard let (entity, character) = entities.first(where: { rest[start...].hasPrefix($0.key) })
      else { throw Fault(description: "a bare & in \(text)") }
      result += rest[..<start] + character
      rest = rest[start...].dropFirst(entity.count)
    }
    return result + rest
  }
}
