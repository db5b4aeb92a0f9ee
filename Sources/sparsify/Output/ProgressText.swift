internal import SparseCore

/// Decides when progress is shown and what is said, as a pure function of the time.
struct ProgressText {
  /// How progress is shown.
  enum Style: Equatable {
    /// One line that is written again and again, at most ten times a second.
    case rewritten
    /// A line of its own, at most every ten seconds.
    case lines
  }

  private let style: Style
  /// When something was shown last; for lines, at first when the work began.
  private var lastShown: Double
  /// The first report of the count that is going on: rate and time left are measured from there.
  private var start: (progress: RunProgress, time: Double)?

  /// Begins at `time`, in seconds on any clock that doesn't run backwards.
  init(_ style: Style, at time: Double) {
    self.style = style
    lastShown = style == .lines ? time : -.infinity
  }

  /// The line to show now, without its end, or nil to show none.
  ///
  /// A count goes on as long as its total stays and `done` doesn't fall, whatever the step is called:
  /// a step may name the layer that is being worked on.
  mutating func line(for progress: RunProgress, at time: Double) -> String? {
    if let start, start.progress.total == progress.total, start.progress.done <= progress.done {
      // The same count.
    } else {
      start = (progress, time)
    }
    let pause = style == .lines ? 10 : 0.1
    guard time - lastShown >= pause else { return nil }
    lastShown = time
    return text(progress, at: time)
  }

  private func text(_ progress: RunProgress, at time: Double) -> String {
    // Where units are multiplications or bytes, a share says more than their number.
    let isFine = progress.total > 1_000_000
    let share = 100 * Double(progress.done) / Double(max(1, progress.total))
    var parts = [
      progress.step.printable,
      isFine ? Format.fixed(share, 0) + " %" : "\(progress.done)/\(progress.total)",
    ]
    if let start, progress.done > start.progress.done, time > start.time {
      let rate = Double(progress.done - start.progress.done) / (time - start.time)
      let left = Double(max(0, progress.total - progress.done)) / rate
      parts += (isFine ? [] : [Format.rate(rate)]) + [Format.clock(left) + " left"]
    }
    return parts.joined(separator: "  ")
  }
}
