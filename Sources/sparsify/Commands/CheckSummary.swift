internal import SparseCore
internal import SparseModel

/// What was found about models, as people read it.
struct CheckSummary {
  private let models: [CheckedModel]

  init(_ models: [CheckedModel]) { self.models = models }

  /// For each model the requirements that are not met, the weights that violate the pattern and the verdict.
  ///
  /// Several models have their names as headings, and how many passed at the end.
  var text: String {
    if models.count == 1 { return Self.text(models[0]) ?? "" }
    return models.map { model in
      model.path.printable + "\n" + (Self.text(model) ?? "FAILED: could not be read\n") + "\n"
    }.joined() + total
  }

  private static func text(_ model: CheckedModel) -> String? {
    guard let report = model.report else { return nil }
    let unmet = report.requirements.compactMap { requirement in
      requirement.problem.map {
        "requirement not met: --require '\(requirement.glob)' \($0)".printable + "\n"
      }
    }
    let nonFinite = report.nonFinite.map { "\($0)".printable + "\n" }.joined()
    let parts = [
      unmet.joined(), table(report), nonFinite, model.device?.text ?? "", model.verdict + "\n",
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// A row for each weight that violates the pattern.
  private static func table(_ report: CheckReport) -> String {
    var table = Table([
      ("violating weight", .left), ("shape", .right), ("dtype", .left), ("groups", .right),
      ("not 2:4", .right), ("share", .right), ("first", .left),
    ])
    let violating = report.tensors.filter { $0.status == .violating }
    for tensor in violating {
      let share = 100 * Double(tensor.violations) / Double(max(1, tensor.groups))
      table.append([
        tensor.name, Format.shape(tensor.shape), tensor.dtype, "\(tensor.groups)",
        "\(tensor.violations)", Format.fixed(share, 2) + " %", tensor.first?.description ?? "–",
      ])
    }
    return violating.isEmpty ? "" : table.text
  }

  private var total: String {
    let passed = models.count(where: \.passed)
    if passed == models.count { return "passed: \(passed) models\n" }
    let unread = models.count { $0.error != nil }
    let failed = models.count - passed - unread
    return "FAILED: \(passed) of \(models.count) models passed"
      + (failed > 0 ? ", \(failed) failed" : "")
      + (unread > 0 ? ", \(unread) could not be read" : "") + "\n"
  }
}

extension CheckedModel {
  /// Whether the model passed, with what was counted.
  var verdict: String {
    guard let report else { return "" }
    if report.passed, let problem = device?.problem { return "FAILED: " + problem.printable }
    return report.verdict
  }
}

extension CheckReport {
  /// Whether the model passed, with what was counted.
  var verdict: String {
    let (sparse, violating, dense) = (count(.sparse), count(.violating), count(.dense))
    let counts =
      "\(sparse.counting("weight")) \(sparse == 1 ? "is" : "are") 2:4, "
      + "\(violating) \(violating == 1 ? "violates" : "violate") it, "
      + "\(dense) \(dense == 1 ? "is" : "are") dense on purpose"
    if passed { return "passed: " + counts }
    let isEmpty = sparse == 0 && violating == 0
    let holders =
      nonFinite.isEmpty
      ? "" : nonFinite.count.counting("tensor") + " with NaN or infinity: "
    return "FAILED: " + holders + (isEmpty ? "no weight is meant to be 2:4: " : "") + counts
  }
}

extension CheckReport.Requirement {
  /// Why it is not met, as the end of a sentence; nil where it is.
  var problem: String? {
    if isMet { return nil }
    if matched == 0 { return "matches no weight" }
    if dense == matched { return "matches only weights that are dense on purpose" }
    let rest = dense == 0 ? "" : "; \(dense) \(dense == 1 ? "is" : "are") dense on purpose"
    return "holds for \(sparse) of \(matched.counting("weight"))" + rest
  }
}
