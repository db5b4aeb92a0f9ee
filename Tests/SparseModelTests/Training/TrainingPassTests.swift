import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What the gradients of a whole model do not depend on, and what they are made of.
@Suite struct TrainingPassTests {
  private static let norms = ["norm.weight", "layernorm.weight"]

  /// Chunks of one window, of two and of all: the sums over tokens go on where they were, but for the norms', which are
  /// added up chunk by chunk.
  @Test(arguments: ModelFixture.architectures, TrainingObjective.allCases)
  func chunksChangeOnlyTheRoundingOfNorms(
    fixture: ModelFixture, objective: TrainingObjective
  ) throws {
    let data = try TrainingFixture(fixture, windows: 5, length: 6)
    let whole = try data.gradients(objective)
    for chunkTokens in [1, 12, 29] {
      let parts = try data.gradients(objective, chunkTokens: chunkTokens)
      #expect(parts.loss.predictedTokens == 25 && whole.loss.predictedTokens == 25)
      #expect(abs(parts.loss.divergence - whole.loss.divergence) <= 1e-12 * whole.loss.divergence)
      for (place, name) in data.parameters.names.enumerated() {
        let (some, all) = (parts.parameters.gradients[place], whole.parameters.gradients[place])
        if Self.norms.contains(where: name.hasSuffix) {
          // Sums of 30 tokens.
          #expect(some.distance(to: all) <= 30 * 0x1p-23 * all.largest, "\(name), \(chunkTokens)")
        } else {
          #expect(some == all, "\(name), \(chunkTokens) tokens")
        }
      }
    }
  }

  @Test(arguments: KernelSet.available)
  func threadsChangeNoBit(kernels: KernelSet) throws {
    let data = try TrainingFixture(ModelFixture.architectures[0], windows: 3, length: 6)
    let one = try data.gradients(.both, on: Compute(kernels: kernels, threads: 1))
    for threads in [2, 3] {
      let many = try data.gradients(.both, on: Compute(kernels: kernels, threads: threads))
      #expect(many.parameters.gradientBits == one.parameters.gradientBits)
      #expect(many.loss == one.loss)
    }
  }

  /// A step of two batches has the gradients of one of both.
  @Test func batchesAddUp() throws {
    let data = try TrainingFixture(ModelFixture.architectures[3], windows: 4, length: 5)
    let whole = try data.gradients(.crossEntropy, chunkTokens: 10)
    let pass = TrainingPass(decoder: data.decoder, compute: .automatic, chunkTokens: 10)
    let factors = TrainingPass.Factors(TrainingObjective.crossEntropy.loss, windows: 4, length: 5)
    var parameters = data.parameters
    for first in [0, 2] {
      _ = try pass.gradient(
        of: data.windows[windows: [first, first + 1]], factors, teacher: nil, to: &parameters)
    }
    for (place, name) in parameters.names.enumerated() {
      let (some, all) = (parameters.gradients[place], whole.parameters.gradients[place])
      #expect(some.distance(to: all) <= 20 * 0x1p-23 * all.largest, "\(name)")
    }
  }

  @Test(arguments: ModelFixture.architectures)
  func frozenTensorsChangeNoOtherGradient(fixture: ModelFixture) throws {
    let data = try TrainingFixture(fixture, windows: 2, length: 5, noise: 0)
    let all = try data.gradients(.crossEntropy).parameters
    for kept in ["mlp.up_proj.weight", "layers.0.", "input_layernorm.weight", "bias"] {
      let names = data.parameters.names.filter { $0.contains(kept) }
      guard !names.isEmpty else { continue }
      let some = try TrainingFixture(fixture, windows: 2, length: 5, noise: 0, names: names)
        .gradients(.crossEntropy).parameters
      #expect(some.names == names)
      #expect(some.gradientBits == all.gradientBits.filter { names.contains($0.key) }, "\(kept)")
    }
  }

