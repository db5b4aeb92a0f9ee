#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The few functions of the C library's mathematics that the standard library lacks.
package enum Math {
  /// The cosine of an angle in radians.
  package static func cosine(_ x: Double) -> Double { cos(x) }
  /// The sine of an angle in radians.
  package static func sine(_ x: Double) -> Double { sin(x) }
  /// e to the power x.
  package static func exponential(_ x: Double) -> Double { exp(x) }
  /// The natural logarithm of x.
  package static func logarithm(_ x: Double) -> Double { log(x) }
  /// x to the power y.
  package static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
}
