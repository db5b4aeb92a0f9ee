internal import SparseCore
internal import SparseModel

/// `sparsify inspect`: what is in a checkpoint.
enum InspectCommand: Command {
  static let spec = CommandSpec(
    "inspect", "List the tensors of a checkpoint with their zeros and 2:4 patterns",
    parameters: [
      Common.model, Common.only, Common.skip, Common.threads, Common.json, Common.quiet,
    ],
    examples: [
      .init("List every tensor", "sparsify inspect SmolLM2-135M"),
      .init(
        "Only the query projections", "sparsify inspect model.safetensors --only '*.q_proj.*'"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let report = try Checkpoint(path: arguments[Common.model]).inspect(
      Common.selection(arguments), on: context.compute, progress: context.progress)
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      try context.print(text(report))
    }
    return .done
  }

  /// A row for each tensor: what it is, how many zeros, and how its groups of four look.
  private static func text(_ report: InspectReport) -> String {
    var table = Table(
      [("tensor", .left), ("shape", .right), ("dtype", .left), ("zeros", .right), (">2", .right)]
        + Pattern24.allCases.map { ("\($0.kept.0)\($0.kept.1)", .right) })
    let unknown = Array(repeating: "–", count: 2 + Pattern24.allCases.count)
    for tensor in report.tensors {
      table.append(
        [
          tensor.name, Format.shape(tensor.shape),
          tensor.dtype + (tensor.isCompressed ? " compressed" : ""),
        ]
          + (tensor.sparsity.map(cells) ?? unknown))
    }
    let values = report.tensors.reduce(0) { $0 + $1.elements }
    return table.text
      + "\n\(report.tensors.count.counting("tensor")), \(values.counting("value"))\n"
      + "zeros: share of values; >2: share of groups of four with more than two non-zeros;\n"
      + "01 to 23: share of groups with non-zeros at exactly these two places\n"
  }

  private static func cells(_ check: PatternCheck) -> [String] {
    func share(_ count: Int) -> String {
      Format.fixed(100 * Double(count) / Double(max(1, check.groups)), 1) + " %"
    }
    return [Format.fixed(100 * check.sparsity, 1) + " %", share(check.groupsWithMoreThanTwo)]
      + check.patterns.map(share)
  }
}
