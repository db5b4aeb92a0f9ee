/// The generation of a GPU, as NVIDIA counts: 9.0 is an H100.
public struct ComputeCapability: Sendable, Equatable, Comparable, CustomStringConvertible {
  /// The number before the point.
  public let major: Int
  /// The number behind it.
  public let minor: Int

  /// The capability `major.minor`.
  public init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// The first with sparse tensor cores: Ampere's.
  public static let firstSparse = ComputeCapability(8, 0)

  /// By age.
  public static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }

  /// Such as "9.0".
  public var description: String { "\(major).\(minor)" }
}
