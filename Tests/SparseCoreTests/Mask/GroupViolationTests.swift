import SparseCore
import TestSupport
import Testing

@Suite struct GroupViolationTests {
  /// A group and what it should be called; nil where it is 2:4.
  struct Case: Sendable {
    let values: [Float]
    let nonZeros: Int
    let reason: String?
    let isForIntegers: Bool

    init(_ values: [Float], _ nonZeros: Int, _ reason: String?, isForIntegers: Bool = true) {
      (self.values, self.nonZeros) = (values, nonZeros)
      (self.reason, self.isForIntegers) = (reason, isForIntegers)
    }
  }

  static let cases = [
    Case([0, 0, 0, 0], 0, nil), Case([1, -0.0, 0, -2], 2, nil),
    Case([0, 1, 2, 3], 3, "3 non-zeros"),
    Case([1, 1, 1, 1], 4, "4 non-zeros"),
    Case([0, .nan, 0, 0], 1, "NaN or infinity", isForIntegers: false),
    Case([1, 0, 0, -.infinity], 2, "NaN or infinity", isForIntegers: false),
    Case(
      [.nan, 1, .infinity, 0], 3, "3 non-zeros, NaN or infinity among them", isForIntegers: false),
  ]

  /// The values as a checkpoint stores them; signed bytes hold whole numbers.
  private func stored(_ values: [Float], as type: ScalarType, columns: Int) -> ByteView {
    if type == .int8 { return ByteView(copying: values.map { UInt8(bitPattern: Int8($0)) }) }
    let matrix = Matrix(rows: values.count / max(1, columns), columns: columns, values)
    return StoredMatrix(matrix, as: type).bytes
  }

  private func first(
    _ values: [Float], _ type: ScalarType, columns: Int, _ kernels: KernelSet = .best
  ) -> GroupViolation? {
    GroupViolation(
      firstIn: stored(values, as: type, columns: columns), type: type,
      rows: values.count / max(1, columns), columns: columns, on: Compute(kernels: kernels))
  }

  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func everyKindIsFoundWhereverItIs(kernels: KernelSet, type: ScalarType) {
    let (rows, columns) = (5, 76)  // longer than a kernel's run of 64, and not a multiple of it
    for test in Self.cases where type != .int8 || test.isForIntegers {
      for (row, group) in [(0, 0), (0, 18), (2, 7), (4, 16), (4, 18)] {
        var values = (0..<rows * columns).map { Float($0 % 4 == 1 ? 3 : 0) }
        let start = row * columns + 4 * group
        values.replaceSubrange(start..<start + 4, with: test.values)
        // What comes after the first does not matter.
        for later in stride(from: start + 4, to: values.count, by: 36) {
          values.replaceSubrange(later..<later + 4, with: [1, 1, 1, 1])
        }
        let found = first(values, type, columns: columns, kernels)
        if let reason = test.reason {
          #expect(
            found?.description == "row \(row), group \(group): \(reason)", "\(type) \(test.values)")
          #expect(found?.row == row && found?.group == group && found?.columns == 4)
          #expect(found?.nonZeros == test.nonZeros)
          #expect(found?.isFinite == !reason.contains("NaN"))
        } else {
          #expect(found?.row != row || found?.group != group, "\(type) \(test.values)")
        }
      }
    }
  }

  /// What counts and what is found are judged alike, whatever the values.
  @Test(arguments: ScalarType.floatingPoint, 0..<40 as Range<UInt64>)
  func thereIsAFirstWhereverOneIsCounted(type: ScalarType, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let columns = [1, 3, 4, 6, 8, 64, 66, 132].randomElement(using: &random) ?? 4
    let choices: [Float] = [0, 0, 0, 0, 0, 0, 0, 0, -0.0, 1, .nan]
    let values = (0..<columns * Int.random(in: 0...4, using: &random)).map { _ in
      choices.randomElement(using: &random) ?? 0
    }
    let rows = values.count / columns
    let weight = StoredMatrix(
      rows: rows, columns: columns, type: type, bytes: stored(values, as: type, columns: columns))
    var expected: (row: Int, group: Int)?
    for row in (0..<rows).reversed() {
      for group in (0..<(columns + 3) / 4).reversed() {
        let places = 4 * group..<min(columns, 4 * group + 4)
        let held = places.map { values[row * columns + $0] }
        if held.count < 4 || held.count(where: { $0 != 0 }) > 2 || held.contains(where: \.isNaN) {
          expected = (row, group)
        }
      }
    }
    let found = GroupViolation(firstIn: weight)
    #expect(found?.row == expected?.row && found?.group == expected?.group, "seed \(seed)")
    #expect((found == nil) == (PatternCheck(weight).violations == 0), "seed \(seed)")
  }

  @Test(arguments: ScalarType.allCases)
  func aShorterGroupAtTheEndOfARowIsNamedByItsColumns(type: ScalarType) {
    let found = first([1, 0, 0, 2, 0, 1, 1, 0, 0, 2, 0, 1], type, columns: 6)
    #expect(found?.description == "row 0, group 1: 2 columns instead of 4")
    #expect(found?.columns == 2 && found?.nonZeros == 1)
    // A whole group before it comes first.
    #expect(
      first([1, 1, 1, 2, 0, 1], type, columns: 6)?.description == "row 0, group 0: 4 non-zeros")
    #expect(
      first([0, 0, 5], type, columns: 3)?.description == "row 0, group 0: 3 columns instead of 4")
  }

  @Test func nothingHasNoViolation() {
    #expect(first([], .float32, columns: 0) == nil)
    #expect(GroupViolation(firstIn: StoredMatrix(Matrix(rows: 3, columns: 0))) == nil)
  }
}
