/// How written tokens become text again.
struct TokenDecoder: Sendable {
  /// The written form of one token, or what has become of it so far.
  struct Piece {
    var bytes: [UInt8]
    /// Whether it is an added token, which byte-level text holds as it is.
    let isAdded: Bool
  }

  private enum Step: Sendable {
    case byteLevel
    case replace([UInt8], with: [UInt8])
    case byteFallback
    case fuse
    case strip([UInt8], start: Int, stop: Int)
    case metaspace(Metaspace)
  }

  private var steps: [Step] = []
  private var growth = Growth(in: "decoder")
  private let separator: [UInt8]

  /// The decoder of the part `decoder`; without one, as in the reference, a space parts the written tokens.
  init(_ field: JSONField?) throws(TokenizerError) {
    separator = field == nil ? [0x20] : []
    if let field { try add(field) }
  }

  private mutating func add(_ field: JSONField) throws(TokenizerError) {
    switch try field.type() {
    case "Sequence":
      for element in try field.required("decoders").elements() { try add(element) }
    case "ByteLevel": steps.append(.byteLevel)
    case "Replace":
      let (pattern, content) = try field.replacement(part: "decoder")
      try growth.replace(pattern.count, by: content.count)
      steps.append(.replace(pattern, with: content))
    case "ByteFallback": steps.append(.byteFallback)
    case "Fuse": steps.append(.fuse)
    case "Strip":
      let content = Array(try field.required("content").string().utf8)
      let start = try field.count("start", default: 0)
      let stop = try field.count("stop", default: 0)
      steps.append(.strip(content, start: start, stop: stop))
    case "Metaspace": steps.append(.metaspace(try Metaspace(field)))
    case let name: throw .unsupported(part: "decoder", name: name)
    }
  }

  /// The text that the tokens stand for, byte by byte: never repaired where it is not UTF-8.
  func decode(_ pieces: [Piece]) -> [UInt8] {
    var pieces = pieces
    for step in steps {
      if case .fuse = step {
        pieces = [Piece(bytes: pieces.flatMap(\.bytes), isAdded: false)]
      } else {
        for index in pieces.indices {
          Self.apply(step, to: &pieces[index], isFirst: index == 0)
        }
      }
    }
    return Array(pieces.map(\.bytes).joined(separator: separator))
  }

  private static func apply(_ step: Step, to piece: inout Piece, isFirst: Bool) {
    switch step {
    case .fuse: break
    case .byteLevel:
      if !piece.isAdded, let bytes = ByteAlphabet.read(piece.bytes.span) { piece.bytes = bytes }
    case .replace(let pattern, let content):
      piece.bytes = piece.bytes.replacing(pattern, with: content)
    case .byteFallback:
      if let byte = fallbackByte(piece.bytes) { piece.bytes = [byte] }
    case .strip(let content, let start, let stop):
      piece.bytes = Array(piece.bytes[...].stripping(content, start: start, stop: stop))
    case .metaspace(let metaspace):
      // As in the reference, all markers of the first token go, not only the one that was put there.
      let space: [UInt8] = isFirst && metaspace.prefix != .never ? [] : [0x20]
      piece.bytes = piece.bytes.replacing(metaspace.marker, with: space)
    }
  }

  /// The byte that a token written `<0x0A>` stands for; nil for any other token.
  private static func fallbackByte(_ written: [UInt8]) -> UInt8? {
    guard written.count == 6, written.starts(with: Array("<0x".utf8)), written[5] == 0x3E,
      written[3] != UInt8(ascii: "+")
    else { return nil }
    return UInt8(String(decoding: written[3...4], as: UTF8.self), radix: 16)
  }
}

extension ArraySlice where Element == UInt8 {
  /// These bytes without `content` at the start, at most `start` times, and then at the end, at most
  /// `stop` times.
  fileprivate func stripping(_ content: [UInt8], start: Int, stop: Int) -> Self {
    guard !content.isEmpty else { return self }
    var rest = self
    var done = 0
    while done < start, rest.starts(with: content) {
      rest = rest.dropFirst(content.count)
      done += 1
    }
    done = 0
    while done < stop, rest.suffix(content.count).elementsEqual(content) {
      rest = rest.dropLast(content.count)
      done += 1
    }
    return rest
  }
}
