internal import SparseCore
internal import SparseModel
package import TestSupport

/// A journal that a run is asked to go on with: the true first line, then foreign entries with fingerprints that are right.
///
/// Whatever they claim, the run ends with the bytes of one that nobody disturbed, or refuses.
package struct JournalTarget: FuzzTarget {
  package static let name = "journal"
  private let folder: TemporaryFolder
  /// What the cut run has left, by the names of the files.
  private let left: [(name: String, bytes: [UInt8])]
  private let firstLine: [UInt8]
  private let expected: [UInt8]

  private struct Cut: Error {}

  package init(in folder: TemporaryFolder) throws {
    self.folder = folder
    let source = Package.path("Tests/Fixtures/architectures/qwen2")
    for name in ["config.json", "model.safetensors"] {
      let bytes = try FileSystem.contents(of: "\(source)/\(name)").withUnsafeBytes { Array($0) }
      try folder.write(bytes, to: "model/\(name)")
    }
    let ids = (0..<24).map { Int32($0 * 5 % 64) }
    let writer = try SafetensorsWriter(
      path: folder["tokens.safetensors"],
      tensors: [TensorSpec(name: "tokens", dtype: .i32, shape: [2, 12])])
    try writer.write(
      ByteView(copying: ids.flatMap { [UInt8($0), 0, 0, 0] }), as: "tokens")
    try writer.commit()
    try Self.run(in: folder, resumes: false)
    expected = try folder.read("out/model.safetensors")
    try FileSystem.removeTree(folder["out"])
    do {
      try Self.run(in: folder, resumes: false) {
        if $0.step.hasPrefix("block 2") { throw Cut() }
      }
    } catch is UnfinishedRun {}
    let names = ["hidden-even", "hidden-odd", "output/config.json", "output/model.safetensors"]
    left = try names.map { ($0, try folder.read("out.partial/\($0)")) }
    let journal = try folder.read("out.partial/journal")
    firstLine = Array(journal.prefix { $0 != 10 }) + [10]
    try FileSystem.removeTree(folder["out.partial"])
  }

  private static func run(
    in folder: TemporaryFolder, resumes: Bool, progress: ProgressHandler = { _ in }
  ) throws {
    let options = PruneOptions(
      method: .wanda,
      calibration: CalibrationOptions(source: .tokens(path: folder["tokens.safetensors"])),
      output: folder["out"], force: !resumes, resumes: resumes)
    _ = try PruneRun(folder["model"], options).run(on: Compute(threads: 1), progress: progress)
  }

  package func read(_ bytes: [UInt8]) throws {
    for name in ["out", "out.partial"] where FileSystem.isTaken(folder[name]) {
      try FileSystem.removeTree(folder[name])
    }
    for (name, bytes) in left { try folder.write(bytes, to: "out.partial/\(name)") }
    let entries = bytes.split(separator: 10).map { Journal.line(Array($0)) }
    try folder.write(firstLine + entries.flatMap { $0 }, to: "out.partial/journal")
    try Self.run(in: folder, resumes: true)
    let written = try folder.read("out/model.safetensors")
    precondition(written == expected, "a journal has changed the output")
  }
}
