import SparseCore
import TestSupport
import Testing

@Suite struct LearningRateScheduleTests {
  @Test func withoutWarmUpALineIsPeakTimesWhatIsLeft() {
    let schedule = LearningRateSchedule(peak: 1e-4, shape: .linear, totalSteps: 13)
    for step in 0...13 { #expect(schedule.rate(at: step) == 1e-4 * (1 - Double(step) / 13)) }
    #expect(schedule.rate(at: 1_000) == 0)
  }

  @Test(arguments: LearningRateSchedule.Shape.allCases)
  func warmUpEndsAtThePeak(shape: LearningRateSchedule.Shape) {
    let schedule = LearningRateSchedule(
      peak: 0.5, shape: shape, warmUpSteps: 4, totalSteps: 8, final: 0.25)
    #expect((0..<4).map(schedule.rate(at:)) == [0.125, 0.25, 0.375, 0.5])
    #expect(schedule.rate(at: 4) == 0.5)
    #expect(schedule.rate(at: 6) == (shape == .constant ? 0.5 : 0.375))
    #expect(schedule.rate(at: 8) == (shape == .constant ? 0.5 : 0.25))
    let rates = (4..<12).map(schedule.rate(at:))
    #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 >= $1 })
  }

  @Test(arguments: LearningRateSchedule.Shape.allCases)
  func warmUpMayTakeAllSteps(shape: LearningRateSchedule.Shape) {
    let schedule = LearningRateSchedule(peak: 1, shape: shape, warmUpSteps: 2, totalSteps: 2)
    #expect((0..<3).map(schedule.rate(at:)) == [0.5, 1, shape == .constant ? 1 : 0])
  }

  @Test func aRiseToAHigherEndIsPossible() {
    let schedule = LearningRateSchedule(peak: 0, shape: .linear, totalSteps: 2, final: 1)
    #expect((0..<3).map(schedule.rate(at:)) == [0, 0.5, 1])
  }

  @Test func examplesRatesAreAsWritten() {
    let schedule = LearningRateSchedule(
      peak: 1e-4, shape: .linear, warmUpSteps: 2, totalSteps: 6)
    let expected = [5e-5, 1e-4, 1e-4, 7.5e-5, 5e-5, 2.5e-5]
    for (step, rate) in expected.enumerated() {
      #expect(abs(schedule.rate(at: step) - rate) < 1e-19)
    }
  }

  @Test(arguments: [LearningRateSchedule.Shape.linear, .cosine])
  func ratesAreThoseOfTorch(shape: LearningRateSchedule.Shape) throws {
    let rates = try OptimizerGolden().json["schedules"]?[shape.rawValue]?.array ?? []
    let schedule = LearningRateSchedule(
      peak: 0.25, shape: shape, totalSteps: 7, final: shape == .cosine ? 0.05 : 0)
    #expect(rates.count >= 8)
    for (step, rate) in rates.enumerated() {
      #expect(abs(schedule.rate(at: step) - (rate.double ?? .nan)) <= 1e-15)
    }
  }
}
