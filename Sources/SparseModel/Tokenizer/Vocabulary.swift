internal import SparseCore

/// The tokens of a BPE model: their written forms and ids.
struct Vocabulary: Sendable {
  /// No id may reach this: room for any real vocabulary, none for a file that asks for a giant table.
  static let idLimit = 1 << 24

  /// The token id that `value` is; nil if it is none.
  static func id(_ value: JSON) -> Int32? {
    guard let id = value.int, (0..<idLimit).contains(id) else { return nil }
    return Int32(id)
  }

  private var table = ByteStringTable()
  private var ids: [Int32] = []  // by a key's number in the table
  private var numbers: [Int32] = []  // by id: a key's number, or -1

  /// The tokens of an object of written forms and ids; of a form that comes twice the last id counts.
  init(_ field: JSONField) throws(TokenizerError) {
    for member in try field.members() {
      // The path of an entry is spelled out only for an error: there are many entries.
      guard let id = Self.id(member.value) else {
        let entry = JSONField(value: member.value, path: "\(field.path).\(member.key)")
        throw entry.mismatch("a token id below \(Self.idLimit)")
      }
      let number = table.insert(Array(member.key.utf8).span)
      if number == ids.count { ids.append(id) } else { ids[number] = id }
    }
    numbers = Array(repeating: -1, count: ids.reduce(0) { max($0, Int($1) + 1) })
    for (number, id) in ids.enumerated() {
      guard numbers[Int(id)] < 0 else {
        let first = String(decoding: table[Int(numbers[Int(id)])], as: UTF8.self)
        let second = String(decoding: table[number], as: UTF8.self)
        throw .sharedID(id: id, first: first, second: second)
      }
      numbers[Int(id)] = Int32(number)
    }
  }

  /// The number of tokens.
  var count: Int { table.count }

  /// One more than the largest id.
  var idBound: Int { numbers.count }

  /// The id of the token with this written form.
  func id(of written: Span<UInt8>) -> Int32? {
    table.number(of: written).map { ids[$0] }
  }

  /// The written form of a token; nil for an id that none has.
  func written(_ id: Int32) -> ArraySlice<UInt8>? {
    guard numbers.indices.contains(Int(id)), numbers[Int(id)] >= 0 else { return nil }
    return table[Int(numbers[Int(id)])]
  }

  /// The written forms of all tokens.
  var allWritten: some Sequence<ArraySlice<UInt8>> {
    (0..<table.count).lazy.map { table[$0] }
  }
}
