internal import Foundation
internal import SparseCore
internal import SparseModel
internal import TestSupport

/// A checkpoint of Tests/Fixtures, and what the reference computes from it.
struct ModelFixture: CustomStringConvertible, Sendable {
  /// The folder within Tests/Fixtures.
  let name: String

  /// The trained model.
  static let tiny = ModelFixture(name: "tiny-llama")
  /// One random model of each kind that the decoder runs.
  static let architectures = ["llama-biases", "llama-rope-scaling", "mistral", "qwen2"].map {
    ModelFixture(name: "architectures/\($0)")
  }

  var description: String { name }
  var path: String { Self.fixtures + "/" + name }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { path + "/" + name }

  func checkpoint() throws -> Checkpoint { try Checkpoint(path: path) }
  func decoder() throws -> LanguageModel { try LanguageModel(checkpoint()) }
  func golden() throws -> JSON { try JSON(parsing: MappedFile(path: file("golden.json")).bytes) }

  /// The tokens of one of the folder's texts, cut into windows.
  func windows(_ text: String, length: Int, count: Int? = nil) throws -> TokenWindows {
    let ids = try Tokenizer(for: checkpoint()).encode(contentsOf: file(text))
    let windows = TokenWindows(cutting: ids, length: length)
    return windows.first(count ?? windows.count)
  }

  private static let fixtures =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures").path
}

extension JSON {
  /// The numbers of a list.
  var doubles: [Double] { array?.compactMap(\.double) ?? [] }
  /// The token ids of a list.
  var ids: [Int32] { array?.compactMap { $0.int.map { Int32($0) } } ?? [] }
}

extension Matrix {
  /// The largest difference of two matrices of one shape; infinite for different shapes and NaN.
  func distance(to other: Matrix) -> Double {
    guard rows == other.rows, columns == other.columns else { return .infinity }
    return zip(values, other.values).reduce(0) { worst, pair in
      let difference = abs(Double(pair.0) - Double(pair.1))
      return difference.isNaN ? .infinity : max(worst, difference)
    }
  }

  /// The largest magnitude.
  var largest: Double { values.reduce(0) { max($0, abs(Double($1))) } }
}
