public import SparseCore

/// Why a file is no text.
public enum TextError: Error, Equatable, Sendable {
  /// The byte at `offset` belongs to no character.
  case notUTF8(path: String, offset: Int, byte: UInt8)
  /// The file is one of another kind.
  case foreign(path: String, ForeignFile)
  /// The file holds texts as JSON, one on each line or all in one value.
  case json(path: String)
}

extension TextError: CustomStringConvertible {
  /// One line: the path, and what is wrong.
  public var description: String {
    switch self {
    case .notUTF8(let path, let offset, let byte):
      "\(path): not UTF-8: the byte 0x\(String(byte, radix: 16, uppercase: true)) at offset \(offset)"
        + " belongs to no character"
    case .foreign(let path, let kind): "\(path): not a text but \(kind)"
    case .json(let path):
      "\(path): JSON, whose syntax would be read as text: write its texts to a plain text file"
    }
  }
}

extension TextError {
  /// Throws for a file of another kind, and for JSON in place of text.
  static func requireText(_ file: MappedFile) throws(TextError) {
    if let kind = ForeignFile(file.bytes) { throw .foreign(path: file.path, kind) }
    let name = Path.name(of: file.path).lowercased()
    if [".jsonl", ".ndjson", ".json"].contains(where: name.hasSuffix) || isJSON(file.bytes) {
      throw .json(path: file.path)
    }
  }

  /// Whether the first line with anything on it, or else the whole, is a JSON object or array of such.
  private static func isJSON(_ bytes: ByteView) -> Bool {
    let white: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
    guard let start = bytes.bytes.firstIndex(where: { !white.contains($0) }),
      [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(bytes.bytes[start])
    else { return false }
    let end = bytes.bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
    return [start..<end, start..<bytes.count].contains { range in
      guard let json = try? JSON(parsing: bytes[range], takesNonFinite: true) else { return false }
      return json.object?.isEmpty == false || json.array?.first?.object != nil
    }
  }
}
