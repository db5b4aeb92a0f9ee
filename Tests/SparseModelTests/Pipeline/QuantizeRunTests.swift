internal import SparseCore
internal import SparseModel
internal import TestSupport
internal import Testing

@Suite struct QuantizeRunTests {
  private let folder: TemporaryFolder
  private var output: String { folder["out"] }

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func quantize(
    _ path: String = ModelFixture.tiny.path, groupSize: Int? = nil,
    selection: WeightSelection = WeightSelection(), on compute: Compute = .automatic
  ) throws -> QuantizeReport {
    let options = QuantizeOptions(
      groupSize: groupSize, selection: selection, output: output, force: true)
    return try QuantizeRun(path, options).run(on: compute)
  }

  private func json(_ name: String) throws -> JSON {
    try JSON(parsing: ByteView(copying: folder.read(name)))
  }

  @Test(arguments: [nil, 32]) func everyWeightIsOnItsOwnGrid(groupSize: Int?) throws {
    let report = try quantize(groupSize: groupSize)
    let (input, output) = (try ModelFixture.tiny.checkpoint(), try Checkpoint(path: output))
    #expect(report.layers.count == 28)
    for layer in report.layers {
      let weight = Matrix(try input.matrix(layer.name))
      let grid = try Int8Grid(for: weight, groupSize: groupSize).withScales(roundedTo: .bfloat16)
      let stored = try output.weight(layer.name)
      #expect(stored.grid == grid)
      #expect(Matrix(stored) == grid.rounded(weight))
      #expect(layer.smallestScale == grid.scales.min())
      #expect(layer.largestScale == grid.scales.max())
      let error = grid.rounded(weight).minus(weight).sumOfSquares() / weight.sumOfSquares()
      #expect(abs(layer.weightError - error.squareRoot()) < 1e-6)
    }
    for tensor in input.tensors where !report.layers.map(\.name).contains(tensor.name) {
      #expect(try output.bytes(of: tensor.name).array == input.bytes(of: tensor.name).array)
    }
    #expect(output.tensors.count == input.tensors.count + 28)
  }

