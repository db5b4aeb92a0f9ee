internal import Foundation
internal import SparseCore
internal import SparseModel
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(20))) struct CheckpointWriterTests {
  private let fixture: CheckpointFixture
  private var folder: TemporaryFolder { fixture.folder }

  init() throws { fixture = try CheckpointFixture() }

  private func writer(_ path: String, force: Bool = false) throws -> CheckpointWriter {
    let input = try Checkpoint(path: path)
    return try CheckpointWriter(
      copying: input, to: CheckpointOutput(for: input, force: force), manifest: { _ in "first" })
  }

  private func ones(_ count: Int) -> ByteView {
    ByteView(copying: [UInt8](repeating: 1, count: count))
  }

  private func names(_ name: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder[name]).sorted()
  }

  @Test func aFolderGivesAWholeFolder() throws {
    let path = try fixture.single()
    try folder.write("a", to: "model/sub/deep/notes.txt")
    try folder.write("b", to: "outside/chat.txt")
    try FileManager.default.createSymbolicLink(
      atPath: folder["model/chat_template.jinja"], withDestinationPath: "../outside/chat.txt")
    try FileManager.default.createSymbolicLink(
      atPath: folder["model/linked"], withDestinationPath: "../outside")
    try FileManager.default.createSymbolicLink(
      atPath: folder["model/sub/loop"], withDestinationPath: "..")
    let old = [
      "pytorch_model.bin", "old.safetensors", "model.safetensors.index.json", "model.gguf",
      "onnx/model.onnx", "original/consolidated.00.pth", ".git/HEAD", ".cache/x.lock",
    ]
    for name in old { try folder.write("old", to: "model/\(name)") }
    try folder.write("x", to: "model/.gitattributes")

    let output = try writer(path)
    try output.write(ones(32), as: "a")
    #expect(!FileManager.default.fileExists(atPath: output.path))
    try output.copyRemaining()
    try output.commit()

    #expect(output.path == path + "-2of4")
    #expect(
      try names("model-2of4") == [
        ".gitattributes", "chat_template.jinja", "config.json", "linked", "linked/chat.txt",
        "model.safetensors", "sub", "sub/deep", "sub/deep/notes.txt", "tokenizer.json",
      ])
    #expect(try folder.read("model-2of4/chat_template.jinja") == Array("b".utf8))
    #expect(try folder.read("model-2of4/tokenizer.json") == Array("{\"model\":{}}".utf8))
    let attributes = try FileManager.default.attributesOfItem(
      atPath: folder["model-2of4/chat_template.jinja"])
    #expect(attributes[.type] as? FileAttributeType == .typeRegular)
    try expectCopy(of: path, at: output.path, changed: ["a"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
  }

  /// Checks that names, types, shapes and the bytes of all but the changed tensors are the same.
  private func expectCopy(of input: String, at output: String, changed: Set<String>) throws {
    let before = try Checkpoint(path: input)
    let after = try Checkpoint(path: output)
    #expect(after.tensors.map(\.info.spec) == before.tensors.map(\.info.spec))
    for tensor in before.tensors {
      let bytes = try after.bytes(of: tensor.name).array
      let expected = try before.bytes(of: tensor.name).array
      #expect(
        bytes == (changed.contains(tensor.name) ? expected.map { _ in 1 } : expected),
        "\(tensor.name)")
    }
  }

  @Test func aFileGivesAFile() throws {
    let path = try fixture.file(
      "a/model.safetensors", [CheckpointFixture.spec("a"), CheckpointFixture.spec("b")],
      metadata: ["note": "n"])
    try folder.write("{}", to: "a/config.json")
    let output = try writer(path)
    try output.write(ones(32), as: "b")
    try output.copyRemaining()
    try output.commit()
    #expect(try names("a") == ["config.json", "model-2of4.safetensors", "model.safetensors"])
    try expectCopy(of: path, at: output.path, changed: ["b"])
    #expect(
      try SafetensorsFile(path: output.path).metadata
        == ["note": "n", "format": "pt", "sparsify": "first"])
  }

  @Test func shardsStayShards() throws {
    let path = try fixture.sharded()
    let output = try writer(path + "/model.safetensors.index.json")
    try output.write(ones(16), as: "b")
    try output.copyRemaining()
    try output.commit { _ in "other" }
    #expect(
      try names("model-2of4") == [
        "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
      ])
    try expectCopy(of: path, at: output.path, changed: ["b"])
    let files = try Checkpoint(path: output.path).files
    #expect(files[0].metadata == ["format": "pt", "sparsify": "other"])
    #expect(files[1].metadata == ["format": "pt", "note": "second", "sparsify": "other"])
    let index = try JSON(
      parsing: ByteView(copying: folder.read("model-2of4/model.safetensors.index.json")))
    #expect(index["metadata"] == ["total_parameters": 24, "total_size": 80])
    #expect(index["weight_map"]?.object?.map(\.key) == ["b", "a", "é"])
  }

  @Test func anIndexWithoutMetadataGetsItsTotalSize() throws {
    let path = try fixture.sharded()
    try folder.write(
      """
      {"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}
      """, to: "model/model.safetensors.index.json")
    let output = try writer(path)
    try output.copyRemaining()
    try output.commit()
    let index = try JSON(
      parsing: ByteView(copying: folder.read("model-2of4/model.safetensors.index.json")))
    #expect(index["metadata"] == ["total_size": 48])
    // What the index does not list is not carried on.
    #expect(try Checkpoint(path: output.path).files[0].tensors.map(\.name) == ["a"])
  }

  @Test func threadsWriteWhileTheRestWaits() throws {
    let specs = (0..<40).map { CheckpointFixture.spec("t\($0)", .u8, [1000]) }
    let path = try fixture.file("model.safetensors", specs)
    let output = try writer(path)
    let failures = Atomic(0)
    Parallel.forEach(20, threads: 4) { index in
      do {
        try output.write(ones(1000), as: "t\(2 * index)")
      } catch {
        failures.add(1, ordering: .relaxed)
      }
    }
    #expect(failures.load(ordering: .relaxed) == 0)
    try output.copyRemaining()
    try output.commit()
    try expectCopy(
      of: path, at: output.path, changed: Set((0..<20).map { "t\(2 * $0)" }))
  }

  @Test(arguments: [false, true]) func withoutCommitNothingIsLeft(isFolder: Bool) throws {
    let path = try fixture.single() + (isFolder ? "" : "/model.safetensors")
    let before = try folder.contents()
    do {
      let output = try writer(path)
      try output.write(ones(32), as: "a")
      #expect(try folder.contents().count > before.count)
    }
    #expect(try folder.contents() == before)
    do {
      let error = #expect(throws: SafetensorsFileError.self) { try writer(path).commit() }
      #expect(error?.reason == .notWritten(tensors: ["ids", "a", "norm", "b"]))
    }
    #expect(try folder.contents() == before)
  }

  @Test func aHandlerThatThrowsStopsTheCopy() throws {
    struct Stop: Error {}
    let path = try fixture.single()
    let before = try folder.contents()
    do {
      let output = try writer(path)
      #expect(throws: Stop.self) {
        try output.copyRemaining { if $0.done > 0 { throw Stop() } }
      }
    }
    #expect(try folder.contents() == before)
  }

  @Test func progressCountsTheBytesThatAreCopied() throws {
    let output = try writer(fixture.single())
    try output.write(ones(32), as: "a")
    var seen: [SparseCore.RunProgress] = []
    try output.copyRemaining { seen.append($0) }
    #expect(seen.map(\.done) == [0, 96])
    #expect(seen.allSatisfy { $0.total == 96 })
  }

  @Test(arguments: [1, 3]) func largeTensorsAreCopiedPieceByPiece(threads: Int) throws {
    let size = 35 << 20 | 5  // past a look at the progress
    let spec = CheckpointFixture.spec("large", .u8, [size])
    var bytes = Data(count: size)
    bytes.withUnsafeMutableBytes { bytes in
      var random = SplitMix64(seed: 1)
      for start in stride(from: 0, to: size - 8, by: 4096) {
        bytes.storeBytes(of: random.next(), toByteOffset: start, as: UInt64.self)
      }
    }
    let first = try SafetensorsWriter(path: folder["model.safetensors"], tensors: [spec])
    try first.write(ByteView(copying: Array(bytes)), as: "large")
    try first.commit()
    let output = try writer(folder["model.safetensors"])
    var done: [Int] = []
    try output.copyRemaining(on: Compute(threads: threads)) { done.append($0.done) }
    try output.commit()
    #expect(done == [0, 32 << 20, size])
    let copy = try Checkpoint(path: output.path).bytes(of: "large")
    #expect(copy.withUnsafeBytes { Data($0) } == bytes)
  }

  @Test func forceReplacesTheWholeFolderAtTheEnd() throws {
    let path = try fixture.single()
    try fixture.file("model-2of4/stale.safetensors", [])
    do {
      let unfinished = try writer(path, force: true)
      try unfinished.copyRemaining()
    }
    #expect(try names("model-2of4") == ["stale.safetensors"])
    let output = try writer(path, force: true)
    try output.copyRemaining()
    try output.commit()
    #expect(try names("model-2of4") == ["config.json", "model.safetensors", "tokenizer.json"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
  }

  @Test func aBrokenLinkAmongTheOtherFilesIsFoundFirst() throws {
    let path = try fixture.single()
    try FileManager.default.createSymbolicLink(
      atPath: path + "/vocab.json", withDestinationPath: "gone")
    #expect(throws: FileError.brokenLink(path: path + "/vocab.json", target: "gone")) {
      try writer(path)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model"])
  }

  @Test(.enabled(if: !isSuperuser), arguments: [false, true])
  func aReadOnlyFolderIsFoundBeforeTheWork(isFolder: Bool) throws {
    let path = try fixture.single() + (isFolder ? "" : "/model.safetensors")
    let parent = isFolder ? folder.path : folder["model"]
    chmod(parent, 0o555)
    defer { chmod(parent, 0o755) }
    let output = try CheckpointOutput(for: Checkpoint(path: path)).path
    let error = #expect(throws: FileError.self) { try writer(path) }
    #expect(error == .failed(.create, path: output, code: EACCES))
  }

  /// A limit on the size of files stands in for a full disk; the errors name the place in the end.
  @Test(arguments: ["model/model.safetensors", "model/sub/large.txt"])
  func noRoomOnTheDiskIsFoundBeforeTheWorkAndTidiedUp(large: String) async throws {
    await #expect(processExitsWith: .success) { [large] in
      let fixture = try CheckpointFixture()
      let isWeights = large.hasSuffix(".safetensors")
      try fixture.file(
        "model/model.safetensors",
        [CheckpointFixture.spec("a", .u8, [isWeights ? 2 << 20 : 2])])
      if !isWeights { try fixture.folder.write([UInt8](repeating: 1, count: 2 << 20), to: large) }
      let before = try fixture.folder.contents()
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
      #if canImport(Darwin)
        setrlimit(RLIMIT_FSIZE, &limit)
      #else
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      #endif
      let input = try Checkpoint(path: fixture.folder["model"])
      let error = #expect(throws: FileError.self) {
        try CheckpointWriter(
          copying: input, to: CheckpointOutput(for: input), manifest: { _ in "{}" })
      }
      let final = "model-2of4" + large.dropFirst("model".count)
      #expect(error == .failed(.write, path: fixture.folder[final], code: EFBIG))
      #expect(try fixture.folder.contents() == before)
    }
  }

  /// What is missing when it ends, and a name that is taken meanwhile, are told of the final place, too.
  @Test func errorsAtTheEndNameTheFinalPlace() throws {
    let path = try fixture.single()
    let error = #expect(throws: SafetensorsFileError.self) { try writer(path).commit() }
    #expect(error?.path == path + "-2of4/model.safetensors")
    let output = try writer(path)
    try output.copyRemaining()
    try folder.write("in the way", to: "model-2of4")
    #expect(throws: CheckpointOutputError.exists(path: path + "-2of4")) { try output.commit() }
    #expect(try folder.read("model-2of4") == Array("in the way".utf8))
  }
}
