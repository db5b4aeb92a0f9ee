import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Pruning the trained model against what PyTorch makes of it: the same calibration, the same stage order.
@Suite struct GoldenPruneTests {
  static let calibration = CalibrationOptions(
    source: .text(path: ModelFixture.tiny.file("calibration.txt")), samples: 16, length: 128)

  /// Of Wanda's groups two are decided by less than 10⁻⁵ of the score, so the last bits of a norm may
  /// turn one of them; the inputs of the layers after it change in their last bits then.
  @Test(arguments: [(PruningMethod.magnitude, 0), (.wanda, 6)])
  func masksErrorsAndPerplexityEqualTheReference(method: PruningMethod, slack: Int) throws {
    let golden = try ModelFixture.tiny.golden()
    let expected = golden[method.rawValue]
    let place = try PrunedFolder(EditedModel(.tiny))
    let report = try place.prune(method, Self.calibration, to: "pruned")
    let pruned = try Checkpoint(path: place.folder["pruned"])

    let linears = expected?["linears"]?.array ?? []
    #expect(linears.count == 28)
    #expect(report.layers.map(\.name) == linears.map { $0["name"]?.string ?? "" })
    var difference = 0
    for (layer, linear) in zip(report.layers, linears) {
      let weight = try Matrix(pruned.matrix(layer.name))
      let sum = weight.values.indices.reduce(0) {
        weight.values[$1] == 0 ? $0 : $0 + $1 % weight.columns
      }
      difference += abs(sum - (linear["keptColumnSum"]?.int ?? 0))
      let mass = weight.values.reduce(0) { $0 + Double(abs($1)) }
      let expectedMass = linear["keptMass"]?.double ?? 0
      #expect(abs(mass - expectedMass) <= 1e-4 * expectedMass, "\(layer.name)")
      // Ours are measured on every second window.
      let error = layer.relativeError ?? .infinity
      let expectedError = linear["relativeError"]?.double ?? 0
      #expect(abs(error - expectedError) <= 0.1 * expectedError, "\(layer.name) \(error)")
      #expect(layer.sparsity == 0.5)
    }
    #expect(difference <= slack)
    let mean = report.layers.reduce(0) { $0 + ($1.relativeError ?? 1) } / 28
    let expectedMean = expected?["meanRelativeError"]?.double ?? 0
    #expect(abs(mean - expectedMean) <= 0.03 * expectedMean, "\(mean)")

    guard isOptimized else { return }
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 128)
    let result = try LanguageModel(pruned).perplexity(of: windows)
    #expect(
      abs(result.perplexity - (expected?["perplexity"]?.double ?? 0)) < 1e-3,
      "\(result.perplexity)")
  }

  /// Magnitude needs no model; with or without one it writes the same weights.
  @Test func magnitudeWithoutCalibrationWritesTheSameWeights() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let options = CalibrationOptions(
      source: Self.calibration.source, samples: 1, length: 16)
    try place.prune(.magnitude, options, to: "with")
    let report = try place.prune(.magnitude, to: "without")
    let (with, without) = try (
      Checkpoint(path: place.folder["with"]), Checkpoint(path: place.folder["without"])
    )
    #expect(report.layers.count == 28)
    #expect(report.layers.allSatisfy { $0.relativeError == nil && $0.sparsity == 0.5 })
    for tensor in with.tensors {
      #expect(try with.bytes(of: tensor.name).array == without.bytes(of: tensor.name).array)
    }
  }
}
