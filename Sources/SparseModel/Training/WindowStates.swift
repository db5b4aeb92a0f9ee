internal import SparseCore

/// The residual stream of every window of a text, in memory or in a scratch file.
struct WindowStates {
  private let length: Int
  private let width: Int
  private var store: ActivationStore

  /// Room for windows.
  ///
  /// - Parameter path: where the output will be, beside which the scratch file is; nil to keep all in memory.
  /// - Throws: `FileError` where the disk has no room.
  init(_ windows: TokenWindows, width: Int, beside path: String?) throws(FileError) {
    length = windows.length
    self.width = width
    var scratch: (file: ScratchFile, offset: Int)?
    if let path {
      let size = ActivationStore.byteCount(tokens: windows.ids.count, columns: width)
      scratch = (try ScratchFile(beside: path, size: size), 0)
    }
    store = ActivationStore(
      chunks: [Int](repeating: windows.length, count: windows.count), columns: width,
      scratch: scratch)
  }

  /// Whether a window's states are there.
  func has(_ window: Int) -> Bool { store.has(window) }

  /// The states of some windows, one after the other.
  subscript(windows: some Sequence<Int>) -> Matrix {
    get throws(FileError) {
      var parts: [Matrix] = []
      for window in windows {
        guard let states = try store.read(window) else {
          preconditionFailure("WindowStates: window \(window) has none")
        }
        parts.append(states)
      }
      return parts.count == 1 ? parts[0] : Matrix(stacking: parts, columns: width)
    }
  }

  /// Keeps the states of some windows, which follow each other in `states`.
  mutating func put(_ states: Matrix, _ windows: some Collection<Int>) throws(FileError) {
    precondition(
      states.rows == windows.count * length,
      "WindowStates: \(states.rows) rows for \(windows.count) windows of \(length)")
    for (place, window) in windows.enumerated() {
      try store.put(states[rows: place * length..<(place + 1) * length], window)
    }
  }
}
