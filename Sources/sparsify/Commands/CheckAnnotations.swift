internal import SparseCore
internal import SparseModel

/// What was found about models, as annotations of GitHub Actions.
struct CheckAnnotations {
  private let models: [CheckedModel]

  init(_ models: [CheckedModel]) { self.models = models }

  /// A line with the verdict on each model, then one for each requirement that is not met, then one for
  /// each weight that violates the pattern.
  ///
  /// GitHub shows the first ten errors of a step only: those that say most come first.
  var lines: String {
    (models.map(verdict) + models.flatMap(unmet) + models.flatMap(violations)).map(\.line).joined()
  }

  private func verdict(on model: CheckedModel) -> WorkflowCommand {
    let text: String
    switch model.result {
    case .success: text = "\(model.path): \(model.verdict)"
    case .failure(let error): text = "FAILED: could not be read: " + model.reason(error)
    }
    return WorkflowCommand(
      level: model.passed ? .notice : .error, title: "sparsify check", message: text)
  }

  private func unmet(by model: CheckedModel) -> [WorkflowCommand] {
    (model.report?.requirements ?? []).compactMap { requirement in
      requirement.problem.map { problem in
        WorkflowCommand(
          level: .error, title: "requirement not met",
          message: "\(model.path): --require '\(requirement.glob)' \(problem)")
      }
    }
  }

  private func violations(in model: CheckedModel) -> [WorkflowCommand] {
    guard let report = model.report else { return [] }
    let violations = report.tensors.filter { $0.status == .violating }.map { tensor in
      let groups = "\(tensor.violations) of \(tensor.groups.counting("group"))"
      let first = tensor.first.map { ", first \($0)" } ?? ""
      return WorkflowCommand(
        level: .error, title: "\(tensor.name) is not 2:4",
        message: "\(model.path): \(groups)\(first)")
    }
    let nonFinite = report.nonFinite.map { tensor in
      WorkflowCommand(
        level: .error, title: "\(tensor.name) holds NaN or infinity",
        message: "\(model.path): \(tensor)")
    }
    let refused = (model.device?.refused ?? []).map { weight in
      WorkflowCommand(
        level: .error, title: "\(weight) is not 2:4 on the GPU",
        message: "\(model.path): \(model.device?.name ?? "") does not take it for 2:4")
    }
    return violations + nonFinite + refused
  }
}