  @Test func configSaysWhatLoadersNeed() throws {
    try quantize(selection: WeightSelection(skip: ["*.1.mlp.up_proj.*"]))
    #expect(
      try json("out/config.json")["quantization_config"] == [
        "quant_method": "compressed-tensors", "format": "int-quantized",
        "quantization_status": "compressed", "ignore": ["lm_head", "model.layers.1.mlp.up_proj"],
        "config_groups": [
          "group_0": [
            "targets": ["Linear"],
            "weights": [
              "num_bits": 8, "type": "int", "symmetric": true, "strategy": "channel",
              "dynamic": false,
            ],
            "input_activations": [
              "num_bits": 8, "type": "int", "symmetric": true, "strategy": "token", "dynamic": true,
            ],
          ]
        ],
      ])
    #expect(try json("out/config.json")["hidden_size"] == 128)
    try quantize(groupSize: 16)
    let weights = try json("out/config.json")["quantization_config"]?["config_groups"]?["group_0"]?[
      "weights"]
    #expect(weights?["strategy"] == "group" && weights?["group_size"] == 16)
  }

  @Test(arguments: [nil, 32]) func theModelLosesNextToNothing(groupSize: Int?) throws {
    try quantize(groupSize: groupSize)
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 64, count: 4)
    let dense = try ModelFixture.tiny.decoder().perplexity(of: windows).perplexity
    let int8 = try LanguageModel(Checkpoint(path: output)).perplexity(of: windows).perplexity
    #expect(dense != int8 && abs(int8 / dense - 1) < 0.01)
  }

  @Test(arguments: [nil, 32]) func activationsInInt8CostALittleMore(groupSize: Int?) throws {
    try quantize(groupSize: groupSize, selection: WeightSelection(skip: ["*.0.*"]))
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 64, count: 4)
    let model = try LanguageModel(Checkpoint(path: output))
    let weights = try model.perplexity(of: windows).perplexity
    var seen: Set<Double> = []
    for threads in [1, 3] {
      let both = try model.perplexity(
        of: windows, activations: .int8, on: Compute(threads: threads))
      #expect(both.activations == .int8)
      seen.insert(both.perplexity)
    }
    #expect(seen.count == 1 && !seen.contains(weights))
    #expect(seen.allSatisfy { abs($0 / weights - 1) < 0.01 })
  }

  @Test func int8ActivationsNeedInt8Weights() throws {
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 8, count: 1)
    let model = try ModelFixture.tiny.decoder()
    #expect(throws: EvaluationError.noInt8Weights(model: ModelFixture.tiny.path)) {
      try model.perplexity(of: windows, activations: .int8)
    }
  }

  @Test func bytesDependOnNothingButTheInput() throws {
    var seen: Set<[UInt8]> = []
    for kernels in KernelSet.available {
      for threads in [1, 3] {
        try quantize(on: Compute(kernels: kernels, threads: threads))
        seen.insert(try folder.read("out/model.safetensors"))
      }
    }
    #expect(seen.count == 1)
  }

  @Test func shardsAndPromisesAreCarriedOn() throws {
    let path = try EditedModel(.tiny).writeShards(to: folder, "shards", count: 3)
    _ = try PruneRun(path, PruneOptions(method: .magnitude, output: folder["sparse"])).run()
    try quantize(folder["sparse"])
    let result = try Checkpoint(path: output)
    #expect(result.files.count == 3)
    let check = try result.check()
    #expect(check.passed && check.count(.sparse) == 28)
    let map = try json("out/model.safetensors.index.json")["weight_map"]?.object
    #expect(map?.count == result.tensors.count)
  }

  @Test func aFileBecomesAFileThatCanBeRead() throws {
    let path = try EditedModel(.tiny).write(to: folder) + "/model.safetensors"
    let report = try QuantizeRun(path).run()
    #expect(report.output == folder["model/model-int8.safetensors"])
    #expect(try Checkpoint(path: report.output).weight(report.layers[0].name).type == .int8)
  }

  @Test func whatCannotBeQuantizedIsSaid() throws {
    try quantize()
    let first = "model.layers.0.mlp.down_proj.weight"
    #expect(throws: Int8WeightError.alreadyInt8(tensor: first, path: output)) {
      try QuantizeRun(output, QuantizeOptions(output: folder["again"]))
    }
    let error = #expect(throws: LayerError.self) { try quantize(groupSize: 48) }
    #expect(error?.layer == first && error?.reason == .quantization(.groupSize(48, columns: 352)))
    #expect(throws: SelectionError.nothingLeft) {
      try quantize(selection: WeightSelection(skip: ["*"]))
    }

    var model = try EditedModel(.tiny)
    let bad = "model.layers.2.mlp.gate_proj.weight"
    model.setBFloat16(bad, at: 5, to: .nan)
    model.setBFloat16(bad, at: 500, to: -.infinity)
    let path = try model.write(to: folder)
    let before = try folder.contents()
    let nan = #expect(throws: LayerError.self) { try quantize(path) }
    #expect(nan?.layer == bad && nan?.reason == .quantization(.nonFiniteWeights(count: 2)))
    #expect(try folder.contents() == before)
  }

  @Test func smoothingTheInputsOfWhatStaysInt8IsRefused() throws {
    let stays = "model.layers.1.self_attn.v_proj.weight"
    try quantize(selection: WeightSelection(only: [stays]))
    func run(skip: [String]) throws -> PruneRun {
      let options = PruneOptions(
        method: .wanda, smoothing: 0.5, selection: WeightSelection(skip: skip),
        output: folder["smooth"])
      return try PruneRun(output, options)
    }
    #expect(throws: Int8WeightError.cannotFollow(tensor: stays, path: output)) {
      try run(skip: [stays])
    }
    // Nothing scales the inputs that it reads where those that share them are left out, too.
    let stage = ["q", "k", "v"].map { "model.layers.1.self_attn.\($0)_proj.weight" }
    #expect(try run(skip: stage).targets.count == 25)
  }

  @Test func pruningAnInt8CheckpointIsRefused() throws {
    try quantize()
    #expect(throws: Int8WeightError.self) {
      try PruneRun(output, PruneOptions(method: .magnitude, output: folder["sparse"]))
    }
  }
}
