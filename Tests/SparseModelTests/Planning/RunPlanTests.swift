import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Estimates of long runs against arithmetic by hand.
@Suite struct RunPlanTests {
  /// The fixture: 737280 weights in linears, and an output projection of 512 × 128.
  private static let operations = 2.0 * (737_280 + 512 * 128)

  /// A machine that makes one operation a second, so that seconds are operations.
  private static let speed = MachineSpeed(
    products: 1, solving: .infinity, reading: .infinity, writing: .infinity)

  private func seconds(_ options: FinetuneOptions, windows: Int, length: Int) throws -> Double {
    let steps = TrainingEstimate(
      model: try ModelFixture.tiny.decoder(), options: options, windows: windows, length: length,
      writesText: false, bytes: 0
    ).steps(Self.speed, on: Compute(threads: 1))
    #expect(steps.map(\.name).last == "write the trained model" && steps.count == 2)
    return steps[0].seconds
  }

  @Test func aPassMultipliesEachTokenByAllWeights() throws {
    let pass = try PassEstimate(ModelFixture.tiny.decoder())
    #expect(pass.operations == Self.operations && pass.headWeights == 65536)
  }

  @Test func aTrainingIsThreePassesForEachTokenOfEachStep() throws {
    let training = TrainingOptions(objective: .crossEntropy, length: .steps(10), batch: 2)
    let options = FinetuneOptions(training: training, heldOutWindows: 0)
    let found = try seconds(options, windows: 7, length: 8)
    #expect(abs(found / (3 * Self.operations * 10 * 2 * 8) - 1) < 1e-12)
  }

  @Test func theTeacherRunsOnceForEachWindowAndItsHeadForEachStep() throws {
    let training = TrainingOptions(objective: .distill, length: .steps(10), batch: 2)
    let options = FinetuneOptions(training: training, heldOutWindows: 0)
    let found = try seconds(options, windows: 7, length: 8)
    let teacher = 2 * 737_280.0 * 7 * 8 + 2 * 65536.0 * 10 * 2 * 8
    #expect(abs(found / (3 * Self.operations * 10 * 2 * 8 + teacher) - 1) < 1e-12)
  }

  @Test func blocksAreTrainedForSoManyEpochs() throws {
    let options = FinetuneOptions(reconstruction: ReconstructionOptions(epochs: 5))
    // Three passes in each epoch, and four around them, without the output projection.
    let found = try seconds(options, windows: 7, length: 8)
    #expect(abs(found / (2 * 737_280.0 * 7 * 8 * 19) - 1) < 1e-12)
  }
}
