/// The values that a weight can have in symmetric INT8: for each row, or each group of a row's columns, −127…127 times a scale.
///
/// The scale is max|w| / 127 of the weights that it serves, and 1 where they are all zero. −128 is never
/// used, so the grid is symmetric, and 0 is on it: a pruned weight stays exactly 0.
///
/// ```swift
/// let weight = Matrix(rows: 1, columns: 4, [0.5, -1.27, 0, 0.014])
/// let grid = try Int8Grid(for: weight)
/// grid.scales            // [0.01]
/// grid.codes(of: weight) // [50, -127, 0, 1]
/// ```
public struct Int8Grid: Sendable, Equatable {
  /// The number of rows of the weight.
  public let rows: Int
  /// The number of columns of the weight.
  public let columns: Int
  /// The number of neighbouring columns that share a scale: a multiple of 4, or all of them where there is one scale per output channel.
  ///
  /// A weight without columns has one scale per row, whatever size is asked for.
  public let groupSize: Int
  /// The scales, row after row, ``groups`` for each; positive and finite.
  public let scales: [Float]

  /// The number of scales of a row.
  public var groups: Int { Int8Grid.groups(columns: columns, groupSize: groupSize) }

  /// Whether there is one scale per output channel.
  public var isPerChannel: Bool { groups == 1 }

  /// A grid with given scales: one for each row, or for each group of `groupSize` columns of each row.
  public init(rows: Int, columns: Int, groupSize: Int? = nil, scales: [Float]) {
    let groupSize = columns == 0 ? 0 : groupSize ?? columns
    precondition(
      Int8Grid.allows(groupSize: groupSize, columns: columns),
      "Int8Grid: \(columns) columns in groups of \(groupSize)")
    let count = rows * Int8Grid.groups(columns: columns, groupSize: groupSize)
    precondition(scales.count == count, "Int8Grid: \(scales.count) scales, \(count) groups")
    self.rows = rows
    self.columns = columns
    self.groupSize = groupSize
    self.scales = scales
  }

  /// The grid that fits a weight: its largest magnitude in each row, or each group, is 127 steps.
  ///
  /// Scales are float32, at least the smallest normal number.
  ///
  /// - Parameter groupSize: the number of neighbouring columns that share a scale; nil for whole rows.
  /// - Throws: ``QuantizationError`` for a weight that is not finite and for a group size that is no multiple of 4 or does not divide its columns.
  public init(
    for weight: Matrix, groupSize: Int? = nil, on compute: Compute = .automatic
  ) throws(QuantizationError) {
    let (rows, columns) = (weight.rows, weight.columns)
    let size = columns == 0 ? 0 : groupSize ?? columns
    guard Int8Grid.allows(groupSize: size, columns: columns) else {
      throw .groupSize(size, columns: columns)
    }
    let bad = weight.countNotFinite(on: compute)
    guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
    let groups = Int8Grid.groups(columns: columns, groupSize: size)
    let scales = [Float](unsafeUninitializedCapacity: rows * groups) { buffer, count in
      count = rows * groups
      weight.values.withUnsafeBufferPointer { values in
        nonisolated(unsafe) let (from, to) = (values.start, buffer.start)
        Parallel.forEachRange(
          of: count, size: max(1, blockValues / max(1, size)), threads: compute.threads
        ) { range in
          for group in range {
            let most = compute.kernels.maxMagnitude(size, from + group * size)
            to[group] = most == 0 ? 1 : max(most / 127, .leastNormalMagnitude)
          }
        }
      }
    }
    self.init(rows: rows, columns: columns, groupSize: size, scales: scales)
  }

  /// The scale of the weight at `row` and `column`.
  public func scale(row: Int, column: Int) -> Float {
    precondition(
      row >= 0 && row < rows && column >= 0 && column < columns,
      "Int8Grid: [\(row), \(column)] is outside \(rows) × \(columns)")
    return scales[row * groups + column / groupSize]
  }

  /// The grid with its scales rounded to `type`, so that who computes with scales of that type computes with the same numbers.
  ///
  /// Each is the nearest number of the type that is normal and finite: what would be 0 or lose bits is
  /// the smallest normal number, about 6.1e-5 in float16.
  ///
  /// - Parameter type: a floating-point type.
  public func withScales(roundedTo type: ScalarType, on compute: Compute = .automatic) -> Int8Grid {
    let matrix = Matrix(rows: rows, columns: groups, scales)
    let rounded = Matrix(StoredMatrix(matrix, as: type, on: compute), on: compute)
    return Int8Grid(
      rows: rows, columns: columns, groupSize: groupSize,
      scales: rounded.values.map { min(max($0, type.smallestNormal), type.largest) })
  }

