internal import Foundation
internal import SparseCore
internal import SparseModel
internal import TestSupport
internal import Testing

@Suite struct CheckpointOutputTests {
  private let fixture: CheckpointFixture
  private var folder: TemporaryFolder { fixture.folder }

  init() throws { fixture = try CheckpointFixture() }

  private func refusal(
    _ path: String, for input: Checkpoint, force: Bool = true
  ) -> CheckpointOutputError? {
    do {
      _ = try CheckpointOutput(path, for: input, force: force)
      return nil
    } catch {
      return error as? CheckpointOutputError
    }
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder[name], withDestinationPath: folder[target])
  }

  @Test func theUsualPlaceIsBesideTheInput() throws {
    let path = try fixture.single()
    let model = try Checkpoint(path: path)
    #expect(try CheckpointOutput(for: model).path == path + "-2of4")
    #expect(try CheckpointOutput(for: Checkpoint(path: path + "/")).path == path + "-2of4")
    #expect(try CheckpointOutput(for: model, suffix: "int8").path == path + "-int8")
    let file = try Checkpoint(path: path + "/model.safetensors")
    #expect(try CheckpointOutput(for: file).path == path + "/model-2of4.safetensors")
    let index = try Checkpoint(path: fixture.sharded("two") + "/model.safetensors.index.json")
    #expect(try CheckpointOutput(for: index).path == folder["two"] + "-2of4")
    let dotted = try Checkpoint(path: folder["model/../model"])
    #expect(try CheckpointOutput(for: dotted).path == folder["model/../model-2of4"])
    let dots = try Checkpoint(path: path + "/.")
    #expect(
      try CheckpointOutput(for: dots).path
        == URL(fileURLWithPath: path).resolvingSymlinksInPath().path + "-2of4")
  }

  @Test func theInputIsNeverTheOutput() throws {
    let path = try fixture.single()
    let model = try Checkpoint(path: path)
    try link("alias", to: "model")
    for same in [path, path + "/", path + "/.", folder["alias"]] {
      #expect(
        refusal(same, for: model)
          == .sameAsInput(path: same.hasSuffix("/") ? String(same.dropLast()) : same))
    }
    let file = try Checkpoint(path: path + "/model.safetensors")
    try link("file-alias", to: "model/model.safetensors")
    for same in [file.path, folder["file-alias"], folder["model/../model/model.safetensors"]] {
      #expect(refusal(same, for: file) == .sameAsInput(path: same))
    }
    let alias = try Checkpoint(path: folder["file-alias"])
    #expect(refusal(file.path, for: alias) == .sameAsInput(path: file.path))
  }

  @Test func outputAndInputDoNotContainEachOther() throws {
    let path = try fixture.single("outer/model")
    let model = try Checkpoint(path: path)
    #expect(refusal(path + "/out", for: model) == .insideInput(path: path + "/out", input: path))
    try link("alias", to: "outer/model")
    let inside = folder["alias/out"]
    #expect(refusal(inside, for: model) == .insideInput(path: inside, input: path))
    let outer = folder["outer"]
    #expect(refusal(outer, for: model) == .aroundInput(path: outer, input: path))
    // The name alone decides nothing.
    #expect(refusal(path + "-out", for: model) == nil)
    #expect(refusal(folder["outer/mod"], for: model) == nil)
  }

  @Test func aFolderThatHoldsTheLinkedFilesIsNotReplaced() throws {
    try fixture.file("blobs/one.safetensors", [CheckpointFixture.spec("a")])
    try folder.write("{}", to: "snapshot/config.json")
    try link("snapshot/model.safetensors", to: "blobs/one.safetensors")
    let model = try Checkpoint(path: folder["snapshot"])
    #expect(
      refusal(folder["blobs"], for: model)
        == .aroundInput(path: folder["blobs"], input: folder["snapshot"]))
  }

  @Test func whatExistsIsRefusedWithoutForce() throws {
    let path = try fixture.single()
    let model = try Checkpoint(path: path)
    let file = try Checkpoint(path: path + "/model.safetensors")
    try fixture.file("old/model.safetensors", [])
    try FileManager.default.createDirectory(
      atPath: folder["empty"], withIntermediateDirectories: false)
    try link("broken", to: "none")
    for name in ["old", "empty"] {
      #expect(refusal(folder[name], for: model, force: false) == .exists(path: folder[name]))
      #expect(refusal(folder[name], for: model, force: true) == nil)
    }
    for name in ["old/model.safetensors", "broken"] {
      #expect(refusal(folder[name], for: file, force: false) == .exists(path: folder[name]))
      #expect(refusal(folder[name], for: file, force: true) == nil)
    }
  }

  @Test func forceReplacesOnlyLikeByLike() throws {
    let path = try fixture.single()
    let model = try Checkpoint(path: path)
    let file = try Checkpoint(path: path + "/model.safetensors")
    try folder.write("precious", to: "documents/letter.txt")
    #expect(
      refusal(folder["documents"], for: model) == .notACheckpoint(path: folder["documents"]))
    #expect(throws: CheckpointOutputError.isFile(path: folder["documents/letter.txt"])) {
      try CheckpointOutput(folder["documents/letter.txt"], for: model, force: true)
    }
    #expect(throws: CheckpointOutputError.isFolder(path: folder["documents"])) {
      try CheckpointOutput(folder["documents"], for: file, force: true)
    }
    #expect(throws: FileError.notRegularFile(path: "/dev/null")) {
      try CheckpointOutput("/dev/null", for: file, force: true)
    }
    #expect(
      refusal(folder["out.safetensors"], for: model)
        == .folderNamedLikeFile(path: folder["out.safetensors"]))
    #expect(throws: FileError.missingFolder(path: folder["none"])) {
      try CheckpointOutput(folder["none"] + "/out", for: model)
    }
  }
}
