/// `sparsify bench`: how fast the kernels are on this machine.
enum BenchCommand: Command {
  static let cases = Parameter(
    repeatedArgument: "case", .word(of: ["gemm", "gram", "convert", "mask", "check"]),
    note: "all", "What to measure.")

  static let spec = CommandSpec(
    "bench", "Measure the kernels on this machine",
    discussion: """
      Each case is given with its rate and its share of what the machine itself was measured to reach: \
      arithmetic or memory bandwidth. Close other programs first.
      """,
    parameters: [cases, Common.threads, Common.json, Common.quiet],
    examples: [
      .init("Measure everything", "sparsify bench"),
      .init("Matrix products on one thread", "sparsify bench gemm --threads 1"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    throw NotInThisBuild(command: spec.name)
  }
}
