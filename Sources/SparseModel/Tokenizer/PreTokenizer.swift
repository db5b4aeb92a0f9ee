/// A text cut into pieces that are encoded each on its own.
struct Pieces {
  var bytes: [UInt8]
  /// Where each piece ends; the last one at the end of `bytes`.
  var ends: [Int]
  /// Whether the first piece starts the whole text, rather than following an added token.
  let startsText: Bool

  /// A whole text as one piece; none if it is empty.
  init(_ bytes: [UInt8], startsText: Bool) {
    self.bytes = bytes
    self.startsText = startsText
    ends = bytes.isEmpty ? [] : [bytes.count]
  }

  /// Cuts every piece at the ends that `end`, given a start, finds in its text.
  mutating func cut(_ end: (_ start: Int, _ piece: Span<UInt8>) -> Int) {
    var finer: [Int] = []
    finer.reserveCapacity(bytes.count / 4)
    var origin = 0
    for wholeEnd in ends {
      let piece = bytes.span.extracting(origin..<wholeEnd)
      var start = 0
      while start < piece.count {
        start = end(start, piece)
        finer.append(origin + start)
      }
      origin = wholeEnd
    }
    ends = finer
  }

  /// Rewrites every piece.
  mutating func rewrite(_ body: (_ piece: ArraySlice<UInt8>) -> [UInt8]) {
    var rewritten: [UInt8] = []
    rewritten.reserveCapacity(bytes.count + bytes.count / 2)
    var start = 0
    for index in ends.indices {
      rewritten += body(bytes[start..<ends[index]])
      start = ends[index]
      ends[index] = rewritten.count
    }
    bytes = rewritten
  }
}

/// How a text is cut into the words that the model sees.
struct PreTokenizer: Sendable {
  private enum Step: Sendable {
    /// Numbers apart from the rest, one by one or in runs.
    case digits(individual: Bool)
    case pattern(SplitPattern)
    case prefixSpace
    case metaspace(Metaspace)
  }

  private var steps: [Step] = []
  private var growth = Growth(in: "pre_tokenizer")
  /// What the words are made of: bytes after a `ByteLevel`, else scalars.
  private(set) var alphabet = BPE.Alphabet.scalars

  /// The pre-tokenizer of the part `pre_tokenizer`; without one, a text is one word.
  init(_ field: JSONField?) throws(TokenizerError) {
    if let field { try add(field) }
  }

  private mutating func add(_ field: JSONField) throws(TokenizerError) {
    let type = try field.type()
    if alphabet == .bytes {
      throw .unsupported(part: "pre-tokenizer", name: "\(type) after ByteLevel")
    }
    switch type {
    case "Sequence":
      for element in try field.required("pretokenizers").elements() { try add(element) }
    case "Digits":
      steps.append(.digits(individual: try field.flag("individual_digits", default: false)))
    case "Split": steps.append(.pattern(try Self.split(field)))
    case "ByteLevel":
      if try field.flag("add_prefix_space", default: true) {
        try growth.prepend(1)
        steps.append(.prefixSpace)
      }
      if try field.flag("use_regex", default: true) { steps.append(.pattern(.gpt2)) }
      alphabet = .bytes
    case "Metaspace":
      let metaspace = try Metaspace(field)
      // In place of a space, or before a piece that does not begin with one.
      try growth.prepend(metaspace.marker.count)
      steps.append(.metaspace(metaspace))
    case let name: throw .unsupported(part: "pre-tokenizer", name: name)
    }
  }

  /// The pattern of a `Split`, which must make each match a piece.
  ///
  /// As the patterns match everywhere, removing what lies between the matches is the same.
  private static func split(_ field: JSONField) throws(TokenizerError) -> SplitPattern {
    let pattern = try field.required("pattern")
    guard let regex = try pattern["Regex"]?.string() else {
      throw .unsupported(part: "pre-tokenizer", name: "Split by a string")
    }
    guard let known = SplitPattern(regex: regex) else { throw .unknownPattern(regex) }
    let behavior = try field.required("behavior").string()
    let inverts = try field.flag("invert", default: false)
    guard behavior == "Isolated" || (behavior == "Removed" && inverts) else {
      let name = "Split with behavior \(behavior)\(inverts ? ", inverted" : "")"
      throw .unsupported(part: "pre-tokenizer", name: name)
    }
    return known
  }

  /// Cuts a normalized text that holds no added tokens.
  func cut(_ pieces: inout Pieces) {
    for step in steps {
      switch step {
      case .digits(let individual):
        pieces.cut { $1.endOfDigits(from: $0, individual: individual) }
      case .pattern(let pattern): pieces.cut { pattern.end(ofMatchAt: $0, in: $1) }
      case .prefixSpace:
        pieces.rewrite { $0.first == 0x20 ? Array($0) : [0x20] + $0 }
      case .metaspace(let metaspace): metaspace.cut(&pieces)
      }
    }
  }
}

extension Span where Element == UInt8 {
  /// Where the piece at `start` ends if numbers stand apart, alone or in runs.
  fileprivate func endOfDigits(from start: Int, individual: Bool) -> Int {
    let (first, length) = classified(at: start)
    var end = start + length
    if first == .number { return individual ? end : endOfRun(of: .number, from: end) }
    while end < count {
      let (kind, length) = classified(at: end)
      if kind == .number { break }
      end += length
    }
    return end
  }
}
