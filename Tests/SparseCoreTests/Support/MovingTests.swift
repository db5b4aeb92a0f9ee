internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import SparseCore

/// Giving names that may be taken: by the system's own call, and by what stands in for it where there is none.
@Suite struct MovingTests {
  enum Way: CaseIterable { case call, link, claim }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func move(_ source: String, by way: Way, isFolder: Bool = false) throws(FileError) {
    let (source, target) = (folder[source], folder["target"])
    switch way {
    case .call: try FileSystem.moveToFreeName(source, to: target, finalPath: "final")
    case .link: try FileSystem.moveByLink(source, to: target, finalPath: "final")
    case .claim where isFolder:
      try FileSystem.moveByClaim(folder: source, to: target, finalPath: "final")
    case .claim: try FileSystem.moveByClaim(file: source, to: target, finalPath: "final")
    }
  }

  @Test(arguments: Way.allCases) func aFileGetsAFreeName(way: Way) throws {
    try folder.write("new", to: "source")
    try move("source", by: way)
    #expect(try folder.contents() == ["target"])
    #expect(try folder.read("target") == Array("new".utf8))
  }

  @Test(arguments: Way.allCases, ["file", "folder", "link"])
  func aFileDoesNotGetANameThatIsTaken(way: Way, taken: String) throws {
    try folder.write("new", to: "source")
    switch taken {
    case "file": try folder.write("mine", to: "target")
    case "folder":
      try FileManager.default.createDirectory(
        atPath: folder["target"], withIntermediateDirectories: false)
    default:
      try FileManager.default.createSymbolicLink(
        atPath: folder["target"], withDestinationPath: "none")
    }
    #expect(throws: FileError.exists(path: "final")) { try move("source", by: way) }
    #expect(try folder.contents() == ["source", "target"])
    #expect(try folder.read("source") == Array("new".utf8))
    if taken == "file" { #expect(try folder.read("target") == Array("mine".utf8)) }
  }

  @Test(arguments: [Way.call, .claim]) func aFolderGetsAFreeName(way: Way) throws {
    try folder.write("new", to: "source/file")
    try move("source", by: way, isFolder: true)
    #expect(try folder.contents() == ["target", "target/file"])
  }

  @Test(arguments: [Way.call, .claim], ["file", "folder", "empty"])
  func aFolderDoesNotGetANameThatIsTaken(way: Way, taken: String) throws {
    try folder.write("new", to: "source/file")
    switch taken {
    case "file": try folder.write("mine", to: "target")
    case "folder": try folder.write("mine", to: "target/mine")
    default:
      try FileManager.default.createDirectory(
        atPath: folder["target"], withIntermediateDirectories: false)
    }
    let before = try folder.contents()
    #expect(throws: FileError.exists(path: "final")) {
      try move("source", by: way, isFolder: true)
    }
    #expect(try folder.contents() == before)
  }

  @Test func aFolderIsReplacedInOneStep() throws {
    try folder.write("old", to: "target/old")
    let new = try AtomicFolder(path: folder["target"])
    try folder.write("new", to: Path.name(of: new.temporaryPath) + "/new")
    #expect(throws: FileError.exists(path: folder["target"])) { try new.commit(replacing: false) }
    #expect(try folder.contents().contains("target/old"))
    try new.commit(replacing: true)
    #expect(try folder.contents() == ["target", "target/new"])
  }

  /// At a work path the folder itself, or nothing, is there at any time: never what was replaced.
  @Test func aFolderAtAWorkPathReplaces() throws {
    try folder.write("old", to: "target/old")
    try folder.write("new", to: "work/new")
    try AtomicFolder(path: folder["target"], workPath: folder["work"]).commit(replacing: true)
    #expect(try folder.contents() == ["target", "target/new"])
  }

  @Test func aMissingPlaceIsNamed() throws {
    try folder.write("new", to: "source")
    #expect(throws: FileError.missingFolder(path: folder["none"])) {
      try FileSystem.moveToFreeName(folder["source"], to: folder["none/target"])
    }
  }
}
