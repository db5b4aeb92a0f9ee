import SparseCore
import Testing

@Suite struct ChannelPermutationTests {
  private func permutation(_ count: Int, seed: UInt64) -> ChannelPermutation {
    var random = SplitMix64(seed: seed)
    return ChannelPermutation((0..<count).shuffled(using: &random))
  }

  @Test(arguments: [0, 1, 2, 7, 64])
  func theInverseMovesEverythingBack(count: Int) {
    let permutation = permutation(count, seed: 1)
    let values = (0..<count).map { "\($0)" }
    #expect(values.permuted(by: permutation).permuted(by: permutation.inverse) == values)
    #expect(values.permuted(by: permutation) == permutation.order.map { "\($0)" })
    #expect(permutation.inverse.inverse == permutation)
    #expect(permutation.isIdentity == (count < 2))
    #expect(values.permuted(by: ChannelPermutation(identity: count)) == values)
  }

  @Test(arguments: [(0, 4), (3, 1), (5, 12), (130, 33)])
  func aMatrixIsPermutedByRowsAndColumns(shape: (rows: Int, columns: Int)) {
    let matrix = randomMatrix(shape.rows, shape.columns, seed: 2)
    let rows = permutation(shape.rows, seed: 3)
    let columns = permutation(shape.columns, seed: 4)
    let byRows = matrix.permuted(rows: rows)
    let byColumns = matrix.permuted(columns: columns, on: Compute(threads: 3))
    for row in 0..<shape.rows {
      for column in 0..<shape.columns {
        #expect(byRows[row, column] == matrix[rows.order[row], column])
        #expect(byColumns[row, column] == matrix[row, columns.order[column]])
      }
    }
    #expect(byColumns.permuted(columns: columns.inverse) == matrix)
    #expect(byRows.permuted(rows: rows.inverse) == matrix)
  }

  /// All bytes at random, so that a NaN's payload or the sign of a zero would show; at an odd address.
  @Test(arguments: ScalarType.floatingPoint)
  func storedBytesStayAsTheyAre(type: ScalarType) {
    let (rows, columns, size) = (37, 20, type.byteCount)
    var random = SplitMix64(seed: 5)
    let bytes = (0..<rows * columns * size + 1).map { _ in
      UInt8(truncatingIfNeeded: random.next())
    }
    let values = Array(bytes.dropFirst())
    let stored = StoredMatrix(
      rows: rows, columns: columns, type: type,
      bytes: ByteView(copying: bytes)[1..<bytes.count])
    let (byRow, byColumn) = (permutation(rows, seed: 6), permutation(columns, seed: 7))
    let moved = stored.permuted(rows: byRow).permuted(columns: byColumn, on: Compute(threads: 2))
    #expect((moved.rows, moved.columns) == (rows, columns))
    #expect(moved.type == type)
    let expected = byRow.order.flatMap { row in
      byColumn.order.flatMap { column in
        values[(row * columns + column) * size..<(row * columns + column + 1) * size]
      }
    }
    #expect(moved.bytes.withUnsafeBytes { Array($0) } == expected)
  }

  /// Scales go with their rows; columns can move where their row has one scale.
  @Test(arguments: [nil, 4] as [Int?])
  func int8ValuesStayAsTheyAre(groupSize: Int?) throws {
    let weight = randomMatrix(9, 12, seed: 8)
    let grid = try Int8Grid(for: weight, groupSize: groupSize)
    let codes = grid.codes(of: weight).map { UInt8(bitPattern: $0) }
    let stored = StoredMatrix(codes: ByteView(copying: codes), on: grid)
    let (byRow, byColumn) = (permutation(9, seed: 9), permutation(12, seed: 10))
    let moved = stored.permuted(rows: byRow)
    #expect(Matrix(moved) == Matrix(stored).permuted(rows: byRow))
    #expect(moved.grid?.groupSize == grid.groupSize)
    if groupSize == nil {
      let columns = stored.permuted(columns: byColumn)
      #expect(Matrix(columns) == Matrix(stored).permuted(columns: byColumn))
      #expect(columns.grid == grid)
    }
  }
}
