internal import SparseCore
internal import SparseModel
package import TestSupport

/// A config.json beside the weights of a small model, which is run where the two agree.
package struct ConfigurationTarget: FuzzTarget {
  package static let name = "config"
  private let folder: TemporaryFolder

  package init(in folder: TemporaryFolder) throws {
    self.folder = folder
    let weights = Package.path("Tests/Fixtures/architectures/qwen2/model.safetensors")
    try folder.write(
      MappedFile(path: weights).bytes.withUnsafeBytes { Array($0) },
      to: "model/model.safetensors")
  }

  package func read(_ bytes: [UInt8]) throws {
    try folder.write(bytes, to: "model/config.json")
    let checkpoint = try Checkpoint(path: folder["model"])
    let compute = Compute(threads: 1)
    _ = try ModelConfiguration(checkpoint).startToken(of: checkpoint)
    let model = try LanguageModel(checkpoint, positions: 2)
    let logits = try model.logits(of: [1, 2], on: compute)
    precondition(logits.columns == model.configuration.vocabulary, "\(logits.columns) logits")
    _ = try? PruneRun(
      checkpoint.path,
      PruneOptions(
        method: .magnitude, quantization: QuantizationOptions(), output: folder["out"], force: true)
    ).run(on: compute)
  }
}
