import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Matrices that wait in memory or in a file.
@Suite struct ActivationStoreTests {
  private static let chunks = [3, 1, 4, 0, 2]

  /// A matrix whose every value says which chunk it is of, and where.
  private func matrix(_ chunk: Int, columns: Int) -> Matrix {
    let count = Self.chunks[chunk] * columns
    return Matrix(
      rows: Self.chunks[chunk], columns: columns, (0..<count).map { Float(1000 * chunk + $0) })
  }

  @Test(arguments: [false, true]) func chunksComeBackFromTheirOwnPlaces(inFile: Bool) throws {
    let folder = try TemporaryFolder()
    let columns = 5
    let size = ActivationStore.byteCount(tokens: Self.chunks.reduce(0, +), columns: columns)
    let file = inFile ? try ScratchFile(beside: folder["out"], size: size + 8) : nil
    var store = ActivationStore(
      chunks: Self.chunks, columns: columns, scratch: file.map { ($0, offset: 8) })
    for chunk in Self.chunks.indices {
      #expect(!store.has(chunk))
      #expect(try store.read(chunk) == nil)
    }
    for chunk in Self.chunks.indices.reversed() {
      try store.put(matrix(chunk, columns: columns), chunk)
    }
    for chunk in Self.chunks.indices {
      #expect(store.has(chunk))
      #expect(try store.read(chunk)?.values == matrix(chunk, columns: columns).values)
    }
    try store.put(nil, 2)
    #expect(!store.has(2))
    #expect(store.has(1))
  }

  /// Where every chunk begins is known without adding all chunks before it up again: a million take a moment.
  @Test(.timeLimit(.minutes(1))) func manyChunksAreLaidOutAtOnce() {
    let store = ActivationStore(
      chunks: [Int](repeating: 2, count: 1_000_000), columns: 1, scratch: nil)
    #expect(!store.has(999_999))
  }
}
