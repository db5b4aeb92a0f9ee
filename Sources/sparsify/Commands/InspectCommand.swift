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
    throw NotInThisBuild(command: spec.name)
  }
}
