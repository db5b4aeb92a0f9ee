internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What cannot be trained, what is said of it, and that nothing is left of the attempt.
@Suite struct FinetuneErrorTests {
  private static let down = "model.layers.1.mlp.down_proj.weight"

  /// Tries to train and checks that it is refused in one line and that the folder holds nothing new afterwards.
  @discardableResult
  func expectRefusal<Failure: Error & Sendable>(
    _ error: Failure.Type, _ place: TrainingPlace, _ options: FinetuneOptions? = nil,
    from input: String = "sparse", says text: String? = nil, atOnce: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Failure? {
    let before = try place.folder.contents()
    let thrown = #expect(throws: error, sourceLocation: sourceLocation) {
      let run = try FinetuneRun(place.folder[input], options ?? place.options())
      #expect(!atOnce, "the run itself is begun", sourceLocation: sourceLocation)
      _ = try run.run()
    }
    #expect(try place.folder.contents() == before, sourceLocation: sourceLocation)
    let found = thrown.map { "\($0)" } ?? ""
    #expect(!found.contains("\n"), sourceLocation: sourceLocation)
    if let text { #expect(found == text, sourceLocation: sourceLocation) }
    return thrown
  }

  // MARK: The model

  @Test func aDenseModelHasNoMaskToHold() throws {
    let place = try TrainingPlace(prunes: false)
    for options in [place.options(), place.blockOptions()] {
      try expectRefusal(
        TrainingError.self, place, options, from: "model",
        says:
          "\(place.dense): no weight inside a decoder block is 2:4, so there is no mask to hold: "
          + "'sparsify prune' makes one")
    }
  }

  @Test func aPromiseThatIsNotKeptIsFoundBeforeTheWork() throws {
    let place = try TrainingPlace()
    // A third weight in the first group of a promised tensor.
    let checkpoint = try place.checkpoint("sparse")
    var bytes = try place.folder.read("sparse/model.safetensors")
    let info = try #require(checkpoint[Self.down]).info
    let start =
      bytes.count - (checkpoint.tensors.map(\.info.range.upperBound).max() ?? 0)
      + info.range.lowerBound
    for index in 0..<4 { (bytes[start + 2 * index], bytes[start + 2 * index + 1]) = (0, 0x3F) }
    try place.folder.write(bytes, to: "sparse/model.safetensors")
    let error = try expectRefusal(LayerError.self, place)
    #expect(error?.layer == Self.down)
    #expect(error?.reason == .notTwoOfFour(groups: 1))
    #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("\(place.sparse): tensor '\(Self.down)': "))
  }

  @Test func int8AndCompressedWeightsAreRefused() throws {
    let place = try TrainingPlace()
    _ = try PruneRun(
      place.dense,
      PruneOptions(
        method: .magnitude, quantization: QuantizationOptions(), output: place.folder["int8"])
    ).run()
    _ = try CompressRun(place.sparse, EncodingOptions(output: place.folder["small"])).run()
    for name in ["int8", "small"] {
      for options in [place.options(), place.blockOptions()] {
        let error = try expectRefusal(TrainingError.self, place, options, from: name)
        guard case .notFloatingPoint(let tensor, place.folder[name])? = error else {
          Issue.record("\(name): \(String(describing: error))")
          continue
        }
        #expect(
          "\(error.map { "\($0)" } ?? "")"
            == "\(place.folder[name]): tensor '\(tensor)' is INT8 or compressed, and only floating-point "
            + "weights can be trained; train first, then quantize or compress")
      }
    }
  }

  @Test(arguments: [Float.nan, .infinity]) func weightsThatAreNotFiniteAreNamed(value: Float) throws
  {
    for name in [Self.down, "model.norm.weight"] {
      let place = try TrainingPlace()
      var model = try EditedModel(TrainingPlace.qwen2)
      let sparse = try place.checkpoint("sparse")
      for tensor in sparse.tensors {
        model.put(tensor.name, tensor.dtype, tensor.shape, try sparse.bytes(of: tensor.name).array)
      }
      let kept = try Matrix(sparse.weight(Self.down)).values.firstIndex { $0 != 0 } ?? 0
      model.setBFloat16(name, at: name == Self.down ? kept : 3, to: value)
      model.metadata = try SafetensorsFile(path: place.folder["sparse/model.safetensors"]).metadata
      try model.write(to: place.folder, "broken")
      let error = try expectRefusal(
        LayerError.self, place, from: "broken", atOnce: name == Self.down)
      #expect(error?.layer == name)
      #expect(error?.reason == .nonFiniteWeights(count: 1))
    }
  }

