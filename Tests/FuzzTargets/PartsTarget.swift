internal import SparseCore
internal import SparseModel
package import TestSupport

/// The manifest of a part that is to be merged: true statistics, or a true part of a pruned model, under a foreign text.
///
/// Whatever the text claims, the parts are refused, or put together without reading beyond what is there.
package struct PartsTarget: FuzzTarget {
  package static let name = "parts"
  private let folder: TemporaryFolder
  private let statistics: SafetensorsFile
  private let pruned: SafetensorsFile

  package init(in folder: TemporaryFolder) throws {
    self.folder = folder
    let source = Package.path("Tests/Fixtures/architectures/qwen2")
    for name in ["config.json", "model.safetensors"] {
      let bytes = try FileSystem.contents(of: "\(source)/\(name)").withUnsafeBytes { Array($0) }
      try folder.write(bytes, to: "model/\(name)")
    }
    let compute = Compute(threads: 1)
    let calibration = CalibrationOptions(samples: 2, length: 4)
    _ = try CalibrateRun(
      folder["model"],
      CalibrateOptions(calibration: calibration, kind: .norms, output: folder["statistics"])
    ).run(on: compute)
    _ = try LayerwiseRun(
      folder["model"], PruneOptions(method: .magnitude, output: folder["pruned"]),
      statistics: nil, selection: .blocks(0..<2)
    ).run(on: compute)
    statistics = try SafetensorsFile(path: folder["statistics"])
    pruned = try SafetensorsFile(path: folder["pruned"])
  }

  package func read(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    // A part of a pruned model says what it is part of.
    let original = text.contains("\"identity\"") ? pruned : statistics
    var metadata = original.metadata
    let key = original === pruned ? "sparsify-part" : "sparsify-statistics"
    precondition(metadata[key] != nil, "\(original.path) has no \(key)")
    metadata[key] = text
    let writer = try SafetensorsWriter(
      path: folder["part"], tensors: original.tensors.map(\.spec), metadata: metadata)
    for tensor in original.tensors { try writer.write(original.bytes(of: tensor), as: tensor.name) }
    try writer.commit()
    let compute = Compute(threads: 1)
    if original === pruned {
      _ = try PrunedMerge(
        [folder["part"]], model: folder["model"], output: folder["out"], force: true
      ).run(on: compute)
    } else {
      _ = try StatisticsMerge([folder["part"]], output: folder["merged"], force: true)
        .run(on: compute)
      let options = PruneOptions(method: .wanda, output: folder["wanda"], force: true)
      _ = try LayerwiseRun(folder["model"], options, statistics: folder["merged"]).run(on: compute)
    }
  }
}
