internal import SparseCore
internal import SparseModel

/// `sparsify check`: the gate that a pruned model must pass.
enum CheckCommand: Command {
  static let spec = CommandSpec(
    "check", "Check that every weight that should be 2:4 sparse is",
    discussion: """
      The weights that the model's manifest lists are held to it; without a manifest, or with --only or \
      --skip, the linear layers inside the decoder blocks are. A group of four may have fewer than two non-zeros; -0.0 is a zero; \
      NaN and infinity are violations. The exit status is 1 if any group has more than two non-zeros.
      """,
    parameters: [
      Common.model, Common.only, Common.skip, Common.threads, Common.json, Common.quiet,
    ],
    examples: [
      .init("Check a pruned model", "sparsify check SmolLM2-135M-2of4"),
      .init(
        "Keep what was found about every weight, for a script",
        "sparsify check model-2of4.safetensors --json > check.json"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let report = try Checkpoint(path: arguments[Common.model]).check(
      Common.selection(arguments), on: context.compute, progress: context.progress)
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      try context.print(text(report))
    }
    return report.passed ? .done : .refused
  }

  /// The weights that violate the pattern, then the verdict.
  private static func text(_ report: CheckReport) -> String {
    var table = Table([
      ("violating weight", .left), ("shape", .right), ("dtype", .left), ("groups", .right),
      ("not 2:4", .right), ("share", .right),
    ])
    for tensor in report.tensors where tensor.status == .violating {
      let share = 100 * Double(tensor.violations) / Double(max(1, tensor.groups))
      table.append([
        tensor.name, Format.shape(tensor.shape), tensor.dtype, "\(tensor.groups)",
        "\(tensor.violations)", Format.fixed(share, 2) + " %",
      ])
    }
    let (sparse, violating, dense) = (
      report.count(.sparse), report.count(.violating), report.count(.dense)
    )
    let counts =
      "\(sparse.counting("weight")) \(sparse == 1 ? "is" : "are") 2:4, "
      + "\(violating) \(violating == 1 ? "violates" : "violate") it, "
      + "\(dense) \(dense == 1 ? "is" : "are") dense on purpose\n"
    if violating > 0 { return table.text + "\nFAILED: " + counts }
    return (report.passed ? "passed: " : "FAILED: no weight is meant to be 2:4: ") + counts
  }
}
