import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// A head that repeats the embedding, as some trainers write it, in training: loaders compare the two.
@Suite struct RedundantHeadTests {
  private static let embedding = "model.embed_tokens.weight"
  private static let head = "lm_head.weight"
  private static let dtypes: [ScalarType: DType] = [
    .float32: .f32, .float16: .f16, .bfloat16: .bf16,
  ]

  private func place(as type: ScalarType, head: ScalarType) throws -> TrainingPlace {
    try TrainingPlace(as: type) { model in
      guard let table = model.tensors.first(where: { $0.spec.name == Self.embedding }) else {
        return
      }
      let (rows, columns) = (table.spec.shape[0], table.spec.shape[1])
      // Few bits, which every type holds.
      let values = (0..<rows * columns).map { Float(($0 * 37) % 61 - 30) / 64 }
      let matrix = Matrix(rows: rows, columns: columns, values)
      for (name, type) in [(Self.embedding, type), (Self.head, head)] {
        let stored = StoredMatrix(matrix, as: type)
        model.put(name, Self.dtypes[type] ?? .f32, [rows, columns], stored.bytes.array)
      }
    }
  }

  @Test(
    arguments: [
      (ScalarType.bfloat16, ScalarType.bfloat16), (.float32, .float32), (.float32, .bfloat16),
      (.bfloat16, .float32), (.float32, .float16),
    ])
  func bothTablesStayTheSame(type: ScalarType, head: ScalarType) throws {
    let place = try place(as: type, head: head)
    try place.run(place.options(.both))
    let (before, after) = try (place.checkpoint("sparse"), place.checkpoint("out"))
    let tables = try [Self.embedding, Self.head].map { try Matrix(after.matrix($0)).values }
    #expect(tables[0] == tables[1])
    #expect(try tables[0] != Matrix(before.matrix(Self.embedding)).values)
    #expect(after.tensors.map(\.info.spec) == before.tensors.map(\.info.spec))
    #expect(try LanguageModel(after).redundantHead == Self.head)
  }
}