  /// A tied embedding has the gradients of both its uses: those that it has where the output projection is a copy.
  @Test func tiedEmbeddingHasTheGradientsOfBothUses() throws {
    let name = "model.embed_tokens.weight"
    let tied = try TrainingFixture(ModelFixture.architectures[1], windows: 2, length: 6, noise: 0)
    let folder = try TemporaryFolder()
    var model = try EditedModel(ModelFixture.architectures[1])
    model.set("tie_word_embeddings", false)
    let table = try Matrix(tied.decoder.checkpoint.weight(name))
    model.put("lm_head.weight", [table.rows, table.columns], table.values)
    let decoder = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    var parameters = try TrainingParameters(
      decoder.trainedTensors(but: []), of: decoder.checkpoint, on: .automatic
    ) { _ in false }
    _ = try TrainingPass(decoder: decoder, compute: .automatic).gradient(
      of: tied.windows, .init(TrainingObjective.crossEntropy.loss, windows: 2, length: 6),
      teacher: nil, to: &parameters)
    let both = try tied.gradients(.crossEntropy).parameters.gradient(name)
    let (input, output) = (parameters.gradient(name), parameters.gradient("lm_head.weight"))
    var sum = input
    add(output, to: &sum)
    #expect(both.distance(to: sum) <= 4 * 0x1p-23 * both.largest)
    #expect(input.largest > 0.01 && output.largest > 0.01)
    // Tokens that are not in the windows have the output's alone.
    for id in 0..<Int32(table.rows) where !tied.windows.ids.contains(id) {
      #expect(both[rows: Int(id)..<Int(id) + 1] == output[rows: Int(id)..<Int(id) + 1])
    }
  }

  /// The dense model as its own teacher: nothing diverges, and what is left is the rounding of probabilities.
  @Test(arguments: ModelFixture.architectures, KernelSet.available)
  func aStudentThatIsItsTeacherLearnsNothing(fixture: ModelFixture, kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels, threads: 2)
    let data = try TrainingFixture(fixture, windows: 2, length: 6, noise: 0)
    let distilled = try data.gradients(.distill, on: compute)
    let predicted = try data.gradients(.crossEntropy, on: compute).parameters
    #expect(distilled.loss.divergence == 0 && distilled.loss.divergenceTokens == 12)
    for (place, name) in data.parameters.names.enumerated() {
      let (got, usual) = (distilled.parameters.gradients[place], predicted.gradients[place])
      #expect(got.largest <= 16 * 0x1p-24 * usual.largest, "\(name)")
    }
  }

  /// A head that has room for the logits of 16 tokens gives what one gives that has room for all.
  @Test func piecesOfLogitsChangeNoBit() throws {
    let data = try TrainingFixture(ModelFixture.architectures[2], windows: 5, length: 10)
    let hidden = Matrix(
      stacking: try data.decoder.hiddenStates(
        of: data.windows, .float32, chunkTokens: 100, on: .automatic
      ) { _ in }, columns: data.decoder.configuration.width)
    let teacher = try TrainingFixture.states(of: data.decoder, data.windows)
    let states = Matrix(stacking: teacher.windows, columns: hidden.columns)
    let targets = data.windows.ids.dropFirst().map(Optional.some) + [nil]
    func run(
      _ logitBytes: Int
    ) throws -> (loss: LossSums, hidden: Matrix, parameters: TrainingParameters) {
      var head = OutputHead(data.decoder, data.parameters, goesBack: true, on: .automatic)
      head.logitBytes = logitBytes
      var parameters = data.parameters
      let result = try head.gradient(
        hidden, targets: targets, teacher: (teacher.head, states), factors: (0.5, 0.25),
        to: &parameters)
      let loss = try head.loss(hidden, targets: targets, teacher: (teacher.head, states))
      #expect(loss == result.loss)
      return (result.loss, result.hidden, parameters)
    }
    let (whole, pieces) = (try run(1 << 20), try run(1))
    #expect(pieces.hidden == whole.hidden)
    #expect(pieces.parameters.gradientBits == whole.parameters.gradientBits)
    #expect(pieces.loss.predictedTokens == 49 && pieces.loss.divergenceTokens == 50)
    #expect(abs(pieces.loss.divergence - whole.loss.divergence) <= 1e-12)
  }
}
