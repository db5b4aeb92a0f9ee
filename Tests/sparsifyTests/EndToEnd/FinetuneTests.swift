import Foundation
import SparseCore
import SparseModel
import TestSupport
import Testing

@testable import sparsify

/// `sparsify finetune` on the trained fixture, as a user runs it.
@Suite(.timeLimit(.minutes(20))) struct FinetuneEndToEndTests {
  private let model: TinyModel
  /// Three windows of the fixture's own text.
  private let tokens: String

  private var sparse: String { model.path + "-2of4" }
  private var out: String { model.folder["out"] }

  init() throws {
    model = try TinyModel()
    let run = try ToolRun("prune", model.path, "--method", "magnitude")
    #expect(run.status == 0, "\(run.errors)")
    let ids = (0..<24).map { Int32(7 * $0 % 512) }
    tokens = try model.writeTokens(ids, samples: 3)
  }

  private func finetune(_ words: String...) throws -> ToolRun {
    try ToolRun(["finetune", sparse, "-o", out] + words)
  }

  private static let lossContract: JSON = [
    "divergence": "number?", "nll": "number", "perplexity": "number",
  ]

  private static let contract: JSON = [
    "schema": 1, "objective": "string", "output": "string", "seconds": "number",
    "peakResidentBytes": "integer", "trainedWeights": "integer", "prunedWeights": "integer",
    "sparseLayers": "integer", "denseLayers": "integer", "windows": "integer", "length": "integer",
    "best": ["step": "integer", "loss": lossContract],
    "training": [
      "steps": [
        [
          "step": "integer", "learningRate": "number", "gradientNorm": "number",
          "loss": lossContract,
        ]
      ],
      "evaluations": [["step": "integer", "loss": lossContract]], "earlyStop": "string?",
    ],
    "blocks": ["null"],
  ]

  @Test func theTextShowsMeasurementsAndTotals() throws {
    let run = try finetune(
      "--dense", model.path, "--data", tokens, "--steps", "2", "--batch", "2", "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.isEmpty)
    #expect(
      run.lines[0].split(separator: " ") == ["after", "step", "divergence", "perplexity"])
    #expect(run.lines[1...3].map { $0.split(separator: " ")[0] } == ["0", "1", "2"])
    #expect(run.lines[1...3].count { $0.hasSuffix("kept") } == 1)
    #expect(
      run.lines[4] == "trained      435,328 weights in 2 steps on 2 windows of 8 tokens")
    #expect(run.lines[5] == "held at 0    368,640 weights of 28 layers")
    #expect(run.lines[6].hasPrefix("time         "))
    #expect(run.lines[7] == "written      \(out)")
    #expect(run.lines.count == 8)
    let check = try ToolRun("check", out)
    #expect(check.output == "passed: 28 weights are 2:4, 0 violate it, 1 is dense on purpose\n")
    for name in ["config.json", "generation_config.json", "tokenizer.json"] {
      #expect(try model.folder.read("out/\(name)") == model.folder.read("model/\(name)"))
    }
    #expect(try model.made() == ["model-2of4", "out", "tokens.safetensors"])
  }

  @Test func pruningAndTrainingAreOneCommand() throws {
    let run = try ToolRun(
      "prune", model.path, "--method", "asp", "--data", tokens, "--steps", "1", "--quiet",
      "--learning-rate", "1e-3", "-o", out)
    #expect(run.status == 65)
    #expect(
      run.errors.hasSuffix("3 windows, and one step takes 8 besides 1 set aside to measure on\n"),
      "\(run.errors)")
    #expect(!FileManager.default.fileExists(atPath: out))
    let many = try model.writeTokens((0..<96).map { Int32(7 * $0 % 512) }, samples: 12)
    let again = try ToolRun(
      "prune", model.path, "--method", "asp", "--data", many, "--steps", "1", "--quiet", "--json",
      "-o", out)
    #expect(again.status == 0, "\(again.errors)")
    let json = try again.json()
    #expect(json["method"] == "magnitude" && json["output"] == .string(out))
    #expect(json["training"]?["objective"] == "cross-entropy")
    #expect(json["training"]?.differences(from: Self.contract) == [])
    #expect(try ToolRun("check", out).status == 0)
    // Magnitude measures no errors: both names are there, and both are null.
    let layer = json["layers"]?.array?.first
    #expect(layer?["relativeError"]?.isNull == true)
    #expect(layer?["relativeErrorBeforeTraining"]?.isNull == true)
  }

  /// No number of the weights before their training stands where one of the output is expected.
  @Test(arguments: [false, true]) func whatIsShownIsTheTrainedModel(rounds: Bool) throws {
    let many = try model.writeTokens((0..<96).map { Int32(7 * $0 % 512) }, samples: 12)
    let words =
      ["prune", model.path, "--method", "wanda", "--reconstruct", "1", "--calibration", many]
      + ["--finetune", "--data", many, "--steps", "1", "--quiet"]
      + (rounds ? ["--quantize", "int8", "--effort", "fast"] : [])
    let page = model.folder["report.html"]
    let text = try ToolRun(words + ["--report", page, "-o", out])
    #expect(text.status == 0, "\(text.errors)")
    for heading in text.lines where heading.hasPrefix("Relative output error") {
      #expect(heading == "Relative output error, before training")
    }
    #expect(
      text.output.contains(
        "\nError of each block's outputs, before the training of the whole model\n"))
    #expect((text.lines.first == "Training, before the rounding to INT8") == rounds)
    #expect(
      text.lines.contains {
        $0.hasPrefix("rel² ") && $0.hasSuffix("squared relative output error, before training)")
      })
    let pruned = text.lines.first { $0.hasPrefix("pruned ") }
    #expect(pruned?.hasSuffix(", INT8") == rounds)
    let html = String(decoding: try model.folder.read("report.html"), as: UTF8.self)
    #expect(html.contains("Where the error was before training"))
    #expect(!html.contains("Where the error is"))

    let json = try ToolRun(words + ["--json", "-o", model.folder["json"]]).json()
    #expect(json["meanSquaredRelativeError"]?.isNull == true)
    #expect(json["meanSquaredRelativeErrorBeforeTraining"]?.double != nil)
    let layers = json["layers"]?.array ?? []
    #expect(layers.count == 28)
    let output = try Checkpoint(path: out)
    for layer in layers {
      #expect(layer["relativeError"]?.isNull == true)
      #expect(layer["relativeErrorBeforeTraining"]?.double != nil)
      let name = try #require(layer["name"]?.string)
      let values = try Matrix(output.weight(name)).values
      let zeros = values.count { $0 == 0 }
      #expect(layer["sparsity"]?.double == Double(zeros) / Double(values.count), "\(name)")
      #expect((layer["scales"]?.array?.count == 2) == rounds)
      // Of each group with two non-zeros, which they are: 1 and 2, 1 and 3, and so on.
      let patterns = stride(from: 0, to: values.count, by: 4).map { first in
        (0..<4).filter { values[first + $0] != 0 }
      }
      let counts = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]].map { places in
        patterns.count { $0 == places }
      }
      #expect(layer["patterns"]?.array?.compactMap(\.int).sorted() == counts.sorted(), "\(name)")
    }
  }

  /// The seed is that of the order of the windows, however weights are chosen.
  @Test func theSeedOfATrainingCounts() throws {
    let many = try model.writeTokens((0..<136).map { Int32(7 * $0 % 512) }, samples: 17)
    func train(_ words: String..., to name: String) throws -> ArraySlice<UInt8> {
      let run = try ToolRun(
        ["prune", model.path, "--method", "asp", "--data", many, "--steps", "1", "--quiet"]
          + ["--learning-rate", "1e-3", "-o", model.folder[name]] + words)
      #expect(run.status == 0, "\(run.errors)")
      // The header says the seed, the weights come after it.
      return try model.folder.read("\(name)/model.safetensors").suffix(800_000)
    }
    let first = try train(to: "first")
    #expect(try train("--seed", "0", to: "same") == first)
    #expect(try train("--seed", "1", to: "other") != first)
    func blocks(_ seed: String) throws -> ArraySlice<UInt8> {
      let run = try ToolRun(
        ["finetune", sparse, "--scope", "blocks", "--dense", model.path, "--data", many]
          + ["--epochs", "1", "--quiet", "--seed", seed, "-o", model.folder["blocks-\(seed)"]])
      #expect(run.status == 0, "\(run.errors)")
      return try model.folder.read("blocks-\(seed)/model.safetensors").suffix(800_000)
    }
    #expect(try blocks("0") != blocks("1"))
  }

  @Test func whatIsReadForTheRoundingCanBeChosen() throws {
    let many = try model.writeTokens((0..<96).map { Int32(7 * $0 % 512) }, samples: 12)
    let run = try ToolRun(
      "prune", model.path, "--method", "asp", "--data", many, "--steps", "1", "--quantize", "int8",
      "--samples", "2", "--length", "8", "--effort", "fast", "--quiet", "-o", out)
    #expect(run.status == 0, "\(run.errors)")
    #expect(try ToolRun("check", out).status == 0)
    let idle = try ToolRun(
      "prune", model.path, "--method", "asp", "--data", many, "--samples", "2", "-o", out + "2")
    #expect(idle.status == 64 && idle.errors.contains("'--samples' has no effect"))
  }

  @Test(arguments: [
    (["--memory", "2G"], "'--memory' has no effect: training holds the whole model in memory"),
    (
      ["--quantize", "int8", "--order", "prune-first"],
      "'--order' has no effect: weights are rounded on the masks that were trained"
    ),
  ])
  func whatTrainingTakesNoNoticeOfIsRefused(words: [String], error: String) throws {
    let run = try ToolRun(["prune", model.path, "--finetune", "-o", out] + words)
    #expect(run.status == 64)
    #expect(run.errors.contains(error), "\(run.errors)")
  }

  @Test(arguments: [["--finetune"], ["--method", "asp"], ["--reconstruct"]])
  func whatStaysDenseCannotBecomeInt8AfterTraining(words: [String]) throws {
    let run = try ToolRun(
      ["prune", model.path, "--keep-dense", "2", "--quantize", "int8", "-o", out] + words)
    #expect(run.status == 64)
    #expect(
      run.errors.contains(
        "'--keep-dense' cannot be given with '--quantize' after training: what stays dense"),
      "\(run.errors)")
  }

  @Test func aTextToMeasureOnIsSpared() throws {
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: false)
    try FileManager.default.copyItem(
      atPath: sparse + "/model.safetensors", toPath: out + "/model.safetensors")
    try FileManager.default.copyItem(
      atPath: TinyModel.text("heldout.txt"), toPath: out + "/heldout.txt")
    let run = try finetune(
      "--dense", model.path, "--data", tokens, "--text", out + "/heldout.txt", "--batch", "1",
      "--force")
    #expect(run.status == 64 || run.status == 65, "\(run.errors)")
    #expect(run.errors.contains(out), "\(run.errors)")
    #expect(FileManager.default.fileExists(atPath: out + "/heldout.txt"))
  }

  @Test(arguments: [
    ["--tensors", "0/2"], ["--blocks", "0:1"], ["--statistics", "x.safetensors"],
    ["--target-perplexity", "9", "--text", "x.txt"],
  ])
  func whatTakesOneRunIsNotGivenWithTraining(single: [String]) throws {
    let trained = try ToolRun(["prune", model.path, "--method", "asp", "-o", out] + single)
    #expect(trained.status == 64)
    #expect(
      trained.errors.hasPrefix(
        "Error: The option '\(single[0])' cannot be given with '--method asp', which trains"),
      "\(trained.errors)")
    let rounded = try ToolRun(
      ["prune", model.path, "--reconstruct", "--quantize", "int8", "-o", out] + single)
    #expect(rounded.status == 64)
    #expect(rounded.errors.contains("'\(single[0])'"), "\(rounded.errors)")
    #expect(try model.made() == ["model-2of4", "tokens.safetensors"])
  }

  @Test func trainedBlocksBecomeInt8() throws {
    let run = try ToolRun(
      "prune", model.path, "--method", "wanda", "--reconstruct", "1", "--quantize", "int8",
      "--calibration", tokens, "--json", "-o", out)
    #expect(run.status == 0, "\(run.errors)")
    let json = try run.json()
    #expect(json["blocks"]?.array?.count == 4)
    #expect(json["training"]?.isNull == true && json["sizes"]?.isNull == false)
    let check = try ToolRun("check", out)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
    let types = try ToolRun("inspect", out)
    #expect(types.output.contains("I8"), "\(types.output)")
    #expect(try model.made() == ["model-2of4", "out", "tokens.safetensors"])
  }

  @Test func trainingOptionsNeedTraining() throws {
    let run = try ToolRun("prune", model.path, "--epochs", "3")
    #expect(run.status == 64)
    #expect(run.errors.contains("nothing is trained without --finetune"), "\(run.errors)")
  }

  @Test(arguments: ["distill", "cross-entropy", "both"])
  func theObjectKeepsItsContract(objective: String) throws {
    let teacher = objective == "cross-entropy" ? [] : ["--dense", model.path]
    let run = try ToolRun(
      ["finetune", sparse, "--data", tokens, "--epochs", "1", "--batch", "2", "--json"]
        + ["--objective", objective, "--optimizer", "sgd", "--weight-decay", "0.1"]
        + ["--schedule", "cosine", "--warm-up", "1", "--held-out", "1"] + teacher)
    #expect(run.status == 0, "\(run.errors)")
    let json = try run.json()
    #expect(json.differences(from: Self.contract) == [])
    #expect(json["objective"]?.string == objective)
    #expect(json["output"]?.string == sparse + "-trained")
    #expect(json["training"]?["steps"]?.array?.count == 1)
    let loss = json["best"]?["loss"]
    #expect((loss?["divergence"]?.isNull == true) == teacher.isEmpty)
    #expect(json["trainedWeights"] == 435328 && json["prunedWeights"] == 368640)
  }

  @Test func blocksAreTrainedOneByOne() throws {
    let run = try finetune(
      "--scope", "blocks", "--dense", model.path, "--data", tokens, "--epochs", "1",
      "--learning-rate", "1e-3", "--memory", "2G", "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines[0].split(separator: " ") == ["block", "error", "before", "after"])
    for block in 0..<4 {
      let cells = run.lines[1 + block].split(separator: " ").compactMap { Double($0) }
      #expect(cells.count == 3 && cells[0] == Double(block))
      #expect(cells[2] <= cells[1] && cells[2] > 0)
    }
    #expect(run.lines[5].hasPrefix("trained      ") && run.lines[5].contains(" on 3 windows of 8"))
    #expect(try ToolRun("check", out).status == 0)
    let json = try ToolRun(
      ["finetune", sparse, "--scope", "blocks", "--dense", model.path, "--data", tokens]
        + ["--epochs", "1", "--json", "-o", model.folder["json"]])
    #expect(json.status == 0, "\(json.errors)")
    let object = try json.json()
    #expect(object["best"]?.isNull == true)
    let contract: JSON = [["block": "integer", "before": "number", "after": "number"]]
    #expect(object["blocks"]?.differences(from: contract) == [])
    #expect(object["blocks"]?.array?.count == 4)
  }

  /// No limit is the same as one that no gradient reaches.
  @Test func clippingCanBeSwitchedOff() throws {
    var outputs: [String: [UInt8]] = [:]
    for norm in ["0", "1e9", "1e-3"] {
      let run = try ToolRun(
        [
          "finetune", sparse, "-o", out, "--objective", "cross-entropy", "--data", tokens,
          "--steps",
          "2", "--batch", "2", "--clip", norm, "--force", "--quiet",
        ])
      #expect(run.status == 0, "\(run.errors)")
      outputs[norm] = try model.folder.read("out/model.safetensors")
    }
    #expect(outputs["0"] == outputs["1e9"])
    #expect(outputs["0"] != outputs["1e-3"])
  }

  @Test func theDenseModelWritesTheText() throws {
    let run = try finetune(
      "--dense", model.path, "--samples", "2", "--length", "6", "--steps", "1", "--batch", "1",
      "--text", TinyModel.text("heldout.txt"), "--windows", "1", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let json = try run.json()
    #expect(json["windows"] == 2 && json["length"] == 6)
    #expect(json["training"]?["evaluations"]?.array?.count == 2)
  }

  #if os(Linux)
    @Test func anInterruptedTrainingIsGoneOnWith() throws {
      let words =
        "--dense '\(model.path)' --data '\(tokens)' --steps 6 --batch 2 --evaluate-every 1"
      // A shell's children in the background ignore SIGINT, and what is ignored stays ignored.
      let cut = try ToolRun(
        script: """
          env --default-signal=INT "$sparsify" finetune "$1" -o "$2" \(words) --quiet &
          pid=$!
          while kill -0 $pid && ! [ -e "$2.partial/training/state.safetensors" ]; do sleep 0.01; done
          kill -INT $pid
          wait $pid
          echo "$?"
          """, sparse, out)
      #expect(cut.output == "130\n", "\(cut.errors)")
      #expect(cut.errors.contains("kept in \(out).partial: the same command with --resume goes on"))
      #expect(
        try model.made() == ["model-2of4", "out.partial", "tokens.safetensors"])
      func run(_ more: String...) throws -> ToolRun {
        try ToolRun(
          ["finetune", sparse, "-o", out, "--dense", model.path, "--data", tokens]
            + ["--batch", "2", "--evaluate-every", "1", "--quiet"] + more)
      }
      let again = try run("--steps", "6")
      #expect(again.status == 64)
      #expect(again.errors.contains("out.partial: an unfinished run has done "))
      let other = try run("--steps", "6", "--resume", "--learning-rate", "1e-3")
      #expect(other.status == 65)
      #expect(
        other.errors.contains("--learning-rate was 0.0001 and is now 0.001; --force begins anew"))
      let shorter = try run("--steps", "3", "--resume")
      #expect(shorter.status == 65)
      #expect(shorter.errors.contains("the length of the training was "))
      #expect(try run("--steps", "6", "--resume").status == 0)
      #expect(try model.made() == ["model-2of4", "out", "tokens.safetensors"])
      let resumed = try model.folder.read("out/model.safetensors")
      #expect(try run("--steps", "6", "--force").status == 0)
      #expect(try model.folder.read("out/model.safetensors") == resumed)
    }
  #endif

  @Test(arguments: [
    (["--scope", "blocks", "--objective", "distill"], "'--objective' has no effect"),
    (["--scope", "blocks", "--steps", "3"], "'--steps' has no effect"),
    (["--scope", "blocks", "--held-out", "1"], "'--held-out' has no effect"),
    (["--scope", "blocks", "--patience", "1"], "'--patience' has no effect"),
    (["--memory", "1G"], "'--memory' has no effect: --scope all holds the whole model in memory"),
    (
      ["--objective", "cross-entropy", "--dense", "x", "--data", "x.txt"],
      "'--dense' has no effect: --objective cross-entropy has no teacher"
    ),
    (["--held-out", "0", "--patience", "1"], "'--patience' has no effect"),
    (["--steps", "3", "--epochs", "2"], "Only one of '--epochs', '--steps' can be given"),
    (["--text", "x", "--held-out", "1"], "Only one of '--held-out', '--text' can be given"),
    (
      ["--data", "x.txt"],
      "Missing '--dense <model>': --objective distill learns from the dense model"
    ),
    (
      ["--scope", "blocks"], "Missing '--dense <model>': --scope blocks learns from what the dense"
    ),
    (["--windows", "1"], "'--text"), (["--objective", "loss"], "'loss'"),
    (["--learning-rate", "0"], "'0'"), (["--batch", "0"], "'0'"),
    (["--scope", "layers"], "'layers'"),
  ])
  func wrongUsageIsNamed(words: [String], error: String) throws {
    let run = try ToolRun(["finetune", model.path] + words)
    #expect(run.status == 64)
    #expect(run.errors.contains(error), "\(run.errors)")
  }

  @Test func whatCannotBeTrainedIsRefused() throws {
    func expect(_ words: [String], _ error: String, from input: String? = nil) throws {
      let run = try ToolRun(["finetune", input ?? sparse, "-o", out] + words)
      #expect(run.status == 65, "\(words)")
      #expect(run.output.isEmpty)
      #expect(run.errors == "Error: \(error)\n")
      #expect(try model.made() == ["model-2of4", "tokens.safetensors"])
    }
    try expect(
      ["--objective", "cross-entropy", "--data", tokens],
      "\(model.path): no weight inside a decoder block is 2:4, so there is no mask to hold: "
        + "'sparsify prune' makes one", from: model.path)
    try expect(
      ["--objective", "cross-entropy", "--data", tokens, "--batch", "3"],
      "\(tokens): 3 windows, and one step takes 3 besides 1 set aside to measure on")
    try expect(
      ["--dense", model.path, "--data", tokens, "--length", "1"],
      "windows of 1 token have nothing to predict: at least 2 are needed")
    try expect(
      ["--dense", "/nowhere", "--data", tokens], "/nowhere: no such file or folder")
    try FileManager.default.removeItem(atPath: sparse + "/tokenizer.json")
    try expect(
      ["--objective", "cross-entropy", "--data", TinyModel.text("heldout.txt")],
      "no tokenizer.json in \(sparse), which reading text needs; "
        + "--data FILE.safetensors takes token ids instead")
  }

  @Test func aTrainingThatDivergesSaysAtWhichStep() throws {
    let run = try finetune(
      "--objective", "cross-entropy", "--data", tokens, "--steps", "3", "--batch", "2",
      "--learning-rate", "1e6", "--quiet")
    #expect(run.status == 65)
    #expect(run.errors.hasPrefix("Error: the loss diverged to "))
    #expect(run.errors.contains(" at step ") && run.errors.contains("a lower learning rate"))
    #expect(try model.made() == ["model-2of4", "tokens.safetensors"])
    let small = try finetune(
      "--scope", "blocks", "--dense", model.path, "--data", tokens, "--memory", "1M")
    #expect(small.status == 64)
    #expect(small.errors.contains("for 'train a block'"))
  }
}
