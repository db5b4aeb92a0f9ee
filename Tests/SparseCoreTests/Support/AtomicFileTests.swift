internal import Foundation
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import SparseCore

@Suite(.timeLimit(.minutes(20))) struct AtomicFileTests {
  @Test func theNameAppearsWithCommitAndNotBefore() throws {
    let folder = try TemporaryFolder()
    let file = try AtomicFile(path: folder["a"], size: 6)
    let name = try #require(try folder.contents().first)
    #expect(name.hasPrefix("a.tmp-") && FileSystem.isTemporary(name))
    try file.write(ByteView(copying: [4, 5]), at: 4)
    try file.write(ByteView(copying: [1]), at: 1)
    try file.commit()
    #expect(try folder.contents() == ["a"])
    #expect(try folder.read("a") == [0, 1, 0, 0, 4, 5])
  }

  @Test func withoutCommitNothingIsLeftAndTheOldFileStays() throws {
    let folder = try TemporaryFolder()
    try folder.write("old", to: "a")
    do {
      let file = try AtomicFile(path: folder["a"], size: 100)
      try file.write(ByteView(copying: [1, 2, 3]), at: 0)
      #expect(try folder.contents().count == 2)
    }
    #expect(try folder.contents() == ["a"])
    #expect(try folder.read("a") == Array("old".utf8))
  }

  @Test func anotherFileThatHasTheNameIsReplacedOnlyWhereThatIsAsked() throws {
    let folder = try TemporaryFolder()
    let file = try AtomicFile(path: folder["a"], finalPath: "final")
    try file.write(ByteView(copying: [7]), at: 0)
    try folder.write("mine", to: "a")
    #expect(throws: FileError.exists(path: "final")) { try file.commit(replacing: false) }
    #expect(try folder.read("a") == Array("mine".utf8))
    try file.commit(replacing: true)
    #expect(try folder.contents() == ["a"])
    #expect(try folder.read("a") == [7])
  }

  /// Each writes under a name of its own, and the one that comes second does not get the name.
  @Test func ofTwoWritersOneGetsTheName() throws {
    let folder = try TemporaryFolder()
    do {
      let files = try (0..<2).map { _ in try AtomicFile(path: folder["a"]) }
      #expect(try folder.contents().count == 2)
      for (number, file) in files.enumerated() {
        try file.write(ByteView(copying: [UInt8(number)]), at: 0)
      }
      try files[1].commit(replacing: false)
      #expect(throws: FileError.exists(path: folder["a"])) {
        try files[0].commit(replacing: false)
      }
    }
    #expect(try folder.contents() == ["a"])
    #expect(try folder.read("a") == [1])
  }

  @Test func threadsWriteEachItsOwnRange() throws {
    let folder = try TemporaryFolder()
    let file = try AtomicFile(path: folder["a"], size: 64 * 1000)
    let failures = Mutex(0)
    Parallel.forEach(64, threads: 8) { index in
      do {
        let bytes = [UInt8](repeating: UInt8(index), count: 1000)
        try file.write(ByteView(copying: bytes), at: index * 1000)
      } catch {
        failures.withLock { $0 += 1 }
      }
    }
    try file.commit()
    #expect(failures.withLock { $0 } == 0)
    #expect(try folder.read("a") == (0..<64_000).map { UInt8($0 / 1000) })
  }

  /// Pieces that begin anywhere in a page, of sizes around those that are handed to the disk at once.
  @Test func aFileOfManyPiecesIsWhole() throws {
    let folder = try TemporaryFolder()
    let sizes = [1, 4095, 4096, 4097, 65_535, 65_536, 524_288, 524_289, 3 << 20, 70_000, 0, 9]
    let file = try AtomicFile(path: folder["a"])
    var expected = Data()
    for (index, size) in sizes.enumerated() {
      let bytes = [UInt8](repeating: UInt8(index + 1), count: size)
      try file.write(ByteView(copying: bytes), at: expected.count)
      expected.append(contentsOf: bytes)
    }
    try file.commit()
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder["a"])) == expected)
  }

  @Test func newFilesFollowTheUmask() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write([1], to: folder["a"])
    let mask = umask(0)
    umask(mask)
    let mode = try FileManager.default.attributesOfItem(atPath: folder["a"])[.posixPermissions]
    #expect(mode as? Int == Int(0o666 & ~mask))
  }

  @Test func aPlaceThatCannotBeWrittenIsFoundAtOnce() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.isFolder(path: folder.path)) { try AtomicFile(path: folder.path) }
    #expect(throws: FileError.missingFolder(path: folder["none"])) {
      try AtomicFile(path: folder["none"] + "/a")
    }
    #expect(throws: FileError.self) { try AtomicFile(path: folder.write("", to: "f") + "/a") }
  }

  @Test(.enabled(if: !isSuperuser)) func aReadOnlyFolderIsFoundAtOnce() throws {
    let folder = try TemporaryFolder()
    chmod(folder.path, 0o555)
    defer { chmod(folder.path, 0o755) }
    let error = #expect(throws: FileError.self) { try AtomicFile(path: folder["a"]) }
    #expect(error == .failed(.create, path: folder["a"], code: EACCES))
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDiskIsItsOwnError() throws {
    let full = try FileDescriptor.writing("/dev/full")
    do {
      try [UInt8(1)].withUnsafeBytes { try full.write($0, at: 0) }
      Issue.record("writing to a full disk succeeded")
    } catch {
      #expect(error as? FileError == .diskFull(path: "/dev/full"))
      #expect("\(error)" == "/dev/full: no space left on the disk")
    }
  }

  @Test func aSizeBeyondTheLimitIsFoundAtOnceAndTidiedUp() async throws {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
      #if canImport(Darwin)
        setrlimit(RLIMIT_FSIZE, &limit)
      #else
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      #endif
      let folder = try TemporaryFolder()
      let error = #expect(throws: FileError.self) {
        try AtomicFile(path: folder["a"], size: 2 << 20)
      }
      #expect(error == .failed(.write, path: folder["a"], code: EFBIG))
      #expect(try folder.contents() == [])
      let growing = try AtomicFile(path: folder["b"])
      #expect(throws: FileError.self) {
        try growing.write(ByteView(copying: [UInt8](repeating: 1, count: 2 << 20)), at: 0)
      }
    }
  }
}
