internal import SparseCore
internal import SparseModel

/// What was found about models, as Markdown for the summary of a step of GitHub Actions.
struct CheckStepSummary {
  /// The most violations that are listed; the annotations name all of them.
  static let listedViolations = 10

  private let models: [CheckedModel]

  init(_ models: [CheckedModel]) { self.models = models }

  /// A row for each model, then what was not met, then the first violations.
  var markdown: String {
    let heading = models.allSatisfy(\.passed) ? "passed" : "FAILED"
    var table = MarkdownTable([
      ("model", .left), ("result", .left), ("2:4 weights", .right), ("violations", .right),
      ("dense", .right), ("requirements", .left),
    ])
    for model in models { table.append(row(of: model)) }
    let parts = [
      "### sparsify check: \(heading)\n", table.text, problems, violations,
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
  }

  private func row(of model: CheckedModel) -> [String] {
    let name = MarkdownTable.code(model.path)
    guard let report = model.report else {
      return [name, "FAILED: could not be read", "–", "–", "–", "–"]
    }
    let met = report.requirements.count(where: \.isMet)
    return [
      name, model.passed ? "passed" : "FAILED", "\(report.count(.sparse))",
      "\(report.count(.violating))", "\(report.count(.dense))",
      report.requirements.isEmpty ? "none" : "\(met) of \(report.requirements.count) met",
    ]
  }

  /// What is wrong with a model besides single weights, an item for each.
  private var problems: String {
    let code = MarkdownTable.code
    return models.flatMap { model -> [String] in
      let name = code(model.path)
      if let error = model.error { return ["- \(name) could not be read: \(code("\(error)"))\n"] }
      let unmet = (model.report?.requirements ?? []).compactMap { requirement in
        requirement.problem.map {
          "- \(name): requirement not met: \(code(requirement.glob)) \($0)\n"
        }
      }
      return unmet + (model.device?.problem.map { ["- \(name): \(code($0))\n"] } ?? [])
    }.joined()
  }

  private var violations: String {
    let all = models.flatMap { model in
      (model.report?.tensors ?? []).filter { $0.status == .violating }.map { (model, $0) }
    }
    guard !all.isEmpty else { return "" }
    var table = MarkdownTable([
      ("model", .left), ("violating weight", .left), ("groups", .right), ("not 2:4", .right),
      ("first", .left),
    ])
    for (model, tensor) in all.prefix(Self.listedViolations) {
      table.append([
        MarkdownTable.code(model.path), MarkdownTable.code(tensor.name), "\(tensor.groups)",
        "\(tensor.violations)", tensor.first?.description ?? "–",
      ])
    }
    let rest = all.count - min(all.count, Self.listedViolations)
    return table.text + (rest > 0 ? "\nand \(rest) more\n" : "")
  }
}
