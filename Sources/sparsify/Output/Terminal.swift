#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// A file descriptor that text is written to, and what is known of the screen behind it.
struct Terminal {
  let descriptor: Int32

  static let output = Terminal(descriptor: STDOUT_FILENO)
  static let error = Terminal(descriptor: STDERR_FILENO)

  /// Whether a person may be watching.
  var isInteractive: Bool { isatty(descriptor) == 1 }

  /// The number of columns: what `COLUMNS` says, else what the terminal says, else 80.
  var width: Int {
    if let text = Environment[.columns], let columns = Int(text), columns > 0 { return columns }
    return screenWidth ?? 80
  }

  /// The number of columns of the terminal itself, which may just have been resized; nil if there is none.
  var screenWidth: Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Writes all of `text`.
  func write(_ text: String) throws(OutputError) { try write(Array(text.utf8)) }

  /// Writes all of `bytes`.
  func write(_ bytes: [UInt8]) throws(OutputError) {
    let failure = bytes.withUnsafeBytes { bytes -> Int32? in
      var rest = bytes
      while let base = rest.baseAddress, !rest.isEmpty {
        let written = systemWrite(descriptor, base, rest.count)
        if written < 0 {
          if errno == EINTR { continue }
          return errno
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
      return nil
    }
    if let failure { throw failure == EPIPE ? .closed : .failed(errno: failure) }
  }

  /// Makes writes that cannot succeed fail with an error instead of ending the process, so that
  /// unfinished files are removed then too: to a pipe that nobody reads, and to a file that would
  /// exceed the limit of its size.
  static func turnWriteSignalsIntoErrors() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Takes the numbers of standard input, output and error where they are closed, so that no file
  /// that is opened later gets one of them, and with it text that was meant for a reader.
  static func reserveStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is the one: those below are taken. Reading and writing fail.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }
}

/// Why results could not be written.
enum OutputError: Error, Equatable {
  /// Nobody reads the other end of the pipe any more. Nothing to complain about.
  case closed
  /// The system refused, for instance because the disk is full.
  case failed(errno: Int32)
}

extension OutputError: CustomStringConvertible {
  var description: String {
    switch self {
    case .closed: "standard output is closed"
    case .failed(let errno): "cannot write to standard output: \(String(cString: strerror(errno)))"
    }
  }
}

/// The system's `write`, under a name that a method called `write` doesn't hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
