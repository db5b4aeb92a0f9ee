/// Why something is no table of measured times.
public enum MeasuredTimesError: Error, Equatable, Sendable {
  /// The text is not JSON.
  case notJSON(JSONError)
  /// What every such table has is not there, or is something else.
  case notATable(field: String)
  /// The table is of another version.
  case unknownSchema(found: String, known: Int)
  /// There are no times.
  case empty
  /// A product lacks something.
  case missing(field: String, entry: Int)
  /// Something of a product is no number, or no text.
  case wrongKind(field: String, entry: Int, found: String, expected: String)
  /// A form that weights are not kept in.
  case unknownForm(String, entry: Int, known: [String])
  /// A number that nothing has, such as a negative time, infinity or NaN.
  case outOfRange(field: String, entry: Int, found: String, expected: String)
  /// The same product twice.
  case repeated(MeasuredTimes.Entry, MeasuredTimes.Entry, entries: [Int])
}

extension MeasuredTimesError: CustomStringConvertible {
  /// One line that names the product and the numbers.
  public var description: String {
    switch self {
    case .notJSON(let error): "\(error)"
    case .notATable(let field):
      "is no table of 'sparsify bench --device cuda --json': '\(field)' is missing or something else"
    case .unknownSchema(let found, let known): "has 'schema' \(found), not \(known)"
    case .empty: "has no times"
    case .missing(let field, let entry): "times[\(entry)]: '\(field)' is missing"
    case .wrongKind(let field, let entry, let found, let expected):
      "times[\(entry)]: '\(field)' is \(found), not \(expected)"
    case .unknownForm(let form, let entry, let known):
      "times[\(entry)]: there is no form '\(form)', the forms are '\(known.joined(separator: "', '"))'"
    case .outOfRange(let field, let entry, let found, let expected):
      "times[\(entry)]: '\(field)' is \(found), not \(expected)"
    case .repeated(let entry, let other, let places):
      "\(places.map { "times[\($0)]" }.joined(separator: " and ")) are both \(entry.form.rawValue) at \(entry.rows.counting("row")) of \(entry.outputs) × \(entry.inputs), with \(entry.seconds) and \(other.seconds) seconds"
    }
  }
}

/// Why a file is no table of measured times.
public struct MeasuredTimesFileError: Error, Equatable, Sendable {
  /// The file.
  public let path: String
  /// What is wrong in it.
  public let reason: MeasuredTimesError
}

extension MeasuredTimesFileError: CustomStringConvertible {
  /// One line: the path, then what is wrong.
  public var description: String { "\(path): \(reason)" }
}
