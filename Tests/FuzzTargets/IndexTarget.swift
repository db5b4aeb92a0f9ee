internal import SparseCore
internal import SparseModel
package import TestSupport

/// A `model.safetensors.index.json` beside two shards, and a file outside that no index may reach.
package struct IndexTarget: FuzzTarget {
  package static let name = "index"
  private let folder: TemporaryFolder

  package init(in folder: TemporaryFolder) throws {
    self.folder = folder
    try Self.writeShard(
      ["a.0.weight", "both.0.weight"], to: folder.write("", to: "model/one.safetensors"))
    try Self.writeShard(
      ["b.1.weight", "both.0.weight"], to: folder.write("", to: "model/two.safetensors"))
    try Self.writeShard(["secret"], to: folder["outside.safetensors"])
  }

  private static func writeShard(_ names: [String], to path: String) throws {
    let writer = try SafetensorsWriter(
      path: path, tensors: names.map { TensorSpec(name: $0, dtype: .f32, shape: [1, 4]) })
    for name in names {
      try writer.write(ByteView(copying: (0..<16).map { UInt8($0) }), as: name)
    }
    try writer.commit()
  }

  package func read(_ bytes: [UInt8]) throws {
    try folder.write(bytes, to: "model/model.safetensors.index.json")
    let checkpoint = try Checkpoint(path: folder["model"])
    precondition(checkpoint["secret"] == nil, "a file outside the folder was read")
    let compute = Compute(threads: 1)
    _ = try checkpoint.inspect(on: compute)
    let run = try PruneRun(
      checkpoint.path, PruneOptions(method: .magnitude, output: folder["out"], force: true))
    _ = try run.run(on: compute)
    let written = try Checkpoint(path: folder["out"])
    precondition(
      written.tensors.map(\.name) == checkpoint.tensors.map(\.name), "tensors were lost")
    let left = try folder.contents().filter { !$0.hasPrefix("model") && !$0.hasPrefix("out") }
    precondition(left.isEmpty, "\(left) was written")
  }
}
