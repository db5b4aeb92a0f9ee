/// The learning rate of each step: a warm-up to the peak, then a constant, a line or half a cosine down to the final value.
///
/// ```swift
/// let schedule = LearningRateSchedule(peak: 1e-4, shape: .linear, warmUpSteps: 2, totalSteps: 6)
/// (0..<6).map(schedule.rate(at:))  // [5e-5, 1e-4, 1e-4, 7.5e-5, 5e-5, 2.5e-5]
/// ```
public struct LearningRateSchedule: Sendable, Equatable {
  /// How the rate falls after the warm-up.
  public enum Shape: String, Sendable, CaseIterable {
    /// It stays at the peak.
    case constant
    /// Along a line.
    case linear
    /// Along half a cosine, slowest at both ends (Loshchilov and Hutter 2017, arXiv 1608.03983).
    case cosine
  }

  /// The rate at the end of the warm-up.
  public let peak: Double
  /// How it falls from there.
  public let shape: Shape
  /// Steps in which it rises to the peak, by the same amount each; 0 to begin there.
  public let warmUpSteps: Int
  /// All steps, those of the warm-up included.
  public let totalSteps: Int
  /// What it falls to: the rate from step `totalSteps` on.
  ///
  /// A constant rate never gets there.
  public let final: Double

  /// A schedule; its rates are finite and not negative, and the warm-up is no longer than the whole.
  public init(
    peak: Double, shape: Shape, warmUpSteps: Int = 0, totalSteps: Int, final: Double = 0
  ) {
    precondition(
      peak.isFinite && final.isFinite && peak >= 0 && final >= 0,
      "LearningRateSchedule: from a peak of \(peak) to \(final)")
    precondition(
      warmUpSteps >= 0 && warmUpSteps <= totalSteps,
      "LearningRateSchedule: \(warmUpSteps) of \(totalSteps) steps of warm-up")
    self.peak = peak
    self.shape = shape
    self.warmUpSteps = warmUpSteps
    self.totalSteps = totalSteps
    self.final = final
  }

  /// The learning rate of a step, the first of which is 0.
  ///
  /// - Returns: peak · (step + 1) / warmUpSteps during the warm-up, so that its last step has the peak; after it
  ///   the rate between peak and final that belongs to (step − warmUpSteps) / (totalSteps − warmUpSteps).
  public func rate(at step: Int) -> Double {
    precondition(step >= 0, "LearningRateSchedule: step \(step)")
    if step < warmUpSteps { return peak * Double(step + 1) / Double(warmUpSteps) }
    if shape == .constant { return peak }
    guard step < totalSteps else { return final }
    let progress = Double(step - warmUpSteps) / Double(totalSteps - warmUpSteps)
    let share =
      shape == .linear ? 1 - progress : (1 + Math.cosine(.pi * progress)) / 2
    return final + (peak - final) * share
  }
}
