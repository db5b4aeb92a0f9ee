import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

@Suite struct PlanTests {
  private static func gpu(_ name: String = "h100-sxm") throws -> GPU {
    try #require(GPU.named(name))
  }

  /// The tensors of a Llama, 16 bits each.
  private static func tensors(
    width: Int, mlp: Int, blocks: Int, keyWidth: Int, vocabulary: Int
  ) -> [TensorSpec] {
    func tensor(_ name: String, _ shape: [Int]) -> TensorSpec {
      TensorSpec(name: name + ".weight", dtype: .f16, shape: shape)
    }
    return (0..<blocks).flatMap { block in
      let name = "model.layers.\(block)."
      return [
        tensor(name + "self_attn.q_proj", [width, width]),
        tensor(name + "self_attn.k_proj", [keyWidth, width]),
        tensor(name + "self_attn.v_proj", [keyWidth, width]),
        tensor(name + "self_attn.o_proj", [width, width]),
        tensor(name + "mlp.gate_proj", [mlp, width]), tensor(name + "mlp.up_proj", [mlp, width]),
        tensor(name + "mlp.down_proj", [width, mlp]), tensor(name + "input_layernorm", [width]),
        tensor(name + "post_attention_layernorm", [width]),
      ]
    } + [
      tensor("model.embed_tokens", [vocabulary, width]), tensor("lm_head", [vocabulary, width]),
      tensor("model.norm", [width]),
    ]
  }

  /// A checkpoint of headers alone: its weights are a hole in the file, as large as it may be.
  private static func hollow(
    _ tensors: [TensorSpec], config: JSON, in folder: TemporaryFolder
  ) throws -> Checkpoint {
    try folder.write(config.text(), to: "config.json")
    let header = try SafetensorsHeader(layingOut: tensors, metadata: SafetensorsMetadata())
    let path = try folder.write(header.encoded(), to: "model.safetensors")
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.truncate(atOffset: UInt64(header.fileByteCount))
    try file.close()
    return try Checkpoint(path: folder.path)
  }

  private static let llama70B: JSON = [
    "model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672,
    "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
    "vocab_size": 32000, "max_position_embeddings": 4096,
  ]

  private static func llama70B(in folder: TemporaryFolder) throws -> Checkpoint {
    try hollow(
      tensors(width: 8192, mlp: 28672, blocks: 80, keyWidth: 1024, vocabulary: 32000),
      config: llama70B, in: folder)
  }

