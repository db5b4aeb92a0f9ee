/// `sparsify check`: the gate that a pruned model must pass.
enum CheckCommand: Command {
  static let spec = CommandSpec(
    "check", "Check that every weight that should be 2:4 sparse is",
    discussion: """
      The weights that the model's manifest lists are held to it; without a manifest, the linear layers \
      inside the decoder blocks are. A group of four may have fewer than two non-zeros; -0.0 is a zero; \
      NaN and infinity are violations. The exit status is 1 if any group has more than two non-zeros.
      """,
    parameters: [
      Common.model, Common.only, Common.skip, Common.threads, Common.json, Common.quiet,
    ],
    examples: [
      .init("Check a pruned model", "sparsify check SmolLM2-135M-2of4"),
      .init(
        "Name the first weight that is not 2:4, in a script",
        "sparsify check model-2of4.safetensors --json > check.json"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    throw NotInThisBuild(command: spec.name)
  }
}
