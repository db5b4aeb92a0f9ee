internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import SparseCore

/// What killed runs have left, and what living ones have under way.
@Suite struct TemporaryPlaceTests {
  private static let leftover = "a.tmp-0123456789abcdef"

  @Test(arguments: [leftover, leftover + "/sub/file"])
  func whatAKilledRunHasLeftIsCleared(name: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("leftover", to: name)
    try AtomicFile.write([7], to: folder["a"])
    #expect(try folder.contents() == ["a"])
    try folder.write("leftover", to: name)
    try AtomicFolder(path: folder["a/"]).commit(replacing: true)
    #expect(try folder.contents() == ["a"])
  }

  @Test func whatALivingRunHasUnderWayIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    let file = try AtomicFile(path: folder["a"])
    let other = try AtomicFolder(path: folder["a"])
    try folder.write("half", to: Path.name(of: other.temporaryPath) + "/file")
    let before = try folder.contents()
    #expect(before.count == 3)
    _ = try AtomicFile(path: folder["a"])
    _ = try AtomicFolder(path: folder["a"])
    #expect(try folder.contents() == before)
    try file.write(ByteView(copying: [1]), at: 0)
    try file.commit()
    #expect(try folder.read("a") == [1])
  }

  /// A name alone proves nothing: these are another output's, an earlier version's, a user's.
  @Test func whatIsNotItsOwnIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    let names = [
      "b.tmp-0123456789abcdef", "a.tmp-4711", "a.tmp-old", "a.old.tmp-0123456789abcdef",
      "aa.tmp-0123456789abcdef", "a.tmp-0123456789abcdef.txt",
    ]
    for name in names { try folder.write("mine", to: name) }
    try FileManager.default.createSymbolicLink(
      atPath: folder["a.tmp-00000000000000ff"], withDestinationPath: "b.tmp-0123456789abcdef")
    try AtomicFile.write([7], to: folder["a"])
    #expect(try folder.contents() == (names + ["a", "a.tmp-00000000000000ff"]).sorted())
  }

  @Test func aLockIsHeldByOne() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("", to: "a")
    let first = try FileDescriptor.holding(path)
    let second = try FileDescriptor.holding(path)
    #expect(first.lock() == .held)
    #expect(second.lock() == .busy)
    #expect(try first.isNamed(path))
    try FileManager.default.removeItem(atPath: path)
    try folder.write("", to: "a")
    #expect(try !first.isNamed(path))
    #expect(try FileDescriptor.holding(path).lock() == .held)
  }

  /// Many at once: nobody takes away what another has just made and not locked yet.
  @Test func writersDoNotClearEachOthersFiles() async throws {
    let folder = try TemporaryFolder()
    let path = folder["a"]
    let winners = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<8 {
        group.addTask {
          var wins = 0
          for round in 0..<50 {
            let file = try AtomicFile(path: path + "\(round)")
            try file.write(ByteView(copying: [UInt8](repeating: UInt8(number), count: 100)), at: 0)
            do {
              try file.commit(replacing: false)
              wins += 1
            } catch FileError.exists {}
          }
          return wins
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(winners == 50)
    let names = try folder.contents()
    #expect(names.count == 50 && !names.contains(where: FileSystem.isTemporary))
    for name in names {
      let bytes = try folder.read(name)
      #expect(bytes.count == 100 && Set(bytes).count == 1)
    }
  }
}
