import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// What a user is told about input that cannot be used, and that nothing is left of the attempt.
@Suite(.timeLimit(.minutes(20))) struct BadInputTests {
  /// Runs `prune` into `out` with few calibration tokens and expects one line of error, status 65 and no output.
  private func expectRefusal(
    _ model: TinyModel, _ error: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try expectRefusal(
      model, ["--samples", "2", "--length", "16"], error, sourceLocation: sourceLocation)
  }

  /// The same with options of the test's own.
  private func expectRefusal(
    _ model: TinyModel, _ words: [String], _ error: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try model.made()
    let run = try ToolRun(["prune", model.path, "-o", model.folder["out"]] + words)
    #expect(run.status == 65, sourceLocation: sourceLocation)
    #expect(run.output.isEmpty, sourceLocation: sourceLocation)
    #expect(run.errors == "Error: \(error)\n", sourceLocation: sourceLocation)
    #expect(try model.made() == before, sourceLocation: sourceLocation)
  }

  // MARK: Weights

  @Test(arguments: ["prune", "check", "inspect", "eval", "generate"])
  func aTruncatedFileIsRefusedByEveryCommand(command: String) throws {
    let model = try TinyModel()
    let bytes = try model.folder.read("model/model.safetensors")
    try model.folder.write(Array(bytes.prefix(1_000_000)), to: "model/model.safetensors")
    var words = [command, model.path]
    if command == "eval" { words += ["--text", TinyModel.text("heldout.txt")] }
    if command == "generate" { words += ["--prompt", "Ada"] }
    let run = try ToolRun(words)
    #expect(run.status == 65)
    #expect(run.output.isEmpty)
    #expect(
      run.errors == "Error: \(model.weights): the tensors take 1607936 bytes, "
        + "the file holds 995960 after its header\n")
    #expect(try model.made().isEmpty)
  }

  @Test(
    arguments: [
      ([], "not a safetensors file: 0 bytes, too few for a header's length"),
      (
        [255, 255, 255, 255, 255, 255, 255, 255, 0x7B, 0x7D],
        "not a safetensors file: a header of 18446744073709551615 bytes, the limit is 100000000"
      ),
    ] as [([UInt8], String)])
  func aFileThatIsNoCheckpointIsRefused(bytes: [UInt8], error: String) throws {
    let model = try TinyModel()
    try model.folder.write(bytes, to: "model/model.safetensors")
    try expectRefusal(model, "\(model.weights): \(error)")
  }

  @Test func aFolderWithoutWeightsIsRefused() throws {
    let model = try TinyModel()
    try FileManager.default.removeItem(atPath: model.weights)
    try expectRefusal(model, "\(model.path): no safetensors file in this folder")
  }

  @Test func aFileNameThatSteersTheTerminalIsSpelledOut() throws {
    let run = try ToolRun("check", "no\u{1b}[2Jsuch\nfile")
    #expect(run.status == 65)
    #expect(run.errors == "Error: no\\u{1b}[2Jsuch\\u{a}file: no such file or folder\n")
  }

  @Test(arguments: ["magnitude", "wanda"], [0x7F80, 0x7FC0] as [UInt16])  // infinity, NaN
  func aWeightThatIsNotFiniteIsNamed(method: String, bits: UInt16) throws {
    let model = try TinyModel()
    try model.set("model.layers.1.mlp.gate_proj.weight", at: 4321, toBits: bits)
    let run = try ToolRun(
      ["prune", model.path, "-o", model.folder["out"], "--method", method]
        + (method == "wanda" ? ["--samples", "2", "--length", "16"] : []))
    #expect(run.status == 65)
    #expect(
      run.errors.hasPrefix("Error: \(model.path): tensor 'model.layers.1.mlp.gate_proj.weight'"))
    #expect(run.errors.contains("1 "))
    #expect(try model.made().isEmpty)
  }

  @Test func activationsThatAreNotFiniteAreNamed() throws {
    let model = try TinyModel()
    try model.set("model.layers.2.input_layernorm.weight", at: 5, toBits: 0x7FC0)
    let ids = try model.writeTokens((0..<32).map { Int32($0 + 1) }, samples: 2)
    let run = try ToolRun(
      "prune", model.path, "-o", model.folder["out"], "--method", "wanda", "--calibration", ids)
    #expect(run.status == 65)
    #expect(
      run.errors.contains("the activations that reach stage 'qkv' of block 2 hold NaN or infinity"))
  }

  // MARK: Configuration and tokenizer

  @Test func aMissingConfigurationIsOnlyNeededByWhatRunsTheModel() throws {
    let model = try TinyModel()
    try FileManager.default.removeItem(atPath: model.path + "/config.json")
    try expectRefusal(
      model,
      "no config.json in \(model.path), which running the model needs; "
        + "--method magnitude does without")
    #expect(try ToolRun("prune", model.path, "--method", "magnitude").status == 0)
    #expect(try ToolRun("check", model.path + "-2of4").status == 0)
  }

  @Test func aMissingTokenizerIsOnlyNeededForText() throws {
    let model = try TinyModel()
    try FileManager.default.removeItem(atPath: model.path + "/tokenizer.json")
    try expectRefusal(
      model, ["--calibration", TinyModel.text("calibration.txt")],
      "no tokenizer.json in \(model.path), which reading text needs; "
        + "--calibration FILE.safetensors takes token ids instead")
    let run = try ToolRun("prune", model.path, "--samples", "2", "--length", "8")
    #expect(run.status == 0)
  }

  /// Each command names the way out that it has, and none that it has not.
  @Test(arguments: [
    (
      "eval", ["--text", TinyModel.text("heldout.txt")],
      "; --tokens FILE.safetensors takes token ids instead"
    ),
    ("generate", ["-p", "Ada"], ""),
  ])
  func whatIsMissingIsSaidWithTheCommandsOwnOptions(
    command: String, words: [String], advice: String
  ) throws {
    let model = try TinyModel()
    func expectError(_ error: String) throws {
      let run = try ToolRun([command, model.path] + words)
      #expect(run.status == 65)
      #expect(run.output.isEmpty)
      #expect(run.errors == "Error: \(error)\n")
    }
    let text = String(decoding: try model.folder.read("model/tokenizer.json"), as: UTF8.self)
    try model.folder.write(
      text.replacingOccurrences(of: #""type":"BPE""#, with: #""type":"Unigram""#)
        .replacingOccurrences(of: #""type": "BPE""#, with: #""type": "Unigram""#),
      to: "model/tokenizer.json")
    try expectError("\(model.path)/tokenizer.json: model Unigram is not supported" + advice)
    try FileManager.default.removeItem(atPath: model.path + "/tokenizer.json")
    try expectError("no tokenizer.json in \(model.path), which reading text needs" + advice)
    try model.folder.write(text, to: "model/tokenizer.json")
    try FileManager.default.removeItem(atPath: model.path + "/config.json")
    try expectError("no config.json in \(model.path), which running the model needs")
  }

  @Test(
    arguments: [
      (
        "hidden_size", 64,
        ": tensor 'model.embed_tokens.weight' is [512, 128], config.json implies [512, 64]"
      ),
      (
        "vocab_size", 100,
        ": tensor 'model.embed_tokens.weight' is [512, 128], config.json implies [100, 128]"
      ),
      (
        "num_hidden_layers", 2_000_000_000,
        ": tensor 'model.layers.4.input_layernorm.weight' of shape [128] is missing, config.json implies it"
      ),
      (
        "num_key_value_heads", 4,
        ": tensor 'model.layers.0.self_attn.k_proj.weight' is [64, 128], config.json implies [128, 128]"
      ),
      (
        "model_type", "mamba",
        "/config.json: the architecture 'mamba' is not supported (supported: llama, mistral, qwen2)"
      ),
      (
        "head_dim", 500_000_000,
        ": tensor 'model.layers.0.self_attn.q_proj.weight' is [128, 128], config.json implies [2000000000, 128]"
      ),
      ("rope_theta", 0, "/config.json: rope_theta is 0.0, not a usable number above 0"),
      ("hidden_size", "wide", "/config.json: hidden_size is not an integer"),
      ("model_type", nil, "/config.json: model_type is missing"),
    ] as [(String, JSON?, String)])
  func aConfigurationThatDisagreesIsRefused(key: String, value: JSON?, error: String) throws {
    let model = try TinyModel()
    try model.configure(key, value)
    try expectRefusal(model, model.path + error)
  }

  @Test(arguments: ["config.json", "tokenizer.json"])
  func jsonThatEndsTooEarlyIsNamed(file: String) throws {
    let model = try TinyModel()
    try model.folder.write("{\n", to: "model/" + file)
    try expectRefusal(
      model, ["--calibration", TinyModel.text("calibration.txt")],
      "\(model.path)/\(file): not JSON: the text ends too early at line 2 column 1")
  }

  @Test func aContextBeyondAllMemoryIsRefused() throws {
    let model = try TinyModel()
    try model.configure("max_position_embeddings", 2_000_000_000)
    let run = try ToolRun("generate", model.path, "-p", "Ada", "--tokens", "2000000000")
    #expect(run.status == 65)
    #expect(run.errors.hasPrefix("Error: the rotary embedding of "))
    #expect(run.errors.contains(" GiB of memory, the machine has "))
  }

  // MARK: Calibration

  @Test func tooLittleTextIsSaidWithBothNumbers() throws {
    let model = try TinyModel()
    let text = try model.folder.write("Ada has 3 apples.", to: "short.txt")
    try expectRefusal(
      model, ["--calibration", text],
      "\(text): 1 window of 256 needs 256 tokens, the text holds 7")
    try expectRefusal(
      model, ["--calibration", text, "--length", "4", "--samples", "3"],
      "\(text): 3 windows of 4 need 12 tokens, the text holds 7")
    let empty = try model.folder.write("", to: "empty.txt")
    try expectRefusal(
      model, ["--calibration", empty],
      "\(empty): 1 window of 256 needs 256 tokens, the text holds 0")
    let run = try ToolRun("eval", model.path, "--text", text)
    #expect(run.status == 65)
    #expect(run.errors == "Error: \(text): the text holds 7 tokens, one window needs 256\n")
  }

  @Test(arguments: [512, -1, 2_000_000_000] as [Int32])
  func tokensOutsideTheVocabularyAreNamed(id: Int32) throws {
    let model = try TinyModel()
    let tokens = try model.writeTokens([1, 2, 3, id], samples: 2)
    try expectRefusal(
      model, ["--calibration", tokens],
      "\(tokens): token id \(id) is outside the vocabulary of 512")
    #expect(try ToolRun("eval", model.path, "--tokens", tokens).status == 65)
  }

  @Test func filesWithoutTokensAreRefused() throws {
    let model = try TinyModel()
    try expectRefusal(
      model, ["--calibration", model.weights],
      "\(model.weights): there is no tensor 'tokens' of shape [samples, length]")
    try expectRefusal(
      model, ["--calibration", model.path + "/"], "\(model.path)/: is a folder, not a file")
    let tokens = try model.writeTokens([1, 2, 3, 4], samples: 2)
    try expectRefusal(
      model, ["--calibration", tokens, "--samples", "3"],
      "\(tokens): 3 sequences were asked for, the file holds 2")
    try expectRefusal(
      model, ["--calibration", tokens, "--length", "3"],
      "\(tokens): sequences of 3 tokens were asked for, the file's hold 2")
  }

  @Test func moreTokensThanTheMachineCouldHoldAreRefusedBeforeTheWork() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      "prune", model.path, "-o", model.folder["out"], "--samples", "2147483647")
    #expect(run.status == 65)
    #expect(
      run.errors.hasPrefix(
        "Error: calibration with 2147483647 sequences of 256 tokens would take 8192 GiB of memory"
      ))
    #expect(try model.made().isEmpty)
  }

  @Test func bytesThatAreNotUTF8AreNamedWithTheirPlace() throws {
    let model = try TinyModel()
    let bytes = Array(String(repeating: "abc \u{e9} ", count: 100).utf8)
    let text = try model.folder.write(bytes + [0xC3, 0x28] + bytes, to: "bytes.txt")
    let error = "\(text): not UTF-8: the byte 0xC3 at offset 700 belongs to no character"
    try expectRefusal(
      model, ["--calibration", text, "--samples", "2", "--length", "16"], error)
    let run = try ToolRun("eval", model.path, "--text", text)
    #expect(run.status == 65)
    #expect(run.errors == "Error: \(error)\n")
  }

  @Test func aStartTokenOutsideTheVocabularyMattersOnlyWhereItIsUsed() throws {
    let model = try TinyModel()
    try model.configure("bos_token_id", 512)
    let error =
      "\(model.path)/config.json: bos_token_id is 512, outside the vocabulary of 512 (vocab_size)"
    try expectRefusal(model, error)
    let run = try ToolRun("generate", model.path, "-p", "")
    #expect(run.status == 65)
    #expect(run.output.isEmpty)
    #expect(run.errors == "Error: \(error)\n")
    #expect(try ToolRun("generate", model.path, "-p", "Ada", "--tokens", "2").status == 0)
    let tokens = try model.writeTokens(Array(0..<32), samples: 2)
    #expect(try ToolRun("eval", model.path, "--tokens", tokens).status == 0)
  }

  // MARK: Globs and numbers

  @Test func globsThatMatchNothingAreNamed() throws {
    let model = try TinyModel()
    try expectRefusal(
      model, ["--only", "lm_head*"],
      "the glob 'lm_head*' matches no tensor of the 28 to choose from "
        + "('sparsify inspect' lists all)")
    try expectRefusal(
      model, ["--only", "*.0.*", "--skip", "*"], "--only and --skip leave no weight to work on")
    #expect(try ToolRun("inspect", model.path, "--skip", "zzz").status == 65)
    #expect(try ToolRun("check", model.path, "--only", "zzz").status == 65)
  }

  @Test(arguments: [
    "--threads 0", "--threads 1025", "--samples 0", "--length 0", "--length 2147483648",
    "--samples 9223372036854775807", "--seed -1", "--only [a", "--only ''", "--method wnada",
    "--output ''", "--calibration slef",
  ])
  func senselessValuesAreWrongUsage(option: String) throws {
    let model = try TinyModel()
    let run = try ToolRun(script: "\"$sparsify\" prune \"$1\" \(option)", model.path)
    #expect(run.status == 64)
    #expect(run.output.isEmpty)
    #expect(run.errors.hasPrefix("Error: The value '"))
    #expect(try model.made().isEmpty)
  }

  /// Magnitude reads no tokens, unless it is to measure errors on some.
  @Test(arguments: ["--samples 4", "--length 16", "--seed 1"])
  func optionsOfACalibrationThatThereIsNotAreWrongUsage(option: String) throws {
    let model = try TinyModel()
    let words =
      ["prune", model.path, "--method", "magnitude"] + option.split(separator: " ").map(String.init)
    let run = try ToolRun(words)
    #expect(run.status == 64)
    #expect(
      run.errors.hasPrefix(
        "Error: The option '\(words[4])' has no effect: --method magnitude reads no tokens without"
          + " --calibration\nHelp:  \(words[4]) <n>  "))
    #expect(try model.made().isEmpty)
    let tokens = try model.writeTokens(Array(0..<64), samples: 4)
    #expect(try ToolRun(words + ["--calibration", tokens]).status == 0)
  }

  @Test func aWindowMustFitTheContextAndHoldSomethingToPredict() throws {
    let model = try TinyModel()
    let text = TinyModel.text("heldout.txt")
    let long = try ToolRun("eval", model.path, "--text", text, "--length", "100000")
    #expect(long.status == 65)
    #expect(
      long.errors == "Error: 100000 tokens were asked for, the model's context holds 256\n")
    let short = try ToolRun("eval", model.path, "--text", text, "--length", "1")
    #expect(short.status == 65)
    #expect(short.errors.hasPrefix("Error: there is no token to predict in "))
    #expect(short.errors.hasSuffix(" windows of 1 token\n"))
  }

  @Test func aPromptBeyondTheContextPrintsNothing() throws {
    let model = try TinyModel()
    let prompt = String(repeating: "word ", count: 300)
    let run = try ToolRun("generate", model.path, "-p", prompt)
    #expect(run.status == 65)
    #expect(run.output.isEmpty)
    #expect(run.errors.contains(" tokens were asked for, the model's context holds 256\n"))
  }
}
