import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Compressing whole checkpoints, and the way back.
@Suite struct EncodingRunTests {
  private let place: PrunedFolder

  init() throws { place = try PrunedFolder(EditedModel(.tiny)) }

  private func compress(
    _ input: String, to output: String, selection: WeightSelection = WeightSelection(),
    on compute: Compute = .automatic
  ) throws -> EncodingReport {
    try CompressRun(
      place.folder[input],
      EncodingOptions(selection: selection, output: place.folder[output])
    ).run(on: compute)
  }

  private func expand(_ input: String, to output: String) throws -> EncodingReport {
    try ExpandRun(place.folder[input], EncodingOptions(output: place.folder[output])).run()
  }

  private func config(_ folder: String) throws -> JSON {
    try JSON(parsing: ByteView(copying: place.folder.read("\(folder)/config.json")))
  }

  @Test(arguments: KernelSet.available)
  func aModelComesBackByteForByte(kernels: KernelSet) throws {
    try place.prune(.magnitude, to: "sparse")
    for threads in [1, 3] {
      let compute = Compute(kernels: kernels, threads: threads)
      let small = try compress("sparse", to: "small\(threads)", on: compute)
      #expect(small.weights.count == 28)
      _ = try expand("small\(threads)", to: "whole\(threads)")
      #expect(try place.bytes("whole\(threads)") == place.bytes("sparse"))
      #expect(try config("whole\(threads)") == config("sparse"))
      #expect(try place.bytes("small\(threads)") == place.bytes("small1"))
    }
  }

  @Test func aCompressedWeightIsThatOfTheLibrary() throws {
    try place.prune(.magnitude, to: "sparse")
    _ = try compress("sparse", to: "small")
    let (sparse, small) = (
      try Checkpoint(path: place.folder["sparse"]), try Checkpoint(path: place.folder["small"])
    )
    let name = "model.layers.2.mlp.down_proj.weight"
    let expected = try Compressed24(exactly: sparse.matrix(name))
    let found = try #require(try small.compressedWeight(name))
    #expect(found.values.array == expected.values.array)
    #expect(found.mask.array == expected.mask.array)
    #expect(small["model.layers.2.mlp.down_proj.shape"]?.shape == [2, 1])
    #expect(try small.integers("model.layers.2.mlp.down_proj.shape") == [128, 352])
    #expect(Matrix(try small.weight(name)) == Matrix(try sparse.matrix(name)))
    #expect(small[name] == nil && sparse.tensors.count + 2 * 28 == small.tensors.count)
  }

  @Test func theSizesAreExact() throws {
    try place.prune(.magnitude, to: "sparse")
    let report = try compress("sparse", to: "small")
    let weights = 737_280  // all in bfloat16, of 28 linear layers
    #expect(report.inputBytes - report.outputBytes == weights * 2 * 7 / 16 - 28 * 16)
  }

  @Test func int8WeightsKeepTheirScales() throws {
    try place.prune(.magnitude, to: "sparse")
    let int8 = QuantizeOptions(output: place.folder["int8"])
    _ = try QuantizeRun(place.folder["sparse"], int8).run()
    let report = try compress("int8", to: "small")
    #expect(report.inputBytes - report.outputBytes == 737_280 * 3 / 8 - 28 * 16)
    _ = try expand("small", to: "whole")
    #expect(try place.bytes("whole") == place.bytes("int8"))
    let quantization = try #require(try config("small")["quantization_config"])
    #expect(quantization["format"] == "int-quantized")
    #expect(quantization["sparsity_config"]?["format"] == "sparse-24-bitmask")
    #expect(try config("whole") == config("int8"))
  }

  @Test func everyReaderTakesTheCompressedForm() throws {
    try place.prune(.magnitude, to: "sparse")
    let int8 = QuantizeOptions(output: place.folder["int8"])
    _ = try QuantizeRun(place.folder["sparse"], int8).run()
    for name in ["sparse", "int8"] {
      _ = try compress(name, to: name + "-small")
      let (whole, small) = (
        try Checkpoint(path: place.folder[name]),
        try Checkpoint(path: place.folder[name + "-small"])
      )
      let windows = try ModelFixture.tiny.windows("heldout.txt", length: 32, count: 3)
      let expected = try LanguageModel(whole).perplexity(of: windows)
      #expect(try LanguageModel(small).perplexity(of: windows) == expected)
      let (wholeCheck, smallCheck) = (try whole.check(), try small.check())
      #expect(smallCheck.passed && smallCheck.count(.sparse) == wholeCheck.count(.sparse))
      #expect(smallCheck.count(.dense) == wholeCheck.count(.dense))
      let (found, wanted) = (try small.inspect().tensors, try whole.inspect().tensors)
      #expect(Set(found.map(\.name)) == Set(wanted.map(\.name)))
      for tensor in found {
        let other = try #require(wanted.first { $0.name == tensor.name })
        #expect(tensor.sparsity == other.sparsity && tensor.shape == other.shape)
        #expect(tensor.isCompressed == (tensor.name.hasSuffix("proj.weight")))
      }
    }
  }

