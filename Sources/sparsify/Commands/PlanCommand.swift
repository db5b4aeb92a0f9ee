internal import SparseCore
internal import SparseModel

/// `sparsify plan`: what 2:4 would cost and bring, before anything is computed.
enum PlanCommand: Command {
  static let gpu = Parameter(
    option: "gpu", "name", .gpu, "The GPU that the model is to run on.")

  static let gpuSpecification = Parameter(
    option: "gpu-spec", "spec", .gpuSpecification,
    "Another GPU: 'fp16=312,int8=624,bandwidth=2039,memory=80' (dense rates in 10^12 operations a second, "
      + "10^9 bytes a second, 10^9 bytes), and 'sparse=no' for one without sparse tensor cores.")

  static let batch = Parameter(
    option: "batch", "list", .batches, default: "1,16,128",
    "The numbers of sequences that run at once.")

  static let numbers: Parameter<PlanNumbers> = Parameter(
    option: "dtype", "type", .choice, default: "fp16",
    "The numbers that the 2:4 weights are kept in.")

  static let context = Parameter(
    option: "context", "n", .positiveInteger, note: "the model's, 2048 at most",
    "The tokens of each sequence.")

  static let sensitivity = Parameter(
    option: "sensitivity", "file", .path, note: "none",
    "What 'sparsify sensitivity' has found for this model: the advice then tells its own loss.")

  static let measured = Parameter(
    option: "measured", "file", .path, note: "none",
    "What 'sparsify bench --device cuda --json' has measured on that GPU: linears take the times that are in it, "
      + "and the roofline model's where there are none.")

  static let model = Parameter(
    argument: "model", .path,
    "A .safetensors file, a model.safetensors.index.json, a folder with either, or a config.json without weights."
  )

  static let spec = CommandSpec(
    "plan", "Predict what 2:4 would bring on a GPU: time, memory, and whether it pays",
    discussion: """
      Only the headers of the weights and config.json are read; config.json alone will do. Times are those of a roofline model, \
      calibrated on an H100, and of measurements where --measured has them; dense fp16 is what speedups are over. \
      The verdict holds 2:4 against the faster of dense fp16 and dense INT8. A GPU's family is enough (H100 is the \
      SXM form with the most memory), and so is what nvidia-smi prints.
      """,
    parameters: [
      model, gpu, gpuSpecification, batch, numbers, context, sensitivity, measured,
      Common.report, Common.json,
    ],
    oneOf: [["gpu", "gpu-spec"]],
    examples: [
      .init("2:4 in INT8 on an H100", "sparsify plan Llama-2-7b --gpu h100-sxm --dtype int8"),
      .init(
        "Long contexts on a smaller card",
        "sparsify plan Llama-2-7b --gpu l4 --batch 1,8 --context 4096"),
      .init(
        "With the times that 'sparsify bench' has measured on such a card",
        "sparsify plan Llama-2-7b --gpu h100-sxm --dtype int8 --measured h100.json"),
      .init("Before anything but config.json is there", "sparsify plan config.json --gpu 4090"),
      .init("A page to show to others", "sparsify plan Llama-2-7b --gpu l4 --report plan.html"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    guard let gpu = arguments[gpu] ?? arguments[gpuSpecification] else {
      preconditionFailure("the parser let a plan through without a GPU")
    }
    let model = arguments[Self.model]
    let source = try PlanSource(path: model)
    let reportFile = try arguments[Common.report].map {
      try ReportFile(
        $0,
        reading: source.files
          + [arguments[sensitivity], arguments[measured]].compactMap(\.self))
    }
    let plan = try source.plan(
      PlanRequest(
        gpu: gpu, form: arguments[numbers].form, batches: arguments[batch],
        context: arguments[Self.context],
        sensitivity: arguments[sensitivity].map(SensitivityRanking.init(contentsOf:)),
        measured: arguments[measured].map(MeasuredTimes.init(contentsOf:))))
    try reportFile?.write(plan, from: context.origin(of: model))
    if arguments[Common.json] {
      try context.print(plan.json)
    } else {
      try context.print(PlanText(plan: plan, model: model).text)
    }
    return .done
  }
}
