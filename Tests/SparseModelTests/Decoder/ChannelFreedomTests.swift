import SparseCore
import SparseModel
import TestSupport
import Testing

/// What an architecture says may be moved or scaled leaves the dense model what it was.
///
/// A permutation changes the order of the sums of o and down, a scale the rounding of every product, so
/// logits may differ as much as from another implementation: by ``ArchitectureTests/tolerance``.
@Suite struct ChannelFreedomTests {
  private static let fixtures = ModelFixture.architectures + [ModelFixture.tiny]

  /// Logits of 32 tokens before and after a change to every stage that allows it, in shares of the largest.
  private func change(
    of fixture: ModelFixture,
    _ edit: (inout EditedModel, Stage, any DecoderBlock, inout SplitMix64) throws -> Void
  ) throws -> Double {
    let dense = try fixture.decoder()
    let folder = try TemporaryFolder()
    var model = try EditedModel(fixture)
    var random = SplitMix64(seed: 17)
    for block in dense.blocks {
      for stage in type(of: block).stages { try edit(&model, stage, block, &random) }
    }
    let changed = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    let ids = (0..<32).map { _ in
      Int32.random(in: 0..<Int32(dense.configuration.vocabulary), using: &random)
    }
    let expected = try dense.logits(of: ids)
    return try changed.logits(of: ids).distance(to: expected) / expected.largest
  }

  /// Any order of each domain's channels.
  private func shuffled(
    _ domains: [ChannelDomain], columns: Int, using random: inout SplitMix64
  ) -> ChannelOrder {
    ChannelOrder(
      domains.map { (0..<$0.channels).shuffled(using: &random) }, of: domains, columns: columns,
      rows: domains.reduce(0) { $0 + $1.channels })
  }

  private func permutation(
    of fixture: ModelFixture, stage name: String? = nil, without part: EditedModel.Part? = nil
  ) throws -> Double {
    try change(of: fixture) { model, stage, block, random in
      guard let freedom = block.channelFreedom(of: stage), name ?? stage.name == stage.name else {
        return
      }
      let inputs = block.linear(stage.linears[0]).weight.columns
      let order = shuffled(freedom.domains, columns: inputs, using: &random)
      #expect(!order.columns.isIdentity)
      try model.permute(stage, of: block, by: order, without: part)
    }
  }

  @Test(arguments: fixtures)
  func permutedChannelsComputeTheSame(fixture: ModelFixture) throws {
    #expect(try permutation(of: fixture) <= ArchitectureTests.tolerance)
  }

  /// The test above would not hold if anything were left out.
  @Test(arguments: fixtures, ["o", "down"])
  func everyPartOfAPermutationMatters(fixture: ModelFixture, stage: String) throws {
    for part in EditedModel.Part.allCases {
      let configuration = try fixture.decoder().configuration
      let hasBias =
        stage == "o" ? configuration.hasQueryKeyValueBias : configuration.hasMLPBias
      guard part != .biases || hasBias else { continue }
      #expect(try permutation(of: fixture, stage: stage, without: part) > 0.01, "\(part)")
    }
  }

  /// Channels of values may not leave their head: every architecture here has two heads or one.
  @Test(arguments: fixtures)
  func theChannelsOfAHeadStayInIt(fixture: ModelFixture) throws {
    let model = try fixture.decoder()
    let (heads, width) = (model.configuration.heads, model.configuration.headWidth)
    for block in model.blocks {
      for stage in type(of: block).stages {
        let freedom = block.channelFreedom(of: stage)
        #expect((freedom != nil) == ["o", "down"].contains(stage.name))
        #expect((block.inputNorm(of: stage) != nil) == ["qkv", "gate-up"].contains(stage.name))
        guard let freedom, stage.name == "o" else { continue }
        let starts = freedom.domains.flatMap(\.columns).sorted()
        #expect(starts == (0..<heads).map { $0 * width })
        #expect(freedom.domains.map(\.row) == freedom.domains.indices.map { $0 * width })
        #expect(freedom.domains.allSatisfy { $0.channels == width })
      }
    }
  }