  /// The grid of some neighbouring rows.
  func rows(_ range: Range<Int>) -> Int8Grid {
    Int8Grid(
      rows: range.count, columns: columns, groupSize: groupSize,
      scales: Array(scales[range.lowerBound * groups..<range.upperBound * groups]))
  }

  /// Neighbouring inputs whose products can be summed as integers: those that share a scale, as long as their sums fit.
  var segments: [(inputs: Range<Int>, group: Int)] {
    (0..<groups).flatMap { group in
      let end = (group + 1) * groupSize
      return stride(from: group * groupSize, to: end, by: KernelSet.exactInputs).map {
        ($0..<min($0 + KernelSet.exactInputs, end), group)
      }
    }
  }

  /// The number of scales of a row of so many columns.
  package static func groups(columns: Int, groupSize: Int) -> Int {
    columns == 0 || columns == groupSize ? 1 : columns / groupSize
  }

  /// Whether rows fall into such groups, and none of them ends within a group of four.
  package static func allows(groupSize: Int, columns: Int) -> Bool {
    groupSize == columns || (groupSize > 0 && groupSize % 4 == 0 && columns % groupSize == 0)
  }
}

extension Int8Grid {
  /// The codes of a weight on this grid: w / scale, rounded half to even and clamped to −127…127, row after row.
  ///
  /// - Parameter weight: of the grid's shape, finite.
  public func codes(of weight: Matrix, on compute: Compute = .automatic) -> [Int8] {
    return [Int8](unsafeUninitializedCapacity: rows * columns) { buffer, count in
      count = rows * columns
      code(weight, into: buffer, on: compute)
    }
  }

  /// Writes the codes of a weight, which is finite.
  func code(_ weight: Matrix, into codes: UnsafeMutableBufferPointer<Int8>, on compute: Compute) {
    checkShape(weight.rows, weight.columns)
    weight.values.withUnsafeBufferPointer { values in
      nonisolated(unsafe) let (from, to) = (values.start, codes.start)
      forEachGroup(on: compute) { start, scale in
        compute.kernels.quantize(groupSize, from + start, scale: scale, into: to + start)
      }
    }
  }

  /// The values that codes stand for: each times its scale, in float32.
  ///
  /// - Parameter codes: `rows · columns` of them, row after row.
  public func matrix(of codes: [Int8], on compute: Compute = .automatic) -> Matrix {
    precondition(
      codes.count == rows * columns,
      "Int8Grid: \(rows) × \(columns) needs \(rows * columns) codes, got \(codes.count)")
    return Matrix(rows: rows, columns: columns) { out in
      codes.withUnsafeBufferPointer { codes in
        nonisolated(unsafe) let (from, to) = (codes.start, out.start)
        forEachGroup(on: compute) { start, scale in
          compute.kernels.dequantize(groupSize, from + start, scale: scale, into: to + start)
        }
      }
    }
  }

  /// A weight with each value moved to the grid's nearest: what its codes stand for.
  ///
  /// - Parameter weight: of the grid's shape, finite.
  public func rounded(_ weight: Matrix, on compute: Compute = .automatic) -> Matrix {
    matrix(of: codes(of: weight, on: compute), on: compute)
  }

  /// Calls `body` with the place of each group's first value and its scale.
  func forEachGroup(on compute: Compute, _ body: @Sendable (_ start: Int, _ scale: Float) -> Void) {
    Parallel.forEachRange(
      of: scales.count, size: max(1, blockValues / max(1, groupSize)), threads: compute.threads
    ) { range in
      for group in range { body(group * groupSize, scales[group]) }
    }
  }

  func checkShape(_ rows: Int, _ columns: Int) {
    precondition(
      rows == self.rows && columns == self.columns,
      "Int8Grid: a weight of \(rows) × \(columns), a grid of \(self.rows) × \(self.columns)")
  }
}

/// Values per piece of work: enough to outweigh the handing out.
private let blockValues = 1 << 15

extension ScalarType {
  /// The smallest positive number with all its bits.
  fileprivate var smallestNormal: Float { self == .float16 ? 0x1p-14 : .leastNormalMagnitude }

  /// The largest number.
  fileprivate var largest: Float {
    switch self {
    case .float32, .int8: .greatestFiniteMagnitude
    case .float16: 65504
    case .bfloat16: Float(bitPattern: 0x7F7F_0000)
    }
  }
}
