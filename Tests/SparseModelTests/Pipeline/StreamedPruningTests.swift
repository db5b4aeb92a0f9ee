internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Magnitude pruning of weights that are longer than what a thread takes on at a time.
@Suite struct StreamedPruningTests {
  private static let names = ["layers.0.a.weight", "layers.1.a.weight"]
  private static let columns = 1132

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file with a long tensor that is not pruned beside weights with ties, each more than a piece
  /// long, so that a row ends up in two pieces.
  private func model(
    _ type: DType, changing change: (inout [Matrix]) -> Void = { _ in }
  ) throws -> String {
    let rows = type == .f32 ? 121 : 241
    var weights = Self.names.indices.map {
      Matrix.withTies(rows: rows, columns: Self.columns, seed: UInt64($0))
    }
    change(&weights)
    let specs =
      Self.names.map { TensorSpec(name: $0, dtype: type, shape: [rows, Self.columns]) }
      + [TensorSpec(name: "embed", dtype: .u8, shape: [1_300_003])]
    let writer = try SafetensorsWriter(path: folder["model.safetensors"], tensors: specs)
    let scalar = try #require(type.scalarType)
    for (name, weight) in zip(Self.names, weights) {
      try writer.write(ByteView(copying: weight.storedBytes(as: scalar)), as: name)
    }
    try writer.write(
      ByteView(copying: (0..<1_300_003).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }),
      as: "embed")
    try writer.commit()
    return writer.path
  }

  @Test(arguments: [(DType.f32, 1), (.f32, 3), (.bf16, 3)])
  func weightsOfSeveralPiecesAreMaskedThroughout(type: DType, threads: Int) throws {
    let path = try model(type)
    let report = try PruneRun(path, PruneOptions(method: .magnitude)).run(
      on: Compute(threads: threads))
    let (before, after) = try (Checkpoint(path: path), Checkpoint(path: report.output))
    #expect(try after.bytes(of: "embed").array == before.bytes(of: "embed").array)
    #expect(report.layers.map(\.name) == Self.names)
    for layer in report.layers {
      let (old, new) = try (Matrix(before.matrix(layer.name)), Matrix(after.matrix(layer.name)))
      let scores = Matrix(rows: old.rows, columns: old.columns, old.values.map { abs($0) })
      let expected = zip(old.values, Reference.keptByScore(scores)).map { $1 ? $0 : 0 }
      #expect(new.values == expected, "\(layer.name)")
      let zeros = expected.count { $0 == 0 }
      #expect(layer.sparsity == Double(zeros) / Double(expected.count))
      #expect(layer.seconds > 0)
    }
  }

  /// The first weight of the file at fault is named, with all its bad values, whichever thread meets which.
  @Test(arguments: [1, 2, 7]) func badValuesInSeveralPiecesAreAllCounted(threads: Int) throws {
    let path = try model(.f32) { weights in
      weights[0][2, 3] = .nan
      weights[0][120, 1131] = .infinity
      weights[1][0, 0] = .nan
    }
    let error = #expect(throws: LayerError.self) {
      try PruneRun(path, PruneOptions(method: .magnitude)).run(on: Compute(threads: threads))
    }
    #expect(error?.layer == Self.names[0])
    #expect(error?.reason == .nonFiniteWeights(count: 2))
    #expect(try folder.contents() == ["model.safetensors"])
  }
}
