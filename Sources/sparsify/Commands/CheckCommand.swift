internal import SparseCUDA
internal import SparseCore
internal import SparseModel

/// `sparsify check`: the gate that pruned models must pass.
enum CheckCommand: Command {
  /// How the results are printed.
  enum Layout: String, CaseIterable { case text, github, json }

  static let require = Parameter(
    repeatedOption: "require", "glob", .glob,
    "Fail unless a weight's name matches and all whose names do are 2:4, whatever the manifest says."
  )

  static let format = Parameter(
    option: "format", "format", ValueType<Layout>.choice, default: "text",
    "How results are printed: github means annotations of GitHub Actions, and a table in the summary of the step; json the "
      + "same as --json.")

  static let finite = Parameter(
    option: "finite", "tensors", ValueType<FiniteScope>.choice, default: "all",
    "Where NaN and infinity fail the check: in all tensors, or in the weights that should be 2:4.")

  /// Who is asked besides.
  enum Device: String, CaseIterable { case cuda }

  static let device: Parameter<Device?> = Parameter(
    option: "device", "device", .choice, note: "none",
    "Ask cuSPARSELt on a GPU, too, whether it takes each weight for 2:4.")

  static let spec = CommandSpec(
    "check", "Check that every weight that should be 2:4 sparse is",
    discussion: """
      The weights that a model's manifest lists are held to it; without a manifest, or with --only or \
      --skip, the linear layers inside the decoder blocks are; those that --require names are, too. \
      A group of four may have fewer than two non-zeros; -0.0 is a zero; NaN and infinity are violations, \
      and fail the check in every other tensor, too: embeddings, norms, biases and scales.
      Of every weight that violates the pattern the first such group is named; rows and groups count \
      from 0, and a group begins at column 4 times its number.
      --json prints {"schema": 2, "passed": …, "models": […]}, with an object for each model, also where there \
      is one: "model" (its path), "passed", the numbers of weights that are "sparse", "violating" and "dense", \
      "required" (for each --require its "glob", the numbers of weights "matched", "sparse" and "dense", and \
      "met"), "tensors" (each with "name", "shape", "dtype", "status", "groups", "violations" and "first"), with \
      --device "device", and "error" where the model cannot be read.
      With --format github a Markdown table is appended to the file that GITHUB_STEP_SUMMARY names.
      Every model is looked at, whatever came of those before it. The exit status is 0 if all of them \
      passed, that of the first that cannot be read if there is one, and 1 otherwise.
      """,
    parameters: [
      Common.models, Common.only, Common.skip, require, finite, format, device, Common.threads,
      Common.json, Common.quiet,
    ],
    exclusive: [["json", "format"]],
    examples: [
      .init("Check a pruned model", "sparsify check SmolLM2-135M-2of4"),
      .init(
        "Two models, in which no projection may have been left dense",
        "sparsify check SmolLM2-135M-2of4 Qwen2-0.5B-2of4 --require '*_proj.weight'"),
      .init(
        "In a step of GitHub Actions, which then shows what is wrong and where",
        "sparsify check SmolLM2-135M-2of4 --format github"),
      .init(
        "Keep what was found about every weight, for a script",
        "sparsify check model-2of4.safetensors --json > check.json"),
      .init(
        "Ask the library that is to run it on a GPU",
        "sparsify check SmolLM2-135M-2of4 --device cuda"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    // Before any work: where there is no GPU, all of it would be in vain.
    let cuda = try arguments[device].map { _ in try CUDASession(Environment.cudaLibraries) }
    let models = try arguments[Common.models].map { path in
      try look(at: path, arguments, cuda, in: context)
    }
    switch arguments[Common.json] ? .json : arguments[format] {
    case .text: try context.print(CheckSummary(models).text)
    case .github:
      try context.print(CheckAnnotations(models).lines)
      try StepSummary.current?.append(CheckStepSummary(models).markdown)
    case .json: try context.print(CheckedModel.json(models))
    }
    let unreadable = models.lazy.compactMap(\.error).first
    return unreadable.map(ExitStatus.init(for:))
      ?? (models.allSatisfy(\.passed) ? .done : .refused)
  }

  /// What came of one model; an error is told at once, and ends nothing but the look at this model.
  private static func look(
    at path: String, _ arguments: Arguments, _ cuda: CUDASession?, in context: Context
  ) throws -> CheckedModel {
    do {
      let report = try Checkpoint(path: path).check(
        Common.selection(arguments), requiring: arguments[require].map(\.description),
        finite: arguments[finite], on: context.compute, progress: context.progress)
      let answer = try cuda.map {
        try DeviceCheck(report, of: path, $0, progress: context.progress)
      }
      return CheckedModel(path: path, result: .success(report), device: answer)
    } catch let signal as Interrupted {
      throw signal
    } catch {
      let model = CheckedModel(path: path, result: .failure(error))
      context.progressLine.note("Error: " + model.reason(error).errorLine)
      return model
    }
  }
}
