internal import SparseCore
internal import SparseModel
package import TestSupport

/// A measured sensitivity by which layers are to be chosen.
///
/// Whatever it claims, it is refused, or the layers that stay dense are some of the model's.
package struct SensitivityTarget: FuzzTarget {
  package static let name = "sensitivity"
  private let folder: TemporaryFolder
  private let model: Checkpoint
  private let targets: [String]

  package init(in folder: TemporaryFolder) throws {
    self.folder = folder
    model = try Checkpoint(path: Package.path("Tests/Fixtures/architectures/qwen2"))
    targets = try PruneOptions(method: .magnitude).weights(of: model)
  }

  package func read(_ bytes: [UInt8]) throws {
    try folder.write(bytes, to: "sensitivity.json")
    let ranking = try SensitivityRanking(contentsOf: folder["sensitivity.json"])
    let choices: [DenseChoice] = [.count(3), .share(0.4), .above(0.01)]
    let times = try LinearTimes(bytesOf: model, isQuantized: false)
    let chosen =
      try choices.map { try $0.weights(ranking, of: targets, in: model.path) }
      + [SparsityTarget.speedup(1.2), .lossIncrease(0.5)].map {
        try $0.denseWeights(ranking, times, of: targets, in: model.path)
      }
    for names in chosen {
      precondition(Set(names).isSubset(of: targets), "a weight that the model does not have")
    }
  }
}
