/// The names under which outputs are made, and what killed runs have left under them.
extension FileSystem {
  /// What the name of a folder ends with in which a run keeps what it has finished of an output.
  package static let partialEnding = ".partial"

  private static let mark = ".tmp-"
  /// The hexadecimal digits of 64 random bits.
  private static let digits = 16

  /// A random name beside `path`, under which something is made before it is renamed to `path`.
  ///
  /// No other run chooses it: process numbers are the same in several containers, random bits are not.
  package static func temporaryPath(for path: String) -> String {
    let bits = String(UInt64.random(in: 0 ... .max), radix: 16)
    let zeros = String(repeating: "0", count: digits - bits.count)
    return "\(Path.withoutTrailingSlashes(path))\(mark)\(zeros)\(bits)"
  }

  /// Whether a name is one that ``temporaryPath(for:)`` gives, now or in earlier versions with a process number, or has
  /// the ending of a partial output: something unfinished, of this run or another.
  package static func isTemporary(_ name: String) -> Bool {
    if name.hasSuffix(partialEnding) { return true }
    guard let mark = name.ranges(of: mark).last else { return false }
    let ending = name[mark.upperBound...].utf8
    return isRandom(ending)
      || !ending.isEmpty && ending.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
  }

  private static func isRandom(_ ending: some Collection<UInt8>) -> Bool {
    ending.count == digits
      && ending.allSatisfy {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
      }
  }

  /// Removes what killed runs have left beside `path` under names for the time being.
  ///
  /// A living run holds the lock of what it makes, so what has such a name and no lock is nobody's. Where a lock may
  /// be unseen from another machine, nothing is removed.
  static func removeLeftovers(of path: String) {
    let folder = Path.folder(of: path)
    let start = Array((Path.name(of: path) + mark).utf8)
    guard let names = try? names(in: folder) else { return }
    for name in names
    where name.utf8.starts(with: start) && isRandom(name.utf8.dropFirst(start.count)) {
      removeLeftover(Path.join(folder, name))
    }
  }

  private static func removeLeftover(_ path: String) {
    // The lock is asked for first: the name of a file that was just finished is gone by then.
    guard let file = try? FileDescriptor.holding(path), file.hasCommonLocks,
      file.lock() == .held, (try? file.isNamed(path)) == true
    else { return }
    try? removeTree(path)
  }
}
