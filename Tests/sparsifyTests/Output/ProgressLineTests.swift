import SparseCore
import Testing

@testable import sparsify

#if os(Linux)
  // How a terminal is made up differs from system to system; what is shown on it does not.
  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif

  @Suite struct ProgressLineTests {
    @Test func aTerminalShowsOneLineThatIsErasedBeforeOtherText() throws {
      let screen = try Screen()
      let line = ProgressLine(isQuiet: false, terminal: screen.terminal)
      line.show(RunProgress(step: "prune", done: 0, total: 9))
      line.show(RunProgress(step: "prune", done: 1, total: 9))  // too soon after the first
      line.note("careful")
      line.erase()
      #expect(try screen.text() == "\rprune  0/9\u{1b}[K\r\u{1b}[Kcareful\r\n")
    }

    @Test func aLineIsCutToTheTerminalsWidth() throws {
      let screen = try Screen(columns: 8)
      let line = ProgressLine(isQuiet: false, terminal: screen.terminal)
      line.show(RunProgress(step: "a long name", done: 0, total: 9))
      #expect(try screen.text() == "\ra long \u{1b}[K")
    }

    @Test func quietShowsNothingButNotes() throws {
      let screen = try Screen()
      let line = ProgressLine(isQuiet: true, terminal: screen.terminal)
      line.show(RunProgress(step: "prune", done: 0, total: 9))
      line.erase()
      line.note("careful")
      #expect(try screen.text() == "careful\r\n")
    }
  }

  /// A terminal that nobody looks at: what is written to it can be read back.
  private final class Screen {
    private let master: Int32
    let terminal: Terminal

    private struct NoTerminal: Error {}

    init(columns: UInt16 = 200) throws {
      // TIOCSPTLCK and TIOCGPTN: unlock the other end, and ask for its number.
      master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
      var lock: Int32 = 0
      var number: Int32 = 0
      guard ioctl(master, 0x4004_5431, &lock) == 0, ioctl(master, 0x8004_5430, &number) == 0
      else { throw NoTerminal() }
      terminal = Terminal(descriptor: open("/dev/pts/\(number)", O_RDWR | O_NOCTTY))
      var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
      guard ioctl(terminal.descriptor, UInt(TIOCSWINSZ), &size) == 0 else { throw NoTerminal() }
    }

    deinit {
      close(terminal.descriptor)
      close(master)
    }

    /// Everything written so far, read up to an end mark, since it may come in pieces.
    func text() throws -> String {
      try terminal.write("#")
      var text: [UInt8] = []
      var byte: UInt8 = 0
      while read(master, &byte, 1) == 1, byte != UInt8(ascii: "#") { text.append(byte) }
      return String(decoding: text, as: UTF8.self)
    }
  }
#endif
