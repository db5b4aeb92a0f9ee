internal import SparseCore

/// Shows progress on standard error, out of the way of everything else that is written.
final class ProgressLine {
  private let terminal: Terminal
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let style: ProgressText.Style
  private var text: ProgressText?
  private var isOnScreen = false

  /// Shows nothing if `isQuiet`.
  init(isQuiet: Bool, terminal: Terminal = .error) {
    self.terminal = terminal
    start = clock.now
    style = terminal.isInteractive ? .rewritten : .lines
    text = isQuiet ? nil : ProgressText(style, at: 0)
  }

  /// Shows `progress` if it is time to.
  func show(_ progress: RunProgress) {
    let seconds = (clock.now - start) / .seconds(1)
    guard let line = text?.line(for: progress, at: seconds) else { return }
    switch style {
    case .lines: write(line + "\n")
    case .rewritten:
      // One column stays free: a full line would make some terminals scroll.
      write("\r" + line.prefix((terminal.screenWidth ?? 80) - 1) + "\u{1b}[K")
      isOnScreen = true
    }
  }

  /// Takes the line off the screen, so that other text can be written there.
  func erase() {
    guard isOnScreen else { return }
    write("\r\u{1b}[K")
    isOnScreen = false
  }

  /// Writes a line of its own to standard error; quiet doesn't silence it.
  func note(_ line: String) {
    erase()
    write(line + "\n")
  }

  /// Progress that can't be shown is no reason to stop.
  private func write(_ text: String) { try? terminal.write(text) }
}
