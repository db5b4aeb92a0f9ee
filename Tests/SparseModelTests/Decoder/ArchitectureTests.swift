import SparseCore
import SparseModel
import TestSupport
import Testing

/// The forward pass of each kind of model against `transformers`.
@Suite struct ArchitectureTests {
  /// Float32 sums of at most 64 terms err by about √64 · 2⁻²⁴ of their size, and thirteen of them come
  /// one after the other (six a block and the logits): in shares of the largest logit.
  static let tolerance = 13 * 8 * 0x1p-24

  @Test(arguments: ModelFixture.architectures, KernelSet.available)
  func logitsEqualTheReference(fixture: ModelFixture, kernels: KernelSet) throws {
    let golden = try fixture.golden()
    let ids = golden["ids"]?.ids ?? []
    let expected = Matrix(
      rows: ids.count, columns: 64,
      (golden["logits"]?.array ?? []).flatMap { $0.doubles.map { Float($0) } })
    let logits = try fixture.decoder().logits(of: ids, on: Compute(kernels: kernels, threads: 2))
    let distance = logits.distance(to: expected)
    #expect(ids.count >= 32)
    #expect(distance <= Self.tolerance * expected.largest, "\(distance) of \(expected.largest)")
  }

  /// Each of these matters in its golden: without it the logits are far off.
  @Test(
    arguments: [
      ("llama-biases", "rope_parameters", nil), ("llama-rope-scaling", "rope_scaling", nil),
      ("llama-rope-scaling", "rope_theta", nil), ("mistral", "rope_parameters", nil),
      ("qwen2", "rope_theta", nil), ("llama-biases", "mlp_bias", false),
      ("qwen2", "model_type", "llama"),
    ] as [(String, String, JSON?)])
  func whatTheConfigurationSaysMatters(name: String, key: String, value: JSON?) throws {
    let fixture = ModelFixture(name: "architectures/\(name)")
    let folder = try TemporaryFolder()
    var model = try EditedModel(fixture)
    model.set(key, value)
    let changed = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    let ids = try fixture.golden()["ids"]?.ids ?? []
    let expected = try fixture.decoder().logits(of: ids)
    #expect(try changed.logits(of: ids).distance(to: expected) > 0.01 * expected.largest)
  }

  @Test(arguments: ModelFixture.architectures)
  func theCacheGivesTheLogitsOfTheWholeSequence(fixture: ModelFixture) throws {
    let model = try fixture.decoder()
    let ids = try fixture.golden()["ids"]?.ids ?? []
    let whole = try model.logits(of: ids)
    let cache = KeyValueCache(
      configuration: model.configuration, sequences: 1, capacity: ids.count)
    for start in 0..<ids.count {
      let next = try model.next(after: [ids[start]], in: cache, on: .automatic)
      let expected = Matrix(
        rows: 1, columns: 64, Array(whole.values[start * 64..<(start + 1) * 64]))
      #expect(
        next.distance(to: expected) <= Self.tolerance * whole.largest, "position \(start)")
    }
  }
}