  /// A Llama of 2 blocks with a config.json of the test's own.
  private static func small(
    _ changes: [String: JSON] = [:], width: Int = 64, in folder: TemporaryFolder
  ) throws -> Checkpoint {
    var config: [String: JSON] = [
      "model_type": "llama", "hidden_size": .integer(width), "intermediate_size": 160,
      "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
      "vocab_size": 100, "max_position_embeddings": 4096,
    ]
    config.merge(changes) { $1 }
    return try hollow(
      tensors(width: width, mlp: 160, blocks: 2, keyWidth: width / 2, vocabulary: 100),
      config: .object(
        config.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: $0.value) }),
      in: folder)
  }

  @Test func llama70BTakes138GigabytesDenseAnd44InSparseINT8() throws {
    let folder = try TemporaryFolder()
    let plan = try Self.llama70B(in: folder).plan(
      PlanRequest(gpu: Self.gpu(), form: .sparseInt8, batches: [1, 16], context: 4096))
    let memory = plan.memory
    #expect(memory.linearWeights == 80 * 855_638_016)
    #expect(memory.otherBytes == 2 * (2 * 32000 * 8192 + 161 * 8192))
    #expect(memory.weights[.denseHalf] == 137_953_296_384)
    // 5/8 of a byte a weight, a scale for each of the 83968 outputs of a block, and the rest as it is.
    #expect(
      memory.weights[.sparseInt8]
        == 80 * (855_638_016 / 8 * 5 + 4 * 83_968) + memory.otherBytes)
    #expect(abs(Double(memory.weights[.sparseInt8] ?? 0) / 44e9 - 1) < 0.01)
    #expect(memory.cache.bytesPerToken == 327_680)
    let budget = memory.budget(.denseHalf, batch: 16)
    #expect(budget.cache == 16 * 4096 * 327_680)
    #expect(budget.gpus(of: try Self.gpu()) == 3)
    #expect(memory.budget(.sparseInt8, batch: 16).gpus(of: try Self.gpu()) == 1)
  }

  @Test func llama70BIsFasterSparseInEveryPass() throws {
    let folder = try TemporaryFolder()
    let plan = try Self.llama70B(in: folder).plan(
      PlanRequest(gpu: Self.gpu(), form: .sparseInt8, batches: [1, 16]))
    #expect(plan.passes.map(\.phase) == [.decode, .decode, .prefill, .prefill])
    #expect(plan.passes.map(\.rows) == [1, 16, 2048, 8192])
    #expect(plan.passes.allSatisfy { $0.speedup(.sparseInt8) > 1.5 })
    #expect(plan.layers.count == 560 * 4)
    #expect(plan.verdict.name == "prune")
    #expect(
      !plan.advice.contains {
        if case .smallModel = $0 { true } else { false }
      })
  }

  @Test func aPassIsTheSumOfItsLinearsAndTheRest() throws {
    let folder = try TemporaryFolder()
    let plan = try Self.small(in: folder).plan(
      PlanRequest(gpu: Self.gpu("l4"), form: .sparseHalf, batches: [3]))
    let pass = plan.passes[0]
    let layers = plan.layers.filter { $0.rows == 3 }
    #expect(layers.count == 14)
    #expect(
      abs(layers.reduce(pass.rest) { $0 + $1.dense.seconds } - pass.seconds(.denseHalf)) < 1e-15)
    #expect(
      abs(layers.reduce(pass.rest) { $0 + $1.sparse.seconds } - pass.seconds(.sparseHalf)) < 1e-15)
    // The cache of 3 sequences and one product with the output projection.
    let cache = 3.0 * 2048 * Double(plan.memory.cache.bytesPerToken) / (300e9 * 0.6)
    let logits = Roofline(gpu: try Self.gpu("l4")).time(
      .denseHalf, rows: 3, outputs: 100, inputs: 64)
    #expect(abs(pass.rest / (cache + logits.seconds) - 1) < 1e-12)
  }

  @Test func aSmallModelAndItsConsumersAreWarnedOf() throws {
    let folder = try TemporaryFolder()
    let plan = try Self.small(in: folder).plan(
      PlanRequest(gpu: Self.gpu(), form: .sparseInt8, batches: [1]))
    #expect(plan.advice.contains(.smallModel(weights: plan.memory.linearWeights)))
    #expect(plan.advice.last == .consumers)
    #expect(plan.verdict.name != "prune")
    // Keys and values are 32 wide, and 64 inputs are no multiple of 128.
    #expect(
      plan.advice.contains {
        if case .notPyTorch(let count, 14, _) = $0 { count == 14 } else { false }
      })
  }

  @Test func linearsOfOddShapesAreNamed() throws {
    let folder = try TemporaryFolder()
    let plan = try Self.small(["head_dim": 10], width: 40, in: folder).plan(
      PlanRequest(gpu: Self.gpu(), form: .sparseInt8, batches: [1]))
    #expect(
      plan.advice.contains(
        .shapes(count: 14, of: 14, first: "model.layers.0.mlp.down_proj.weight")))
    #expect(plan.layers.allSatisfy { $0.obstacle != nil })
  }

  /// A plan of `small` at 1 row, its linears of `seconds` each by form, in a form asked for.
  private static func plan(
    _ form: LinearForm, half: Double, int8: Double, sparseHalf: Double, sparseInt8: Double
  ) throws -> ModelPlan {
    let folder = try TemporaryFolder()
    let seconds: [LinearForm: Double] = [
      .denseHalf: half, .denseInt8: int8, .sparseHalf: sparseHalf, .sparseInt8: sparseInt8,
    ]
    let shapes = [(64, 64), (32, 64), (160, 64), (64, 160)]
    let measured = try MeasuredTimes(
      gpu: "NVIDIA H100",
      entries: shapes.flatMap { outputs, inputs in
        seconds.map {
          .init(form: $0.key, rows: 1, outputs: outputs, inputs: inputs, seconds: $0.value)
        }
      })
    return try small(in: folder).plan(
      PlanRequest(gpu: gpu(), form: form, batches: [1], context: 1, measured: measured))
  }

  // Attention and output projection take microseconds, the 14 linears seconds: the ratios are those of the linears.
  @Test(
    arguments: [
      // 2:4 halves the time of fp16, and dense INT8 does better: 2:4 must not be recommended.
      (.sparseHalf, [8, 3, 4, 3], "quantize", ["quantize", "m"]),
      (.sparseInt8, [8, 3, 4, 3], "quantize", ["quantize", "m"]),
      // 2:4 INT8 beats dense INT8 and not dense fp16.
      (.sparseInt8, [2, 4, 3, 3], "keep-dense", ["inspect", "m"]),
      // 2:4 fp16 beats both.
      (.sparseHalf, [8, 6, 4, 4], "prune", ["prune", "m"]),
      // 2:4 fp16 does not, 2:4 INT8 does.
      (.sparseHalf, [8, 4, 4, 2], "prune", ["prune", "m", "--quantize", "int8"]),
    ] as [(LinearForm, [Double], String, [String])])
  func theVerdictIsOverTheBestDenseForm(
    form: LinearForm, seconds: [Double], verdict: String, next: [String]
  ) throws {
    let plan = try Self.plan(
      form, half: seconds[0], int8: seconds[1], sparseHalf: seconds[2], sparseInt8: seconds[3])
    #expect(plan.verdict.name == verdict && plan.nextWords(for: "m") == ["sparsify"] + next)
    let pass = plan.passes[0]
    let best: LinearForm = seconds[1] < seconds[0] ? .denseInt8 : .denseHalf
    let gain = min(seconds[0], seconds[1]) / seconds[form == .sparseInt8 ? 3 : 2]
    #expect(pass.bestDense == best && abs(pass.gain(form) / gain - 1) < 1e-4)
    #expect(
      plan.layers.allSatisfy { ($0.obstacle == nil) == (gain > 1.05) && $0.bestDense == best })
    let json = try #require(plan.json["passes"]?.array?.first)
    #expect(json["bestDense"]?.string == best.rawValue)
    let page = try Markup(plan.page(ReportOrigin(command: [], model: "m", kernels: "c")).text)
    #expect(page.text.contains("\(form.rawValue) over \(best.rawValue) in decode"))
  }

  // q, k, v, o of 64 × 64 and 32 × 64, and three of 160 × 64: 86016 weights in 2 blocks. Otherwise 2 tables of
  // 100 × 64, 5 norms of 64, and for Qwen2 biases of 64 + 32 + 32 in each block, 2 bytes each.
  @Test(
    arguments: [
      (["model_type": "llama"], 26240), (["model_type": "mistral"], 26240),
      (["model_type": "qwen2"], 26752),
      (["tie_word_embeddings": true, "torch_dtype": "float16"], 13440),
      (["dtype": "float32"], 52480),
    ] as [([String: JSON], Int)])
  func configurationAloneGivesShapesAndNames(changes: [String: JSON], others: Int) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.small(changes, in: folder)
    let alone = try TemporaryFolder()
    let path = try alone.write(folder.read("config.json"), to: "config.json")
    let request = try PlanRequest(gpu: Self.gpu("l4"), form: .sparseInt8, batches: [1, 4])
    let dense = try checkpoint.plan(request)
    for source in [path, alone.path] {
      let plan = try PlanSource(path: source).plan(request)
      #expect(plan.memory.linearWeights == 86016 && plan.memory.otherBytes == others)
      #expect(Set(plan.layers.map(\.name)) == Set(dense.layers.map(\.name)))
      #expect(plan.layers.map(\.sparse) == dense.layers.map(\.sparse))
      #expect(plan.memory.cache.bytesPerToken == dense.memory.cache.bytesPerToken)
      #expect(!plan.hasWeights && dense.hasWeights)
      #expect(plan.nextWords(for: source).contains(alone.path))
    }
    // An index whose files are not there does not count as weights.
    let index = try alone.write(
      #"{"weight_map": {"a": "model-1.safetensors"}}"#, to: "model.safetensors.index.json")
    for source in [index, alone.path] {
      #expect(try !PlanSource(path: source).plan(request).hasWeights)
    }
    // Beside weights the folder stands for them.
    #expect(try PlanSource(path: folder.path).hasWeights)
  }

  @Test(
    arguments: [
      (["hidden_size": 2_147_483_640], "describes a model of"),
      (["num_hidden_layers": 2_147_483_647], "describes a model of"),
      (["vocab_size": 2_147_483_647, "hidden_size": 1_048_576], "describes a model of"),
      (["model_type": "gemma"], "the architecture 'gemma' is not supported"),
    ] as [([String: JSON], String)])
  func aConfigurationBeyondReasonIsRefused(changes: [String: JSON], reason: String) throws {
    let folder = try TemporaryFolder()
    _ = try Self.small(changes, in: folder)
    let error = #expect(throws: (any Error).self) {
      try PlanSource(path: folder["config.json"])
    }
    #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
  }

  @Test func aSensitivityOfAnotherModelIsRefusedWithoutWeights() throws {
    let folder = try TemporaryFolder()
    _ = try Self.small(in: folder)
    let name = "model.layers.0.self_attn.q_proj.weight"
    let part: JSON = [
      "name": .string(name), "block": 0, "layers": [.string(name)], "weights": 4095,
      "relativeError": 0.1, "blockError": 0.1, "divergence": 0.02, "lossIncrease": 0.05,
    ]
    let json: JSON = ["schema": 1, "method": "wanda", "dense": ["nll": 3.0], "parts": [part]]
    let path = try folder.write(json.text(), to: "sensitivity.json")
    let source = try PlanSource(path: folder["config.json"])
    let error = SensitivityError.otherSize(
      name: name, source: path, found: 4095, model: folder["config.json"], expected: 4096)
    #expect(throws: error) {
      try source.plan(
        PlanRequest(
          gpu: Self.gpu(), form: .sparseInt8, batches: [1],
          sensitivity: SensitivityRanking(contentsOf: path)))
    }
  }

  @Test func withoutSparseTensorCoresTheVerdictIsNotToPrune() throws {
    let folder = try TemporaryFolder()
    let gpu = try GPU(specification: "fp16=65,int8=130,bandwidth=320,memory=16,sparse=no,name=t4")
    let plan = try Self.llama70B(in: folder).plan(
      PlanRequest(gpu: gpu, form: .sparseInt8, batches: [1]))
    #expect(plan.advice.first == .noSparseTensorCores(gpu: "t4"))
    #expect(plan.verdict.name == "quantize")
  }

  @Test func longContextsAreSaidToBeAttention() throws {
    let folder = try TemporaryFolder()
    let config: [String: JSON] = ["max_position_embeddings": 1_000_000]
    let plan = try Self.small(config, in: folder).plan(
      PlanRequest(gpu: Self.gpu(), form: .sparseHalf, batches: [64], context: 1_000_000))
    #expect(
      plan.advice.contains {
        if case .rest(_, 64, 1_000_000, let share) = $0 { share > 0.9 } else { false }
      })
  }

  @Test func aContextBeyondTheModelsIsRefused() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.small(in: folder)
    #expect(throws: ModelError.contextTooLong(asked: 4097, context: 4096)) {
      try checkpoint.plan(
        PlanRequest(gpu: Self.gpu(), form: .sparseHalf, batches: [1], context: 4097))
    }
  }

  @Test(
    arguments: [
      (["num_key_value_heads": 4], "the key heads of config.json are 64 wide in all"),
      (["head_dim": 2_147_483_646], "the key heads of config.json are 4294967292 wide in all"),
      (["num_hidden_layers": 2_147_483_647], "config.json counts 2147483647 blocks"),
      (["model_type": .null], "model_type is missing"),
    ] as [([String: JSON], String)])
  func aConfigurationThatTheWeightsDoNotBearOutIsRefused(
    changes: [String: JSON], reason: String
  ) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.small(changes, in: folder)
    let error = #expect(throws: (any Error).self) {
      try checkpoint.plan(PlanRequest(gpu: Self.gpu(), form: .sparseHalf, batches: [1]))
    }
    #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
  }

  @Test func aVocabularyThatIsClaimedOnlyDoesNotOverflow() throws {
    let folder = try TemporaryFolder()
    let plan = try Self.small(["vocab_size": 2_147_483_647], in: folder).plan(
      PlanRequest(gpu: Self.gpu(), form: .sparseHalf, batches: [1 << 20]))
    #expect(plan.passes.allSatisfy { $0.seconds(.sparseHalf).isFinite })
  }

  /// Times of the shapes of `small`, all 10 µs at 1 row but one, which takes 10 times as long.
  private static func measured(
    _ shapes: [(Int, Int)], forms: [LinearForm] = LinearForm.allCases
  ) throws -> MeasuredTimes {
    try MeasuredTimes(
      gpu: "NVIDIA H100",
      entries: shapes.flatMap { outputs, inputs in
        forms.map { form in
          let isSlow = form == .sparseHalf && outputs == 160
          return .init(
            form: form, rows: 1, outputs: outputs, inputs: inputs, seconds: isSlow ? 1e-4 : 1e-5)
        }
      }, path: "h100.json")
  }

  @Test func measuredTimesTakeThePlaceOfTheModels() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.small(in: folder)
    let request = try PlanRequest(
      gpu: Self.gpu(), form: .sparseHalf, batches: [1, 3],
      measured: Self.measured([(64, 64), (32, 64), (160, 64), (64, 160)]))
    let plan = try checkpoint.plan(request)
    for layer in plan.layers {
      // One row was measured: three take three times as long.
      let scale = Double(layer.rows)
      #expect(layer.isMeasured)
      #expect(abs(layer.dense.seconds / (scale * 1e-5) - 1) < 1e-12)
      #expect(
        abs(layer.sparse.seconds / (scale * (layer.outputs == 160 ? 1e-4 : 1e-5)) - 1) < 1e-12)
      #expect(layer.obstacle == .efficiency(rows: layer.rows))
    }
    // 14 linears, 4 of them 160 wide.
    let pass = plan.passes[0]
    #expect(abs((pass.linears[.sparseHalf] ?? 0) / (10e-5 + 4e-4) - 1) < 1e-12)
    #expect(abs((pass.linears[.sparseInt8] ?? 0) / 14e-5 - 1) < 1e-12)
    #expect(plan.measurement?.linears == 14 && plan.measurement?.gaps == [])
    #expect(
      plan.measurement?.summary
        == "14 of 14 linears in dense fp16 and 2:4 fp16, on NVIDIA H100 (h100.json)")
    #expect(
      plan.measurement?.rule
        == "at 1 to 1 row: between those measured times are interpolated, below they stay, above they grow with the rows"
    )
    #expect(
      !plan.advice.contains {
        if case .partlyMeasured = $0 { true } else { false }
      })
    // The rest of a pass, the memory and what the products wait for stay the model's.
    var modelled = request
    modelled.measured = nil
    let model = try checkpoint.plan(modelled)
    #expect(model.measurement == nil && model.layers.allSatisfy { !$0.isMeasured })
    #expect(plan.passes.map(\.rest) == model.passes.map(\.rest))
    #expect(plan.layers.map(\.sparse.bound) == model.layers.map(\.sparse.bound))
    #expect(plan.memory.weights == model.memory.weights)
  }

  @Test func whatWasNotMeasuredIsTheModels() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.small(in: folder)
    var request = try PlanRequest(
      gpu: Self.gpu(), form: .sparseInt8, batches: [1],
      measured: MeasuredTimes(
        gpu: "NVIDIA H100",
        entries: Self.measured([(160, 64)]).entries
          + Self.measured([(64, 160)], forms: [.denseHalf]).entries))
    let plan = try checkpoint.plan(request)
    request.measured = nil
    let model = try checkpoint.plan(request)
    for (layer, modelled) in zip(plan.layers, model.layers) {
      #expect(layer.isMeasured == (layer.outputs == 160))
      #expect(layer.dense.isMeasured == (layer.outputs == 160 || layer.inputs == 160))
      if !layer.sparse.isMeasured { #expect(layer.sparse == modelled.sparse) }
      if !layer.dense.isMeasured { #expect(layer.dense == modelled.dense) }
    }
    let measurement = try #require(plan.measurement)
    #expect(measurement.linears == 4 && measurement.all == 14 && measurement.path == nil)
    #expect(
      measurement.linearsOfForm == [.denseHalf: 6, .denseInt8: 4, .sparseHalf: 4, .sparseInt8: 4])
    #expect(
      measurement.gapLines == [
        "2 × down_proj of 64 × 160: dense INT8, 2:4 fp16, 2:4 INT8",
        "4 × k_proj, v_proj of 32 × 64: all forms", "4 × o_proj, q_proj of 64 × 64: all forms",
      ])
    #expect(plan.advice.contains(.partlyMeasured(count: 2, of: 14)))
    let json = plan.json
    #expect(json["measured"]?["rows"] == [1, 1])
    #expect(json["measured"]?["gpu"] == "NVIDIA H100" && json["measured"]?["file"]?.isNull == true)
    #expect(json["measured"]?["linears"] == 4 && json["measured"]?["of"] == 14)
    #expect(json["measured"]?["forms"]?.array?[0] == ["form": "dense fp16", "linears": 6])
    #expect(json["layers"]?.array?.count { $0["measured"] == true } == 8)
    #expect(model.json["measured"]?.isNull == true)
  }

  @Test func aMeasuredLossTakesThePlaceOfThoseOfOtherModels() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.small(in: folder)
    let names = try checkpoint.check().tensors.map(\.name).filter { $0.contains("_proj") }
    func plan(_ names: [String]) throws -> String {
      let parts: [JSON] = names.map {
        [
          "name": .string($0), "block": 0, "layers": [.string($0)],
          "weights": .integer(checkpoint[$0]?.shape.reduce(1, *) ?? 0),
          "relativeError": 0.1, "blockError": 0.1, "divergence": 0.02, "lossIncrease": 0.05,
        ]
      }
      let json: JSON = [
        "schema": 1, "method": "wanda", "dense": ["nll": 3.0], "parts": .array(parts),
      ]
      let path = try folder.write(json.text(), to: "sensitivity.json")
      let plan = try checkpoint.plan(
        PlanRequest(
          gpu: Self.gpu(), form: .sparseInt8, batches: [1],
          sensitivity: SensitivityRanking(contentsOf: path)))
      return plan.advice.map(\.description).joined(separator: "\n")
    }
    let advice = try plan(names)
    #expect(names.count == 14)
    #expect(
      advice.contains(
        "(wanda) raise the loss by 0.70 nats a token in sum, from a perplexity of 20.1 to 40.4"))
    #expect(!advice.contains("SmolLM2"))
    #expect(throws: SensitivityError.self) { try plan(Array(names.dropLast())) }
  }
}
