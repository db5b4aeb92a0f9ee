import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// The same input and options give the same bytes, however many threads work and however little memory there is.
@Suite struct DeterminismTests {
  /// What is run: every method as it is, and what can be added to it.
  enum Variant: String, CaseIterable, Sendable {
    case plain, int8, smooth, ownText, shards
  }

  private static let runs = PruningMethod.allCases.flatMap { method in
    Variant.allCases.map { (method, $0) }
  }

  private func options(_ method: PruningMethod, _ variant: Variant) -> PruneOptions {
    var options = PruneOptions(
      method: method,
      calibration: CalibrationOptions(
        source: .text(path: ModelFixture.tiny.file("calibration.txt")), samples: 4, length: 24),
      selection: WeightSelection(only: ["model.layers.0.*", "model.layers.3.*"]))
    switch variant {
    case .plain: break
    case .int8: options.quantization = QuantizationOptions()
    case .smooth: options.smoothing = 0.5
    case .ownText: options.calibration = CalibrationOptions(samples: 3, length: 10, seed: 5)
    case .shards: options.shardSize = 300_000
    }
    return options
  }

  /// The least that a run can do with.
  private func least(_ options: PruneOptions, input: String, threads: Int) throws -> Int {
    var options = options
    options.memory = 1
    do {
      _ = try PruneRun(input, options).memoryPlan(on: Compute(threads: threads))
    } catch MemoryBudgetError.tooSmall(_, let least, _) {
      return least
    }
    return 1
  }

  @Test(arguments: runs)
  func threadsAndMemoryChangeNoByte(method: PruningMethod, variant: Variant) throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    var expected: [String: [UInt8]]?
    for (threads, tight) in [(1, false), (2, true), (3, false), (7, true)] {
      var options = options(method, variant)
      options.output = place.folder["out"]
      options.force = true
      if tight {
        options.memory = try least(options, input: place.input, threads: threads)
      }
      _ = try PruneRun(place.input, options).run(on: Compute(threads: threads))
      var files: [String: [UInt8]] = [:]
      for name in try FileSystem.names(in: place.folder["out"]) {
        files[name] = try place.bytes("out", name)
      }
      #expect(files.keys.contains("model.safetensors.index.json") == (variant == .shards))
      if let expected {
        #expect(files == expected, "\(threads) threads, memory \(options.memory ?? 0)")
      } else {
        expected = files
      }
    }
  }
}
