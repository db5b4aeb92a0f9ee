internal import SparseCore

/// The hidden states after a decoder block, `tokens × width`, in files that a resumed run begins with.
///
/// There are two files, and blocks take turns with them: while one is written, the states that the journal
/// speaks of are safe in the other. How the windows are grouped makes no difference to the files.
final class HiddenStates: Sendable {
  private let even: FileDescriptor
  private let odd: FileDescriptor
  private let windows: Int
  private let length: Int
  private let width: Int

  /// Opens or creates the files, at their full size: a disk that is too small is found here.
  init(in folder: String, windows: TokenWindows, width: Int) throws(FileError) {
    self.windows = windows.count
    length = windows.length
    self.width = width
    even = try FileDescriptor.continuing(Path.join(folder, "hidden-even"))
    odd = try FileDescriptor.continuing(Path.join(folder, "hidden-odd"))
    try even.reserve(windows.count * windowBytes)
    try odd.reserve(windows.count * windowBytes)
  }

  /// The bytes of both files.
  static func byteCount(tokens: Int, width: Int) -> Int {
    2 * tokens * width * MemoryLayout<Float>.size
  }

  private var windowBytes: Int { length * width * MemoryLayout<Float>.size }

  /// Writes the states that a block gave, group of windows by group.
  ///
  /// - Returns: a fingerprint of all.
  func write(
    after block: Int, _ groups: [Range<Int>], state: (_ group: Int) throws -> Matrix
  ) throws -> String {
    var fingerprints: [UInt64] = []
    for (number, group) in groups.enumerated() {
      let matrix = try state(number)
      precondition(
        matrix.rows == group.count * length && matrix.columns == width,
        "HiddenStates: \(matrix.rows) × \(matrix.columns) for \(group.count) windows")
      try matrix.values.withUnsafeBytes { bytes in
        for place in 0..<group.count {
          fingerprints.append(
            fingerprint64(
              UnsafeRawBufferPointer(
                rebasing: bytes[place * windowBytes..<(place + 1) * windowBytes])))
        }
        try write(bytes, at: group.lowerBound * windowBytes, after: block)
      }
    }
    return Fingerprint.text(ofFingerprints: fingerprints)
  }

  private func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, after block: Int
  ) throws(FileError) {
    if block.isMultiple(of: 2) {
      try even.write(bytes, at: offset)
    } else {
      try odd.write(bytes, at: offset)
    }
  }

  /// The states of some windows after a block.
  func read(after block: Int, _ group: Range<Int>) throws -> Matrix {
    var values = [Float](repeating: 0, count: group.count * length * width)
    try values.withUnsafeMutableBytes { bytes in
      try read(into: bytes, at: group.lowerBound * windowBytes, after: block)
    }
    return Matrix(rows: group.count * length, columns: width, values)
  }

  private func read(
    into bytes: UnsafeMutableRawBufferPointer, at offset: Int, after block: Int
  ) throws(FileError) {
    let count =
      block.isMultiple(of: 2)
      ? try even.read(into: bytes, at: offset) : try odd.read(into: bytes, at: offset)
    precondition(count == bytes.count, "HiddenStates: \(count) bytes of \(bytes.count)")
  }

  /// The fingerprint of what is in the file that a block has written last, or one that came after it.
  func fingerprint(after block: Int) throws -> String {
    var fingerprints: [UInt64] = []
    for window in 0..<windows {
      let states = try read(after: block, window..<window + 1)
      fingerprints.append(states.values.withUnsafeBytes { fingerprint64($0) })
    }
    return Fingerprint.text(ofFingerprints: fingerprints)
  }
}
