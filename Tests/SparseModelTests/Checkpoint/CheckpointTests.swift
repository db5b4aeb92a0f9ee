internal import Foundation
internal import SparseCore
internal import SparseModel
internal import TestSupport
internal import Testing

@Suite struct CheckpointTests {
  private let fixture: CheckpointFixture
  private var folder: TemporaryFolder { fixture.folder }

  init() throws { fixture = try CheckpointFixture() }

  @Test func aFileIsACheckpoint() throws {
    let path = try fixture.single() + "/model.safetensors"
    let checkpoint = try Checkpoint(path: path)
    #expect(!checkpoint.isFolder)
    #expect(checkpoint.folder == folder["model"])
    #expect(checkpoint.tensors.map(\.name) == ["ids", "a", "norm", "b"])
    #expect(checkpoint.configPath == folder["model/config.json"])
    #expect(checkpoint.tokenizerPath == folder["model/tokenizer.json"])
    #expect(checkpoint.pathBeside("none.json") == nil)
  }

  @Test func aFolderIsACheckpoint() throws {
    let path = try fixture.single()
    for spelling in [path, path + "/", path + "//"] {
      let checkpoint = try Checkpoint(path: spelling)
      #expect(checkpoint.isFolder)
      #expect(checkpoint.folder == path)
      #expect(checkpoint.files.map(\.path) == [path + "/model.safetensors"])
    }
  }

  @Test(arguments: ["", "/model.safetensors.index.json"])
  func shardsAreOneCheckpoint(suffix: String) throws {
    let checkpoint = try Checkpoint(path: fixture.sharded() + suffix)
    #expect(checkpoint.isFolder)
    #expect(checkpoint.files.count == 2)
    #expect(checkpoint.tensors.map(\.name) == ["a", "é", "b"])
    #expect(checkpoint.tensors.map(\.file) == [0, 0, 1])
    for tensor in checkpoint.tensors {
      #expect(
        try checkpoint.bytes(of: tensor.name).array == CheckpointFixture.bytes(tensor.info.spec))
      checkpoint.release(tensor.name)
      #expect(
        try checkpoint.bytes(of: tensor.name).array == CheckpointFixture.bytes(tensor.info.spec))
    }
    #expect(try checkpoint.matrix("b").type == .float16)
    #expect(checkpoint["e\u{301}"] == nil)
  }

  @Test func valuesAreReadByName() throws {
    let checkpoint = try Checkpoint(path: fixture.single())
    #expect(try checkpoint.matrix("a").rows == 2)
    #expect(try checkpoint.vector("norm").columns == 4)
    #expect(try checkpoint.integers("ids").count == 8)
    #expect(throws: CheckpointError.noSuchTensor(path: folder["model"], tensor: "none")) {
      try checkpoint.matrix("none")
    }
    let error = #expect(throws: SafetensorsFileError.self) { try checkpoint.matrix("norm") }
    #expect(error?.reason == .notAMatrix(tensor: "norm", shape: [4]))
  }

  @Test func theSingleFileComesBeforeTheIndexAndItBeforeOthers() throws {
    let path = try fixture.sharded()
    try fixture.file("model/model.safetensors", [CheckpointFixture.spec("whole")])
    #expect(try Checkpoint(path: path).tensors.map(\.name) == ["whole"])
    let index = path + "/model.safetensors.index.json"
    #expect(try Checkpoint(path: index).tensors.count == 3)

    try fixture.file("other/weights.safetensors", [CheckpointFixture.spec("other")])
    #expect(try Checkpoint(path: folder["other"]).tensors.map(\.name) == ["other"])
    try fixture.file("other/more.safetensors", [CheckpointFixture.spec("more")])
    #expect(
      throws: CheckpointError.severalWeights(
        folder: folder["other"], files: ["more.safetensors", "weights.safetensors"])
    ) { try Checkpoint(path: folder["other"]) }
  }

  @Test func linksAreFollowed() throws {
    try fixture.file("blobs/0123", [CheckpointFixture.spec("a")])
    try FileManager.default.createDirectory(
      atPath: folder["snapshot"], withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: folder["snapshot/model.safetensors"], withDestinationPath: "../blobs/0123")
    try FileManager.default.createSymbolicLink(
      atPath: folder["link"], withDestinationPath: "snapshot")
    #expect(try Checkpoint(path: folder["link"]).tensors.map(\.name) == ["a"])
  }

  @Test func whatIsNotThereIsNamed() throws {
    #expect(throws: FileError.missing(path: folder["none"])) {
      try Checkpoint(path: folder["none"])
    }
    #expect(throws: CheckpointError.noWeights(folder: folder.path)) {
      try Checkpoint(path: folder.path)
    }
    #expect(throws: FileError.notRegularFile(path: "/dev/null")) {
      try Checkpoint(path: "/dev/null")
    }
  }

  private func index(_ weightMap: String) throws -> String {
    _ = try fixture.sharded()
    return try folder.write("{\"weight_map\":\(weightMap)}", to: "model/bad.json")
  }

  @Test(arguments: [
    "../x.safetensors", "/x.safetensors", "a/b.safetensors", ".safetensors", "x.txt", "", "..",
    #"a\\b.safetensors"#, #"a\u0000.safetensors"#,
  ])
  func indexesNameOnlyFilesBesideThem(file: String) throws {
    let path = try index("{\"a\":\"\(file)\"}")
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(path: path) }
    let name = try #require(JSON(parsing: "\"\(file)\"").string)
    #expect(error == .shardName(path: path, tensor: "a", file: name))
  }

  @Test func malformedIndexesSayWhatIsWrong() throws {
    var path = try index("{\"a\":7}")
    #expect(throws: CheckpointError.weightMapNotString(path: path, tensor: "a", found: "7")) {
      try Checkpoint(path: path)
    }
    path = try index("{\"a\":\"gone.safetensors\"}")
    #expect(throws: CheckpointError.missingShard(path: path, file: "gone.safetensors")) {
      try Checkpoint(path: path)
    }
    let file = "model-00001-of-00002.safetensors"
    path = try index("{\"b\":\"\(file)\"}")
    #expect(throws: CheckpointError.tensorNotInShard(path: path, tensor: "b", file: file)) {
      try Checkpoint(path: path)
    }
    path = try index("[]")
    #expect(throws: CheckpointError.noWeightMap(path: path)) { try Checkpoint(path: path) }
    path = try index("{")
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(path: path) }
    #expect(
      error?.description
        == "\(path): not JSON: the text ends too early at line 1 column 17")
  }

  @Test func tensorsThatTheIndexDoesNotListDoNotExist() throws {
    let path = try index("{\"a\":\"model-00001-of-00002.safetensors\"}")
    let checkpoint = try Checkpoint(path: path)
    #expect(checkpoint.tensors.map(\.name) == ["a"])
    #expect(checkpoint["é"] == nil)
  }

  @Test func aMalformedShardIsNamed() throws {
    let path = try fixture.sharded()
    try folder.write([1, 2, 3], to: "model/model-00002-of-00002.safetensors")
    #expect(
      throws: SafetensorsFileError(
        path: path + "/model-00002-of-00002.safetensors", reason: .tooShort(fileBytes: 3))
    ) { try Checkpoint(path: path) }
  }
}
