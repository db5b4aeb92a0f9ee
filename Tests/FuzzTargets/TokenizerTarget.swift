internal import SparseCore
internal import SparseModel
package import TestSupport

/// A tokenizer.json, and texts that are encoded and decoded with it: its own bytes among them.
package struct TokenizerTarget: FuzzTarget {
  package static let name = "tokenizer"

  package init(in folder: TemporaryFolder) {}

  package func read(_ bytes: [UInt8]) throws {
    let tokenizer = try Tokenizer(json: JSON(parsing: ByteView(copying: bytes)))
    for text in Self.texts + [Array(bytes.prefix(1024))] {
      let ids = tokenizer.encode(text)
      precondition(
        ids.allSatisfy { (0..<tokenizer.vocabularySize).contains(Int($0)) },
        "\(ids) of \(tokenizer.vocabularySize)")
      _ = tokenizer.decode(ids)
    }
    _ = tokenizer.decode([0, 1, 2, 3, -1, .max, .min])
  }

  private static let texts: [[UInt8]] =
    [
      "", " ", "  a  b\n\n c\t",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "it's 12345 o'clock, \u{E9} e\u{301} \u{1F999} \u{2581}\u{2581} <s></s>",
    ].map { Array($0.utf8) } + [[0xFF, 0xC3, 0x28, 0xE2, 0x96, 0x20, 0xF0, 0x9F, 0x00]]
}
