internal import SparseCore
internal import Synchronization

/// What a run has finished, one entry a line, in a file that only grows.
///
/// A line is the fingerprint of its JSON, a space, the JSON. Lines count up to the first that does not
/// keep to that: a run that was cut short may have left half of one. Entries name fingerprints of all that
/// they say is on the disk, so whoever reads them can see for himself; nothing waits for the disk.
package final class Journal: Sendable {
  /// What was found when it was opened.
  let entries: [JournalEntry]
  /// Whether no other process can have it open; false where the file system has no locks.
  let isLocked: Bool
  /// Whether there is more in it than these and what a run that was killed may have left of a line.
  let isDamaged: Bool
  private let file: FileDescriptor
  private let end: Mutex<Int>

  /// Opens the journal at `path`, or begins one; nil where another process has it open.
  ///
  /// - Throws: `FileError.missing` where a run that has ended meanwhile has removed it.
  init?(path: String) throws(FileError) {
    file = try FileDescriptor.continuing(path)
    let lock = file.lock()
    if lock == .busy { return nil }
    isLocked = lock == .held
    guard try file.isNamed(path) else { throw .missing(path: path) }
    let bytes = try file.contents()
    var end = 0
    entries = Self.entries(in: bytes, &end)
    isDamaged = bytes[end...].contains(10)
    self.end = Mutex(end)
  }

  /// Forgets all entries.
  func restart() throws(FileError) {
    try file.truncate(to: 0)
    end.withLock { $0 = 0 }
  }

  /// Appends an entry in place of what may be left of an unfinished line.
  func append(_ entry: JournalEntry) throws(FileError) {
    let line = Self.line(Array(entry.json.text().utf8))
    let start = end.withLock { end in
      defer { end += line.count }
      return end
    }
    try file.truncate(to: start)
    try ByteView(copying: line).withUnsafeBytes { bytes throws(FileError) in
      try file.write(bytes, at: start)
    }
  }

  /// The line of an entry with the given JSON.
  package static func line(_ json: [UInt8]) -> [UInt8] {
    Array("\(json.withUnsafeBytes { Fingerprint.text(of: $0) }) ".utf8) + json + [10]
  }

  /// The entries of a journal's bytes.
  ///
  /// - Parameter end: set to where they end.
  static func entries(in bytes: [UInt8], _ end: inout Int) -> [JournalEntry] {
    var entries: [JournalEntry] = []
    while let newline = bytes[end...].firstIndex(of: 10), let entry = entry(bytes[end..<newline]) {
      entries.append(entry)
      end = newline + 1
    }
    return entries
  }

  private static func entry(_ line: ArraySlice<UInt8>) -> JournalEntry? {
    let mark = line.prefix(17)
    let json = Array(line.dropFirst(17))
    let expected = json.withUnsafeBytes { Fingerprint.text(of: $0) } + " "
    guard mark.elementsEqual(expected.utf8),
      let value = try? JSON(parsing: ByteView(copying: json))
    else { return nil }
    return JournalEntry(value)
  }
}
