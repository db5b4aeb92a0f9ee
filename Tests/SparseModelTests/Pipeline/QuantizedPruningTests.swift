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
      LanguageModel(plain).perplexity(of: windows).meanNegativeLogLikelihood,
      LanguageModel(both).perplexity(of: windows).meanNegativeLogLikelihood
    )
    // With so few tokens of calibration a mask that rounding turns shows.
    #expect(abs(a - b) < 0.1 * a, "\(a) \(b)")
  }

  /// Scales are rounded to the type of their own layer.
  ///
  /// q is F16, whose smallest normal number is
  /// 6.1e-5, and k so small that max|w| / 127 is far below that. On q's scales k would have codes −1, 0 and 1.
  @Test(arguments: QuantizationOrder.allCases, PruningMethod.allCases)
  func scalesHaveTheTypeOfTheirOwnLayer(order: QuantizationOrder, method: PruningMethod) throws {
    var model = try EditedModel(.tiny)
    let checkpoint = try ModelFixture.tiny.checkpoint()
    let prefix = "model.layers.0.self_attn."
    let (q, k) = (
      Matrix(try checkpoint.matrix(prefix + "q_proj.weight")),
      Matrix(try checkpoint.matrix(prefix + "k_proj.weight"))
    )
    model.put(
      prefix + "q_proj.weight", .f16, [q.rows, q.columns], q.storedBytes(as: .float16))
    let small = k.values.map { $0 * 1e-5 }
    model.put(prefix + "k_proj.weight", [k.rows, k.columns], small)
    let place = try PrunedFolder(model)
    let output = try prune(place, method, QuantizationOptions(order: order), to: "both")
    let weight = try output.weight(prefix + "k_proj.weight")
    let scales = try #require(weight.grid?.scales)
    let codes = weight.bytes.array.map { Int(Int8(bitPattern: $0)) }
    let values = Matrix(weight)
    for row in 0..<weight.rows {
      let rowCodes = codes[row * weight.columns..<(row + 1) * weight.columns]
      #expect(rowCodes.map(abs).max() ?? 0 >= 64, "row \(row)")
      guard method == .magnitude || method == .wanda, order != .quantizeFirst else { continue }
      // These methods keep weights as they are: the largest kept one is 127 steps.
      let kept = (0..<weight.columns).filter { values[row, $0] != 0 }.map {
        small[row * weight.columns + $0]
      }
      let scale = (kept.map(abs).max() ?? 0) / 127
      #expect(scales[row] == scale, "row \(row)")
      let expected = kept.map { Int(($0 / scale).rounded(.toNearestOrEven)) }
      #expect(rowCodes.filter { $0 != 0 } == expected.filter { $0 != 0 }, "row \(row)")
    }
    let wide = try output.weight(prefix + "q_proj.weight")
    // The significand of a float16 has 10 of the 23 bits of a float32's.
    #expect(wide.grid?.scales.allSatisfy { $0.significandBitPattern & 0x1FFF == 0 } == true)
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
