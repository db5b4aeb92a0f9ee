/// Which of several equal parts of some work is meant, counted from 0 as array jobs count: `2/8` is the third of eight.
public struct WorkPart: Sendable, Equatable, CustomStringConvertible {
  /// The part's number, less than ``count``.
  public let index: Int
  /// The number of parts.
  public let count: Int

  /// Part `index` of `count`; nil where there is no such part.
  public init?(_ index: Int, of count: Int) {
    guard index >= 0, index < count else { return nil }
    self.index = index
    self.count = count
  }

  /// The part as it is typed: `2/8`.
  public var description: String { "\(index)/\(count)" }

  /// The part's share of 0..<total: neighbouring parts meet, and no two differ by more than one.
  public func range(of total: Int) -> Range<Int> {
    start(index, total)..<start(index + 1, total)
  }

  /// ⌊part · total / count⌋ without a product that could overflow.
  private func start(_ part: Int, _ total: Int) -> Int {
    part * (total / count) + part * (total % count) / count
  }
}

/// Which of the calibration sequences a run takes.
public enum SampleSelection: Sendable, Equatable {
  /// All of them.
  case all
  /// One of several parts, as even as they can be.
  case part(WorkPart)
  /// These, counted from 0.
  case range(Range<Int>)

  /// The sequences out of `total`.
  ///
  /// - Throws: ``PartError`` where these are none, or more than there are.
  func range(of total: Int) throws(PartError) -> Range<Int> {
    switch self {
    case .all: return 0..<total
    case .part(let part):
      let range = part.range(of: total)
      guard !range.isEmpty else { throw .tooManyParts(part, of: "samples", count: total) }
      return range
    case .range(let range):
      try range.check(of: "samples", count: total)
      return range
    }
  }
}

extension Range<Int> {
  /// Throws where a range is empty, or reaches beyond 0..<count.
  func check(of unit: String, count: Int) throws(PartError) {
    guard !isEmpty, lowerBound >= 0, upperBound <= count else {
      throw .outOfRange(self, of: unit, count: count)
    }
  }
}

/// Why there is no such part of the work.
public enum PartError: Error, Equatable {
  /// A range of blocks or samples that is empty or reaches beyond what there is.
  case outOfRange(Range<Int>, of: String, count: Int)
  /// There are fewer blocks or samples than parts, and this part would be empty.
  case tooManyParts(WorkPart, of: String, count: Int)
}

extension PartError: CustomStringConvertible {
  /// One line with both numbers.
  public var description: String {
    switch self {
    case .outOfRange(let range, let unit, let count):
      "\(unit) \(range.text) are not among the \(unit) 0..<\(count)"
    case .tooManyParts(let part, let unit, let count):
      "part \(part) is empty: there are \(count) \(unit)"
    }
  }
}

extension Range<Int> {
  /// The range as it is typed: `0..<8`.
  var text: String { "\(lowerBound)..<\(upperBound)" }
}
