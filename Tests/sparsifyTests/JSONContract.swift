import SparseCore

extension JSON {
  /// How this differs from a contract, one line for each place; none where it fulfils it.
  ///
  /// A contract is JSON in which a string names a type: "string", "integer", "number", "bool", with a
  /// question mark where null is allowed, "null", or "shape" for an array of integers. An object lists
  /// the members that must be there; an array of one contract describes every element; any other
  /// value stands for itself.
  func differences(from contract: JSON, at path: String = "") -> [String] {
    switch contract {
    case .object(let members):
      guard object != nil else { return ["\(path): not an object"] }
      return members.flatMap { member in
        self[member.key].map {
          $0.differences(from: member.value, at: "\(path).\(member.key)")
        } ?? ["\(path).\(member.key): missing"]
      }
    case .array(let elements):
      guard let array, let element = elements.first else { return ["\(path): not an array"] }
      return array.enumerated().flatMap { $1.differences(from: element, at: "\(path)[\($0)]") }
    case .string(let type):
      return hasType(type) ? [] : ["\(path): \(text()) is not \(type)"]
    default:
      return self == contract ? [] : ["\(path): \(text()) is not \(contract.text())"]
    }
  }

  private func hasType(_ type: String) -> Bool {
    if type.hasSuffix("?") { return isNull || hasType(String(type.dropLast())) }
    switch type {
    case "null": return isNull
    case "string": return string != nil
    case "integer": return int != nil
    case "number": return double != nil
    case "bool": return bool != nil
    case "shape": return array?.allSatisfy { $0.int != nil } ?? false
    default: return string == type
    }
  }
}
