import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Pruned and INT8 at once, in the layout of compressed-tensors.
@Suite struct QuantizedPruningTests {
  private static let calibration = CalibrationOptions(
    source: .text(path: ModelFixture.tiny.file("calibration.txt")), samples: 4, length: 64)

  private func prune(
    _ place: PrunedFolder, _ method: PruningMethod, _ quantization: QuantizationOptions?,
    to output: String, threads: Int = 2
  ) throws -> Checkpoint {
    let options = PruneOptions(
      method: method, quantization: quantization,
      calibration: method == .magnitude ? nil : Self.calibration, output: place.folder[output])
    _ = try PruneRun(place.input, options).run(on: Compute(threads: threads))
    return try Checkpoint(path: place.folder[output])
  }

  @Test(arguments: QuantizationOrder.allCases, PruningMethod.allCases)
  func everyOrderGivesAModelThatIsBoth(order: QuantizationOrder, method: PruningMethod) throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let plain = try prune(place, method, nil, to: "plain")
    let both = try prune(place, method, QuantizationOptions(order: order), to: "both")
    let check = try both.check()
    #expect(check.passed && check.tensors.count { $0.status == .sparse } == 28)
    #expect(check.tensors.count { $0.status == .dense } == 1)
    for name in try both.blockLinears() {
      #expect(both[name]?.dtype == .i8)
      #expect(try both.weight(name).grid?.isPerChannel == true)
    }
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 128, count: 8)
    let (a, b) = try (
      Decoder(plain).perplexity(of: windows).meanNegativeLogLikelihood,
      Decoder(both).perplexity(of: windows).meanNegativeLogLikelihood
    )
    // With so few tokens of calibration a mask that rounding turns shows.
    #expect(abs(a - b) < 0.1 * a, "\(a) \(b)")
  }

  @Test func groupsHaveScalesOfTheirOwn() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let both = try prune(place, .admm, QuantizationOptions(groupSize: 32), to: "both")
    let weight = try both.weight("model.layers.0.mlp.down_proj.weight")
    #expect(weight.grid?.groups == 11)
    #expect(try both.check().passed)
  }

  @Test(arguments: [QuantizationOptions?.none, QuantizationOptions()])
  func threadsDoNotChangeTheBytes(quantization: QuantizationOptions?) throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let outputs = try [1, 2, 3, 7].map { threads in
      let name = "threads-\(threads)"
      _ = try prune(place, .admm, quantization, to: name, threads: threads)
      return try place.folder.read(name + "/model.safetensors")
    }
    #expect(Set(outputs).count == 1)
  }
}
