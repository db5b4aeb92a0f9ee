internal import SparseCore

/// All that the bytes of a run's output depend on.
///
/// Two runs with the same identity write the same output, so one can go on with what the other has left.
/// The number of threads and the memory are no part of it.
struct RunIdentity: Sendable {
  /// What it is made of, in the order in which it is compared; what comes first explains what follows.
  private(set) var parts: [(name: String, value: String)] = []

  /// Adds a part; nil for one that is not there.
  mutating func add(_ name: String, _ value: String?) { parts.append((name, value ?? "none")) }

  /// Adds the tensors of a checkpoint.
  mutating func add(_ tensors: [(tensor: String, fingerprint: String)], of model: String) {
    for (tensor, fingerprint) in tensors { add("tensor \(tensor) of \(model)", fingerprint) }
  }

  /// The first part in which another run differs from this one; nil where none does.
  func difference(from other: RunIdentity) -> (part: String, this: String, other: String)? {
    for (index, part) in parts.enumerated() {
      guard index < other.parts.count, part.name.hasSameBytes(as: other.parts[index].name) else {
        let value = other.parts.first { $0.name.hasSameBytes(as: part.name) }?.value
        return (part.name, part.value, value ?? "none")
      }
      if !part.value.hasSameBytes(as: other.parts[index].value) {
        return (part.name, part.value, other.parts[index].value)
      }
    }
    return other.parts.count > parts.count
      ? (other.parts[parts.count].name, "none", other.parts[parts.count].value) : nil
  }

  var json: JSON { .array(parts.map { [.string($0.name), .string($0.value)] }) }

  init() {}

  init?(_ json: JSON) {
    guard let pairs = json.array else { return nil }
    for pair in pairs {
      guard let pair = pair.array, pair.count == 2, let name = pair[0].string,
        let value = pair[1].string
      else { return nil }
      add(name, value)
    }
  }
}
