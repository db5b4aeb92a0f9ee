internal import SparseCore

/// A value of a JSON file together with the path to it, which errors name.
struct JSONField {
  let value: JSON
  let path: String

  /// The member `key`; nil if it is absent or null.
  subscript(key: String) -> JSONField? {
    guard let member = value[key], !member.isNull else { return nil }
    return JSONField(value: member, path: path(to: key))
  }

  /// The member `key`, which has to be there.
  func required(_ key: String) throws(TokenizerError) -> JSONField {
    guard let field = self[key] else { throw .missing(key: path(to: key)) }
    return field
  }

  /// The string that this is.
  func string() throws(TokenizerError) -> String {
    guard let string = value.string else { throw mismatch("a string") }
    return string
  }

  /// The values of the array that this is.
  func values() throws(TokenizerError) -> [JSON] {
    guard let values = value.array else { throw mismatch("an array") }
    return values
  }

  /// The values of the array that this is, each with its path.
  func elements() throws(TokenizerError) -> [JSONField] {
    try values().enumerated().map { JSONField(value: $1, path: "\(path)[\($0)]") }
  }

  /// The members of the object that this is.
  func members() throws(TokenizerError) -> [JSON.Member] {
    guard let members = value.object else { throw mismatch("an object") }
    return members
  }

  /// The truth value of the member `key`, or `standard` where it is absent.
  func flag(_ key: String, default standard: Bool) throws(TokenizerError) -> Bool {
    guard let field = self[key] else { return standard }
    guard let flag = field.value.bool else { throw field.mismatch("true or false") }
    return flag
  }

  /// The integer of the member `key`, or `standard` where it is absent.
  func count(_ key: String, default standard: Int) throws(TokenizerError) -> Int {
    guard let field = self[key] else { return standard }
    guard let count = field.value.int, count >= 0 else { throw field.mismatch("a count") }
    return count
  }

  /// The token id that this is.
  func tokenID() throws(TokenizerError) -> Int32 {
    guard let id = Vocabulary.id(value) else {
      throw mismatch("a token id below \(Vocabulary.idLimit)")
    }
    return id
  }

  /// What `type` this part says that it is.
  func type() throws(TokenizerError) -> String {
    try required("type").string()
  }

  /// The error for a value that is not what it should be.
  func mismatch(_ expected: String) -> TokenizerError {
    .invalid(
      key: path, expected: expected, found: value.string ?? value.int.map(String.init) ?? value.kind
    )
  }

  private func path(to key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
