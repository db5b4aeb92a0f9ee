internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import SparseCore

@Suite struct MappedFileTests {
  @Test(arguments: [0, 1, 4095, 4096, 4097, 100_000])
  func theBytesAreTheFiles(size: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let file = try MappedFile(path: folder.write(bytes, to: "a"))
    #expect(file.size == size)
    #expect(Array(file.bytes.bytes) == bytes)
  }

  @Test func bytesOutliveTheFileAndItsObject() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("hello", to: "a")
    let view = try MappedFile(path: path).bytes
    try AtomicFile.write(Array("other".utf8), to: path)
    #expect(Array(view.bytes) == Array("hello".utf8))
    try FileManager.default.removeItem(atPath: path)
    #expect(Array(view[1..<3].bytes) == Array("el".utf8))
  }

  @Test func adviceChangesNoBytes() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let file = try MappedFile(path: folder.write(bytes, to: "a"))
    for range in [0..<0, 0..<20_000, 5000..<9001, 19_999..<20_000] {
      file.prefetch(range)
      file.willNeedSequentially(range)
      #expect(Array(file.bytes.bytes) == bytes)
      file.willNotNeed(range)
      #expect(Array(file.bytes.bytes) == bytes)
    }
  }

  @Test func whatIsNoFileIsRefused() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.missing(path: folder["none"])) {
      try MappedFile(path: folder["none"])
    }
    #expect(throws: FileError.isFolder(path: folder.path)) { try MappedFile(path: folder.path) }
    #expect(throws: FileError.notRegularFile(path: "/dev/null")) {
      try MappedFile(path: "/dev/null")
    }
    #expect(throws: FileError.failed(.open, path: folder["a"] + "/b", code: ENOTDIR)) {
      try MappedFile(path: folder.write("", to: "a") + "/b")
    }
  }

  @Test func theTimeOfTheLastChangeIsKnown() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a", to: "a")
    let date = Date(timeIntervalSince1970: 1_500_000_000)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
    #expect(try MappedFile(path: path).modified == 1_500_000_000 * 1_000_000_000)
  }
}
