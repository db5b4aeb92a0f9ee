import SparseCore
import Testing

@testable import SparseModel

@Suite struct RopeTests {
  static func configuration(theta: Double, scaling: JSON) throws -> ModelConfiguration {
    try ModelConfiguration(json: [
      "model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 1,
      "num_attention_heads": 4, "vocab_size": 16, "rope_theta": .number(theta),
      "rope_scaling": scaling,
    ])
  }

  /// Values of `ROPE_INIT_FUNCTIONS["llama3"]` of transformers 5.23.0 with Llama 3.1's settings, float32.
  @Test func llama3ScalingEqualsTheReference() throws {
    let frequencies = RotaryTable.frequencies(
      of: try Self.configuration(
        theta: 500_000,
        scaling: [
          "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8192,
        ]))
    let expected: [(Int, Double)] = [
      (0, 1), (1, 0.663601279258728), (3, 0.2922278344631195), (15, 0.0013718936825171113),
      (16, 0.0005248460220173001), (17, 0.0001785077911335975), (18, 7.784655463183299e-05),
      (23, 1.0017868589784484e-05), (28, 1.289173155782919e-06), (31, 3.76732259610435e-07),
    ]
    for (pair, value) in expected {
      #expect(abs(frequencies[pair] - value) <= 4e-7 * value, "pair \(pair)")
    }
  }

  @Test func linearScalingDividesEveryFrequency() throws {
    let plain = RotaryTable.frequencies(
      of: try Self.configuration(theta: 10_000, scaling: .null))
    let scaled = RotaryTable.frequencies(
      of: try Self.configuration(theta: 10_000, scaling: ["type": "linear", "factor": 4]))
    #expect(zip(plain, scaled).allSatisfy { $0 / 4 == $1 })
  }

  @Test func theFirstPositionTurnsNothing() throws {
    let table = RotaryTable(
      positions: 2, configuration: try Self.configuration(theta: 10_000, scaling: .null))
    #expect(table.cosines.values[..<32].allSatisfy { $0 == 1 })
    #expect(table.sines.values[..<32].allSatisfy { $0 == 0 })
    #expect(abs(table.sines[1, 0] - 0.8414709848) < 1e-7)
  }
}
