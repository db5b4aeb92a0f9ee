internal import SparseCore
internal import SparseModel

/// A model that was to be checked: what was found, or why it cannot be read.
struct CheckedModel {
  /// The path as it was typed.
  let path: String
  let result: Result<CheckReport, any Error>
  /// What a GPU's library says of it, if it was asked.
  var device: DeviceCheck?

  /// What was found; nil where it cannot be read.
  var report: CheckReport? { try? result.get() }

  /// Why it cannot be read; nil where it could be.
  var error: (any Error)? {
    if case .failure(let error) = result { error } else { nil }
  }

  var passed: Bool { (report?.passed ?? false) && device?.passed ?? true }

  /// An error of this model in words, which begin with its path or that of a file in it.
  func reason(_ error: any Error) -> String {
    let text = "\(error)"
    let place = Path.withoutTrailingSlashes(path)
    return [":", "/"].contains { text.hasPrefix(place + $0) } ? text : "\(path): \(text)"
  }

  /// The one object for all of the models, however many there are.
  static func json(_ models: [CheckedModel]) -> JSON {
    [
      "schema": 2, "passed": .bool(models.allSatisfy(\.passed)),
      "models": .array(models.map(\.json)),
    ]
  }

  /// The model's path before what the `check` contract asks for; after it, why there is nothing.
  private var json: JSON {
    let model = JSON.Member(key: "model", value: .string(path))
    switch result {
    case .success(let report):
      let answer = device.map { [JSON.Member(key: "device", value: $0.json)] } ?? []
      let members = (report.json.object ?? []).map { member in
        member.key == "passed" ? JSON.Member(key: member.key, value: .bool(passed)) : member
      }
      return .object([model] + members + answer)
    case .failure(let error):
      let nothing: JSON = [
        "passed": false, "sparse": 0, "violating": 0, "dense": 0, "nonFinite": [], "required": [],
        "tensors": [], "error": .string("\(error)"),
      ]
      return .object([model] + (nothing.object ?? []))
    }
  }
}
