internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import SparseCore

@Suite struct FileSystemTests {
  @Test func kindsAreSeenThroughLinks() throws {
    let folder = try TemporaryFolder()
    try folder.write("a", to: "sub/file")
    try FileManager.default.createSymbolicLink(
      atPath: folder["link"], withDestinationPath: "sub/file")
    try FileManager.default.createSymbolicLink(
      atPath: folder["broken"], withDestinationPath: "none")
    #expect(try FileSystem.kind(of: folder["sub"]) == .folder)
    #expect(try FileSystem.kind(of: folder["link"]) == .file)
    #expect(try FileSystem.kind(of: folder["broken"]) == nil)
    #expect(FileSystem.isTaken(folder["broken"]))
    #expect(!FileSystem.isTaken(folder["none"]))
    #expect(try FileSystem.kind(of: "/dev/null") == .other)
    #expect(
      try FileSystem.identity(of: folder["link"]) == FileSystem.identity(of: folder["sub/file"]))
    #expect(
      try FileSystem.resolved(folder["link"])
        == FileSystem.resolved(folder["sub/../sub/file"]))
    #expect(try FileSystem.names(in: folder.path) == ["broken", "link", "sub"])
  }

  @Test func removingATreeLeavesWhatItsLinksLeadTo() throws {
    let folder = try TemporaryFolder()
    try folder.write("keep", to: "outside/file")
    try folder.write("a", to: "tree/a/b/c")
    try FileManager.default.createSymbolicLink(
      atPath: folder["tree/a/link"], withDestinationPath: folder["outside"])
    try FileSystem.removeTree(folder["tree"])
    #expect(try folder.contents() == ["outside", "outside/file"])
  }

  @Test func copiesKeepTheBytesAndTheMode() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("#!/bin/sh", to: "script")
    chmod(path, 0o755)
    try FileSystem.copyFile(path, to: folder["copy"])
    #expect(try folder.read("copy") == Array("#!/bin/sh".utf8))
    #expect(FileManager.default.isExecutableFile(atPath: folder["copy"]))
    #expect(throws: FileError.self) { try FileSystem.copyFile(path, to: folder["copy"]) }
  }

  @Test func temporaryNamesAreKnownAgain() {
    let names = (0..<100).map { _ in FileSystem.temporaryPath(for: "model.safetensors") }
    #expect(names.allSatisfy(FileSystem.isTemporary) && Set(names).count == 100)
    // Earlier versions wrote the number of the process.
    #expect(FileSystem.isTemporary("a.tmp-1.tmp-22"))
    for name in [
      "a", "a.tmp", "a.tmp-", "a.tmp-x1", "a.tmp-1x", "tmp-1", "a.tmp-1.txt", "a.tmp-configuration",
      "a.tmp-0123456789abcdeg", "a.tmp-0123456789abcde", "a.tmp-0123456789ABCDEF",
    ] {
      #expect(!FileSystem.isTemporary(name), "\(name)")
    }
  }

  private static let paths: [(String, folder: String, name: String)] = [
    ("a", ".", "a"), ("a/", ".", "a"), ("a/b", "a", "b"), ("a/b//", "a", "b"), ("/", "/", "/"),
    ("/a", "/", "a"), ("//a", "/", "a"), ("./a", ".", "a"), ("é/ü", "é", "ü"), ("", ".", ""),
  ]

  @Test(arguments: paths)
  func pathsComeApartAtTheSlash(path: String, folder: String, name: String) {
    #expect(Path.folder(of: path) == folder)
    #expect(Path.name(of: path) == name)
  }

  @Test func joiningPutsOneSlash() {
    #expect(Path.join(".", "a") == "a")
    #expect(Path.join("/", "a") == "/a")
    #expect(Path.join("a/b", "c") == "a/b/c")
  }
}
