/// A pattern for whole names, such as `*.q_proj.*`.
///
/// `*` stands for any text, `?` for one character, `[a-c4]` for one of a set and `[!a-c4]` for one
/// outside it; everything else stands for itself. A dot is a character like any other, so that
/// `*.q_proj.*` finds the weight in every block. Names are compared Unicode scalar by scalar, and
/// case counts.
package struct Glob: Sendable, Equatable, CustomStringConvertible {
  /// The pattern as it was written.
  package let description: String
  private let pieces: [Piece]

  private enum Piece: Equatable {
    case anyText
    case oneOf([ClosedRange<Unicode.Scalar>], isInverted: Bool)
    case any
    case scalar(Unicode.Scalar)
  }

  /// Reads a pattern.
  ///
  /// A `]` that comes first in a set stands for itself, as does a `-` at either end.
  package init(_ pattern: String) throws(GlobError) {
    guard !pattern.isEmpty else { throw .empty }
    description = pattern
    var pieces: [Piece] = []
    var rest = Array(pattern.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "*": if pieces.last != .anyText { pieces.append(.anyText) }
      case "?": pieces.append(.any)
      case "[": pieces.append(try Glob.set(&rest, of: pattern))
      default: pieces.append(.scalar(scalar))
      }
    }
    self.pieces = pieces
  }

  /// Whether the pattern stands for the whole of `name`.
  ///
  /// - Complexity: O(length of the name · length of the pattern) at worst.
  package func matches(_ name: String) -> Bool {
    let name = Array(name.unicodeScalars)
    var piece = 0
    var index = 0
    // Where to take up again after a mismatch: the last `*`, and how much it stands for so far.
    var star: (piece: Int, index: Int)?
    while index < name.count {
      if piece < pieces.count, pieces[piece] == .anyText {
        star = (piece, index)
        piece += 1
      } else if piece < pieces.count, Glob.matches(pieces[piece], name[index]) {
        piece += 1
        index += 1
      } else if let last = star {
        star = (last.piece, last.index + 1)
        piece = last.piece + 1
        index = last.index + 1
      } else {
        return false
      }
    }
    return pieces[piece...].allSatisfy { $0 == .anyText }
  }

  private static func matches(_ piece: Piece, _ scalar: Unicode.Scalar) -> Bool {
    switch piece {
    case .anyText: false
    case .any: true
    case .scalar(let expected): scalar == expected
    case .oneOf(let ranges, let isInverted):
      ranges.contains { $0.contains(scalar) } != isInverted
    }
  }

  /// Reads a set up to its `]`; the `[` is already gone from `rest`.
  private static func set(
    _ rest: inout ArraySlice<Unicode.Scalar>, of pattern: String
  ) throws(GlobError) -> Piece {
    let isInverted = rest.first == "!" || rest.first == "^"
    if isInverted { rest.removeFirst() }
    guard let end = rest.dropFirst().firstIndex(of: "]") else { throw .openSet(pattern) }
    var members = rest[..<end]
    rest = rest[(end + 1)...]
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while let low = members.popFirst() {
      guard members.first == "-", let high = members.dropFirst().first else {
        ranges.append(low...low)
        continue
      }
      guard low <= high else { throw .backwardRange(pattern, low: low, high: high) }
      ranges.append(low...high)
      members.removeFirst(2)
    }
    return .oneOf(ranges, isInverted: isInverted)
  }
}

/// Why a pattern can't be read.
package enum GlobError: Error, Equatable, CustomStringConvertible {
  /// The pattern has no characters.
  case empty
  /// A `[` has no `]` after it.
  case openSet(String)
  /// A range such as `[z-a]` runs downwards.
  case backwardRange(String, low: Unicode.Scalar, high: Unicode.Scalar)

  /// One line that says what is wrong.
  package var description: String {
    switch self {
    case .empty: "a pattern must not be empty"
    case .openSet(let pattern): "'[' without ']' in pattern '\(pattern)'"
    case .backwardRange(let pattern, let low, let high):
      "range '\(low)-\(high)' runs downwards in pattern '\(pattern)'"
    }
  }
}
