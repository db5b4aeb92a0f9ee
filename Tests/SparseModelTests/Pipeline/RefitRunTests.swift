import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Weights of a 2:4 model solved anew against its dense original.
@Suite struct RefitRunTests {
  private static let calibration = CalibrationOptions(
    source: .text(path: ModelFixture.tiny.file("calibration.txt")), samples: 8, length: 64)

  @Test func theErrorFallsAndWhatWasZeroStaysZero() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let masks = try place.prune(.wanda, Self.calibration, to: "wanda")
    let options = PruneOptions(
      dense: place.input, calibration: Self.calibration, output: place.folder["refit"])
    let report = try PruneRun(place.folder["wanda"], options).run()
    #expect(report.method == "refit" && report.layers.count == 28)
    // Errors are those against the dense weights, measured on the inputs that each run has seen.
    #expect(
      try #require(report.meanSquaredRelativeError)
        < 0.8 * #require(masks.meanSquaredRelativeError))
    let (before, after) = try (
      Checkpoint(path: place.folder["wanda"]), Checkpoint(path: place.folder["refit"])
    )
    for layer in masks.layers {
      let (old, new) = try (Matrix(before.matrix(layer.name)), Matrix(after.matrix(layer.name)))
      #expect(zip(old.values, new.values).allSatisfy { $0 != 0 || $1 == 0 })
      #expect(old != new)
    }
    #expect(try after.check().passed)
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 128, count: 16)
    let perplexities = try [before, after].map {
      try LanguageModel($0).perplexity(of: windows).perplexity
    }
    #expect(perplexities[1] < 0.95 * perplexities[0], "\(perplexities)")
  }

  @Test func aDenseModelThatDoesNotMatchIsRefused() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    try place.prune(.magnitude, to: "sparse")
    let name = "model.layers.2.mlp.down_proj.weight"
    func refit(_ sparse: String, dense: String) throws {
      let options = PruneOptions(
        dense: dense, calibration: Self.calibration, output: place.folder["out"])
      _ = try PruneRun(sparse, options)
    }
    let folder = try TemporaryFolder()
    var other = try EditedModel(.tiny)
    other.remove(name)
    let missing = try other.write(to: folder, "missing")
    #expect(throws: RefitError.missing(tensor: name, dense: missing)) {
      try refit(place.folder["sparse"], dense: missing)
    }
    other.put(name, [4, 8], [Float](repeating: 1, count: 32))
    let shaped = try other.write(to: folder, "shaped")
    #expect(throws: RefitError.self) { try refit(place.folder["sparse"], dense: shaped) }
    #expect(throws: RefitError.nothingSparse(path: place.input)) {
      try refit(place.input, dense: place.input)
    }
  }
}
