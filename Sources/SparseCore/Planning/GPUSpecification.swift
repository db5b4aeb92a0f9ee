/// Why the description of a GPU cannot be used.
public enum GPUSpecificationError: Error, Equatable {
  /// A part that is not `key=value`.
  case malformed(part: String)
  /// A key that means nothing here.
  case unknownKey(String, known: [String])
  /// A key that is there twice.
  case repeatedKey(String)
  /// A value that is not a number above 0 and at most `limit`, or for `sparse` neither yes nor no.
  case badValue(key: String, value: String, expected: String)
  /// A key that is needed is not there.
  case missing(key: String)
}

extension GPUSpecificationError: CustomStringConvertible {
  /// One line that names the key and the value.
  public var description: String {
    switch self {
    case .malformed(let part): "'\(part)' is not key=value"
    case .unknownKey(let key, let known):
      "there is no key '\(key)', the keys are \(known.joined(separator: ", "))"
    case .repeatedKey(let key): "'\(key)' is given twice"
    case .badValue(let key, let value, let expected): "\(key) is '\(value)', not \(expected)"
    case .missing(let key): "'\(key)' is missing"
    }
  }
}

extension GPU {
  private static let numbers = ["fp16", "int8", "bandwidth", "memory"]

  /// A GPU that is in no table, as `fp16=312,int8=624,bandwidth=2039,memory=80,sparse=yes,name=mine`.
  ///
  /// Rates are in 10¹² dense operations a second, bandwidth in 10⁹ bytes a second, memory in 10⁹ bytes. `sparse` says
  /// whether it has sparse tensor cores, and is yes unless given; so is the name, `custom`.
  ///
  /// - Throws: ``GPUSpecificationError``.
  public init(specification: String) throws(GPUSpecificationError) {
    var values: [String: String] = [:]
    let known = Self.numbers + ["sparse", "name"]
    for part in specification.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, !sides[1].isEmpty else { throw .malformed(part: String(part)) }
      let key = String(sides[0])
      guard known.contains(key) else { throw .unknownKey(key, known: known) }
      guard values.updateValue(String(sides[1]), forKey: key) == nil else {
        throw .repeatedKey(key)
      }
    }
    let sparse = values["sparse"] ?? "yes"
    guard sparse == "yes" || sparse == "no" else {
      throw .badValue(key: "sparse", value: sparse, expected: "yes or no")
    }
    self.init(
      name: values["name"] ?? "custom", halfRate: try Self.number("fp16", values),
      int8Rate: try Self.number("int8", values), bandwidth: try Self.number("bandwidth", values),
      memory: try Self.number("memory", values), hasSparseTensorCores: sparse == "yes")
  }

  private static func number(
    _ key: String, _ values: [String: String]
  ) throws(GPUSpecificationError) -> Double {
    guard let text = values[key] else { throw .missing(key: key) }
    guard let value = Double(text), value > 0, value <= 1e9 else {
      throw .badValue(key: key, value: text, expected: "a number above 0 and at most 1000000000")
    }
    return value
  }
}