  /// Every column of o and of down and every row before it moves by an order that was searched for, and the
  /// error of Wanda's masks falls.
  @Test func ordersThatAreSearchedForKeepTheModelAndLowerTheError() throws {
    let fixture = ModelFixture.tiny
    let dense = try fixture.decoder()
    let windows = try fixture.windows("calibration.txt", length: 32, count: 8)
    var model = try EditedModel(fixture)
    var state = BlockState(
      hidden: try dense.embed(windows.ids, source: "test"), positions: .sequences(length: 32))
    for block in dense.blocks {
      for stage in type(of: block).stages {
        let input = block.input(of: stage, from: state, on: .automatic)
        if let freedom = block.channelFreedom(of: stage) {
          let layer = block.linear(stage.linears[0])
          try search(stage, block, freedom, layer, input, &model)
        }
        let outputs = block.outputs(of: stage, for: input) { linear($1, $0.weight) }
        block.finish(stage, outputs: outputs, state: &state, on: .automatic)
      }
    }
    let folder = try TemporaryFolder()
    let changed = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    let heldout = try fixture.windows("heldout.txt", length: 32, count: 4)
    let expected = try dense.perplexity(of: heldout)
    let perplexity = try changed.perplexity(of: heldout)
    #expect(abs(perplexity.perplexity - expected.perplexity) < 2e-5)
    #expect(
      try changed.logits(of: heldout.ids.prefix(32).map { $0 })
        != dense.logits(of: heldout.ids.prefix(32).map { $0 }))
  }

  private func search(
    _ stage: Stage, _ block: any DecoderBlock, _ freedom: ChannelFreedom, _ layer: LinearLayer,
    _ input: Matrix, _ model: inout EditedModel
  ) throws {
    var gram = Gram(inputs: input.columns)
    gram.add(input)
    let weight = Matrix(layer.weight)
    let order = try #require(
      ChannelOrder(readBy: [layer.weight], norms: gram.norms, domains: freedom.domains))
    #expect(order.gain > 0)
    try model.permute(stage, of: block, by: order, without: nil)

    let pruned = try Wanda().prune(weight, inputs: .norms(gram.norms), on: .automatic).weight
    let moved = weight.permuted(columns: order.columns)
    let better = try Wanda().prune(
      moved, inputs: .norms(gram.norms.permuted(by: order.columns)), on: .automatic)
    let back = better.weight.permuted(columns: order.columns.inverse)
    let error = gram.squaredOutput(of: back.minus(weight))
    #expect(error < gram.squaredOutput(of: pruned.minus(weight)), "\(layer.name)")
    let after = gram.rearranged(by: order.columns.order).squaredOutput(
      of: better.weight.minus(moved))
    #expect(abs(after / error - 1) < 1e-4)
  }

  @Test(arguments: fixtures)
  func smoothedNormsComputeTheSame(fixture: ModelFixture) throws {
    let difference = try change(of: fixture) { model, stage, block, random in
      guard block.inputNorm(of: stage) != nil else { return }
      try model.smooth(stage, of: block, by: someScales(fixture, &random))
    }
    #expect(difference <= ArchitectureTests.tolerance)
  }

  /// From 1/8 to 8, no powers of two.
  private func someScales(_ fixture: ModelFixture, _ random: inout SplitMix64) throws -> [Float] {
    let width = try ModelConfiguration(fixture.checkpoint()).width
    return (0..<width).map { _ in Float(Math.exponential(4.1 * random.uniform() - 2.05)) }
  }

  /// The test above would not hold if a layer were left out.
  @Test(arguments: fixtures)
  func everyLayerBehindASmoothedNormMatters(fixture: ModelFixture) throws {
    for missing in [
      "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj",
    ] {
      let difference = try change(of: fixture) { model, stage, block, random in
        guard block.inputNorm(of: stage) != nil else { return }
        try model.smooth(stage, of: block, by: someScales(fixture, &random)) {
          $1 == missing ? nil : $0.scales
        }
      }
      #expect(difference > 0.01, "\(missing)")
    }
  }

  /// Nor if the layers were multiplied by the scales that were asked for, where the norm had to round.
  @Test func theRoundingOfTheNormMatters() throws {
    let fixture = ModelFixture(name: "architectures/qwen2")
    let difference = try change(of: fixture) { model, stage, block, random in
      guard block.inputNorm(of: stage) != nil else { return }
      let scales = try someScales(fixture, &random)
      try model.smooth(stage, of: block, by: scales) { _, _ in scales }
    }
    #expect(difference > 10 * ArchitectureTests.tolerance)
  }
}