  @Test func withoutAManifestTheWeightsThatAre24AreCompressed() throws {
    var model = try EditedModel(.tiny)
    let name = "model.layers.3.self_attn.q_proj.weight"
    let weight = Matrix(try ModelFixture.tiny.checkpoint().matrix(name))
    let pruned = try Mask24(keepingLargest: weight).applied(to: weight)
    model.put(name, [weight.rows, weight.columns], pruned.values)
    try model.write(to: place.folder, "foreign")
    let report = try compress("foreign", to: "small")
    #expect(report.weights == [name])
    let ignored = try config("small")["quantization_config"]?["sparsity_config"]?["ignore"]?.array
    #expect(ignored?.count == 28)
    #expect(ignored?.contains("model.layers.3.self_attn.q_proj") == false)
    #expect(try Checkpoint(path: place.folder["small"]).check().passed)
  }

  @Test func shardsAndTheirIndexFollow() throws {
    let path = try EditedModel(.tiny).writeShards(to: place.folder, "shards", count: 3)
    try place.prune(.magnitude, from: path, to: "sparse")
    _ = try compress("sparse", to: "small")
    let small = try Checkpoint(path: place.folder["small"])
    #expect(small.files.count == 3)
    #expect(try small.check().count(.sparse) == 28)
    _ = try expand("small", to: "whole")
    for shard in 1...3 {
      let file = "model-0000\(shard)-of-00003.safetensors"
      #expect(try place.bytes("whole", file) == place.bytes("sparse", file))
    }
  }

  @Test func globsChooseAndTheRestStaysWhole() throws {
    try place.prune(.magnitude, to: "sparse")
    let mlp = WeightSelection(only: ["*.mlp.*"])
    #expect(try compress("sparse", to: "small", selection: mlp).weights.count == 12)
    let more = try compress("small", to: "smaller")
    #expect(more.weights.count == 16)
    _ = try compress("sparse", to: "direct")
    #expect(try config("smaller") == config("direct"))
    _ = try expand("smaller", to: "whole")
    #expect(try place.bytes("whole") == place.bytes("sparse"))
  }

  @Test func aPromisedWeightThatIsNot24IsRefusedAndNothingIsLeft() throws {
    try place.prune(.magnitude, to: "sparse")
    let file = try SafetensorsFile(path: place.folder["sparse/model.safetensors"])
    let name = "model.layers.1.mlp.gate_proj.weight"
    let tensor = try #require(file[name])
    var bytes = try place.bytes("sparse")
    let start = file.place(of: tensor).lowerBound + 2 * (5 * 128 + 8)
    for value in 0..<3 { (bytes[start + 2 * value], bytes[start + 2 * value + 1]) = (0x80, 0x3F) }
    try place.folder.write(bytes, to: "sparse/model.safetensors")
    let error = #expect(throws: EncodingError.self) { try compress("sparse", to: "small") }
    guard case .weight(name, _, .notTwoOfFour(let first)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(first.row == 5 && first.group == 2 && first.nonZeros > 2)
    #expect(!FileSystem.isTaken(place.folder["small"]))
  }

  @Test func whatCannotBeDoneIsSaidAtOnce() throws {
    try place.prune(.magnitude, to: "sparse")
    _ = try compress("sparse", to: "small")
    let (dense, small) = (place.input, place.folder["small"])
    #expect(throws: EncodingError.nothingSparse(path: dense, weights: 28)) {
      try CompressRun(dense)
    }
    #expect(throws: EncodingError.compressedAlready(path: small)) { try CompressRun(small) }
    #expect(throws: EncodingError.nothingCompressed(path: dense)) { try ExpandRun(dense) }
    #expect(throws: CompressedWeightError.self) {
      try PruneRun(small, PruneOptions(method: .magnitude))
    }
    #expect(throws: CompressedWeightError.self) { try QuantizeRun(small) }
  }
}
