/// What is done to a text before it is cut into words, in order.
struct Normalizer: Sendable {
  private enum Step: Sendable {
    case prepend([UInt8])
    case replace([UInt8], with: [UInt8])
    case composed
  }

  private var steps: [Step] = []
  private var growth = Growth(in: "normalizer")

  /// The normalizer of the part `normalizer`; without one, texts stay as they are.
  init(_ field: JSONField?) throws(TokenizerError) {
    if let field { try add(field) }
  }

  private mutating func add(_ field: JSONField) throws(TokenizerError) {
    switch try field.type() {
    case "Sequence":
      for element in try field.required("normalizers").elements() { try add(element) }
    case "Prepend":
      let prefix = Array(try field.required("prepend").string().utf8)
      try growth.prepend(prefix.count)
      steps.append(.prepend(prefix))
    case "Replace":
      let (pattern, content) = try field.replacement(part: "normalizer")
      try growth.replace(pattern.count, by: content.count)
      steps.append(.replace(pattern, with: content))
    case "NFC": steps.append(.composed)
    case let name: throw .unsupported(part: "normalizer", name: name)
    }
  }

  /// Whether texts stay as they are.
  var isIdentity: Bool { steps.isEmpty }

  /// `text` after all steps.
  func normalize(_ text: [UInt8]) -> [UInt8] {
    steps.reduce(text) { text, step in
      switch step {
      case .prepend(let prefix): text.isEmpty ? text : prefix + text
      case .replace(let pattern, let content): text.replacing(pattern, with: content)
      case .composed: CanonicalComposition.compose(text)
      }
    }
  }
}

extension JSONField {
  /// The pattern and content of a `Replace`, whose pattern must be a string.
  func replacement(part: String) throws(TokenizerError) -> (pattern: [UInt8], content: [UInt8]) {
    let pattern = try required("pattern")
    guard let string = pattern["String"] else {
      throw .unsupported(part: part, name: "Replace of a regular expression")
    }
    let bytes = Array(try string.string().utf8)
    if bytes.isEmpty { throw string.mismatch("a string that is not empty") }
    return (bytes, Array(try required("content").string().utf8))
  }
}

extension [UInt8] {
  /// These bytes with each occurrence of `pattern`, from the left, replaced.
  func replacing(_ pattern: [UInt8], with content: [UInt8]) -> [UInt8] {
    guard let first = pattern.first, contains(first) else { return self }
    var result: [UInt8] = []
    result.reserveCapacity(count)
    var index = 0
    while index < count {
      if self[index] == first, index + pattern.count <= count,
        pattern.indices.allSatisfy({ self[index + $0] == pattern[$0] })
      {
        result += content
        index += pattern.count
      } else {
        result.append(self[index])
        index += 1
      }
    }
    return result
  }
}