  // MARK: The teacher

  @Test func objectivesThatLearnFromATeacherNeedOne() throws {
    let place = try TrainingPlace()
    for (options, name) in [
      (place.options(.distill), "distill"), (place.options(.both), "both"),
      (place.blockOptions(), "block reconstruction"),
    ] {
      var options = options
      options.dense = nil
      try expectRefusal(
        TrainingError.self, place, options,
        says: "the objective '\(name)' needs the dense model to learn from")
    }
  }

  /// Random models that differ from the student in one number.
  @Test(arguments: [
    ("vocab_size", 66, "a vocabulary of 64", "66"), ("hidden_size", 96, "a width of 48", "96"),
    ("num_hidden_layers", 1, "blocks: 2", "1"),
    ("num_attention_heads", 12, "attention heads: 6", "12"),
    ("num_key_value_heads", 6, "key and value heads: 2", "6"),
    ("head_dim", 16, "a head width of 8", "16"),
    ("intermediate_size", 44, "an MLP width of 40", "44"),
  ])
  func aTeacherOfAnotherShapeIsRefused(
    key: String, value: Int, ours: String, theirs: String
  ) throws {
    let place = try TrainingPlace()
    var shape = [
      "vocab_size": 64, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 6,
      "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 40,
    ]
    shape[key] = value
    if key == "num_attention_heads" { shape["head_dim"] = 4 }
    try Self.writeModel(shape, to: place.folder, "teacher")
    for options in [place.options(), place.blockOptions()] {
      var options = options
      options.dense = place.folder["teacher"]
      try expectRefusal(
        TrainingError.self, place, options,
        says: "\(place.sparse) has \(ours) and the dense model \(place.folder["teacher"]) \(theirs)"
      )
    }
  }

  /// A model of the fixture's kind in which every weight is 0, but of the shape asked for.
  private static func writeModel(
    _ shape: [String: Int], to folder: TemporaryFolder, _ name: String
  ) throws {
    var model = try EditedModel(TrainingPlace.qwen2)
    for (key, value) in shape { model.set(key, .integer(value)) }
    func size(_ key: String) -> Int { shape[key] ?? 0 }
    let (width, mlp) = (size("hidden_size"), size("intermediate_size"))
    let queries = size("num_attention_heads") * size("head_dim")
    let keys = size("num_key_value_heads") * size("head_dim")
    model.tensors = []
    func put(_ name: String, _ shape: [Int]) {
      model.put(name, .bf16, shape, [UInt8](repeating: 0, count: 2 * shape.reduce(1, *)))
    }
    put("model.embed_tokens.weight", [size("vocab_size"), width])
    put("model.norm.weight", [width])
    for block in 0..<size("num_hidden_layers") {
      let prefix = "model.layers.\(block)."
      for norm in ["input_layernorm", "post_attention_layernorm"] {
        put(prefix + norm + ".weight", [width])
      }
      for (name, outputs, inputs) in [
        ("self_attn.q_proj", queries, width), ("self_attn.k_proj", keys, width),
        ("self_attn.v_proj", keys, width), ("self_attn.o_proj", width, queries),
        ("mlp.gate_proj", mlp, width), ("mlp.up_proj", mlp, width), ("mlp.down_proj", width, mlp),
      ] {
        put(prefix + name + ".weight", [outputs, inputs])
        if ["q", "k", "v"].contains(where: { name == "self_attn.\($0)_proj" }) {
          put(prefix + name + ".bias", [outputs])
        }
      }
    }
    try model.write(to: folder, name)
  }

  // MARK: The output

  @Test func weightsThatOutgrowTheirTypeAreNotWritten() throws {
    let place = try TrainingPlace(as: .float16)
    for (rate, options) in [
      (1e39, place.options()), (1e5, place.options(.crossEntropy)),
    ] {
      var options = options
      options.heldOutWindows = 0
      options.training.length = .steps(1)
      options.training.learningRate = rate
      let error = try expectRefusal(LayerError.self, place, options, atOnce: false)
      guard case .overflow(let count)? = error?.reason else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(count > 0)
    }
  }

  @Test func whatIsThereIsNotReplacedUnasked() throws {
    let place = try TrainingPlace()
    try expectRefusal(
      CheckpointOutputError.self, place, place.options(to: "sparse"),
      says: "\(place.sparse): is the input, which is never overwritten")
    try expectRefusal(
      CheckpointOutputError.self, place, place.options(to: "model") { $0.force = true })
    try place.place.prune(.magnitude, to: "out")
    try expectRefusal(
      CheckpointOutputError.self, place,
      says: "\(place.folder["out"]): exists already; --force replaces it")
    try place.run(place.options { $0.force = true })
    #expect(try place.place.manifest("out/model.safetensors")["training"]?.isNull == false)
  }

