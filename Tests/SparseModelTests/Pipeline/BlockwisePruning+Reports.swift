import SparseCore

@testable import SparseModel

extension BlockwisePruning {
  /// What becomes of every layer when all blocks are pruned.
  func reports(
    on windows: TokenWindows, write: @escaping (String, StoredMatrix) throws -> Void
  ) throws -> [LayerReport] {
    var reports: [LayerReport] = []
    try run(
      on: windows, write: write, finished: { _, _, _, layers, _ in reports += layers },
      progress: { _ in })
    return reports
  }
}
