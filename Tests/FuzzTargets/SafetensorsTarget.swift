internal import SparseCore
internal import SparseModel
package import TestSupport

/// A safetensors file: its header, and its tensors as `inspect`, `check`, `prune`, `compress` and `expand` see them.
package struct SafetensorsTarget: FuzzTarget {
  package static let name = "safetensors"
  private let folder: TemporaryFolder

  package init(in folder: TemporaryFolder) { self.folder = folder }

  package func read(_ bytes: [UInt8]) throws {
    let header = try SafetensorsHeader(parsing: ByteView(copying: bytes))
    try layOutAgain(header)
    let checkpoint = try Checkpoint(path: folder.write(bytes, to: "model.safetensors"))
    let compute = Compute(threads: 1)
    let report = try checkpoint.inspect(on: compute)
    precondition(report.tensors.count <= header.tensors.count, "more tensors than in the header")
    _ = try? checkpoint.check(requiring: ["*"], on: compute)
    let output = folder["out.safetensors"]
    _ = try? PruneRun(
      checkpoint.path, PruneOptions(method: .magnitude, output: output, force: true)
    ).run(on: compute)
    let options = EncodingOptions(output: output, force: true)
    _ = try? CompressRun(checkpoint.path, options, on: compute).run(on: compute)
    _ = try? ExpandRun(checkpoint.path, options).run(on: compute)
  }

  /// What was read can be written, and is read again as the same.
  private func layOutAgain(_ header: SafetensorsHeader) throws {
    let layout = try SafetensorsHeader(
      layingOut: header.tensors.map(\.spec), metadata: header.metadata)
    let text = try layout.encoded()
    guard layout.dataByteCount < 1 << 20 else { return }
    let again = try SafetensorsHeader(
      parsing: ByteView(copying: text + [UInt8](repeating: 0, count: layout.dataByteCount)))
    precondition(again.dataByteCount == header.dataByteCount, "bytes were lost")
    precondition(again.metadata == header.metadata, "metadata was lost")
    precondition(again.tensors == layout.tensors, "tensors were lost")
  }
}