  @Test func frozenTensorsHaveToBeThere() throws {
    let place = try TrainingPlace()
    try expectRefusal(SelectionError.self, place, place.options { $0.frozen = ["*nothing*"] })
    try expectRefusal(
      TrainingError.self, place, place.options { $0.frozen = ["*"] },
      says: "\(place.sparse): every tensor is frozen, and none would be trained")
    // Blocks have no embedding.
    try expectRefusal(SelectionError.self, place, place.blockOptions { $0.frozen = ["*embed*"] })
  }

  // MARK: Divergence

  @Test func aTrainingThatOnlyDivergesWritesNothing() throws {
    let place = try TrainingPlace()
    let error = try expectRefusal(
      TrainingError.self, place, place.options { $0.training.learningRate = 1e6 }, atOnce: false)
    guard case .diverged(let step, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect((1...6).contains(step))
    #expect("\(error.map { "\($0)" } ?? "")".contains(" at step \(step), "))
  }

  @Test func aTrainingThatDivergesLaterKeepsTheBest() throws {
    let place = try TrainingPlace(as: .float32)
    func options(_ steps: Int, _ rule: any OptimizerRule, to output: String) -> FinetuneOptions {
      place.options(to: output) {
        $0.training.length = .steps(steps)
        ($0.training.rule, $0.training.shape) = (rule, .constant)
      }
    }
    let report = try place.run(options(8, ClimbingRule(from: 4, factor: 1e5), to: "out"))
    guard case .diverged(let step, _)? = report.log.earlyStop else {
      Issue.record("\(String(describing: report.log.earlyStop))")
      return
    }
    #expect(step == 4 || step == 5)
    #expect(report.best?.step == 2)
    #expect(report.log.steps.count == step - 1)
    #expect(
      report.log.earlyStop?.description.hasPrefix("stopped at step \(step): the loss diverged to ")
        == true)
    try place.run(options(2, AdamW(weightDecay: 0), to: "two"))
    #expect(try place.tensors("out") == place.tensors("two"))
  }

  /// A teacher whose numbers are none: the tensor that holds them is named.
  @Test(arguments: ["model.norm.weight", "model.layers.1.mlp.up_proj.weight"], [false, true])
  func aTeacherThatIsNotFiniteIsNamed(tensor: String, blocks: Bool) throws {
    // Blocks end before the last norm.
    if blocks && tensor == "model.norm.weight" { return }
    let place = try TrainingPlace()
    var model = try EditedModel(TrainingPlace.qwen2)
    model.setBFloat16(tensor, at: 0, to: .nan)
    try model.write(to: place.folder, "teacher")
    var options = blocks ? place.blockOptions() : place.options()
    options.dense = place.folder["teacher"]
    if blocks {
      try expectRefusal(
        LayerError.self, place, options,
        says:
          "\(place.folder["teacher"]): tensor '\(tensor)': the weight holds 1 NaN or infinite values",
        atOnce: false)
    } else {
      let first = tensor == "model.norm.weight" ? "[0]" : "[0, 0]"
      try expectRefusal(
        PredictionError.self, place, options,
        says:
          "\(place.folder["teacher"]): tensor '\(tensor)' holds 1 NaN or infinite value, at \(first),"
          + " so the predictions at position 0 are NaN or infinite",
        atOnce: false)
    }
  }

  /// Blocks do not train the embedding, but read it.
  @Test func anEmbeddingThatIsNotFiniteIsNamedWhereBlocksAreTrained() throws {
    let place = try TrainingPlace { $0.setBFloat16("model.embed_tokens.weight", at: 0, to: .nan) }
    var model = try EditedModel(TrainingPlace.qwen2)
    model.setBFloat16("model.embed_tokens.weight", at: 1, to: 1)
    try model.write(to: place.folder, "teacher")
    let error = try expectRefusal(
      LayerError.self, place, place.blockOptions { $0.dense = place.folder["teacher"] },
      atOnce: false)
    #expect(error?.layer == "model.embed_tokens.weight" && error?.model == place.sparse)
  }

  @Test func aModelIsNoTeacherOfItself() throws {
    let place = try TrainingPlace()
    for options in [place.options(), place.blockOptions()] {
      var options = options
      options.dense = place.sparse
      try expectRefusal(
        TrainingError.self, place, options,
        says: "\(place.sparse): is its own teacher, and has nothing to learn from itself")
    }
  }
}
