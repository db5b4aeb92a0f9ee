import SparseCore
import TestSupport
import Testing

@Suite struct FingerprintTests {
  /// Values that xxhsum -H1 prints.
  @Test(arguments: [
    ("", UInt64(0xEF46_DB37_51D8_E999)), ("a", 0xD24E_C4F1_A98C_6E5B),
    ("abc", 0x44BC_2CF5_AD77_0999),
  ])
  func equalsXXH64(text: String, value: UInt64) {
    #expect(Array(text.utf8).withUnsafeBytes { fingerprint64($0) } == value)
  }

  /// Every length up to some stripes, every byte counts, and the address does not.
  @Test func everyByteChangesIt() {
    var generator = SplitMix64(seed: 1)
    var bytes = (0..<100).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    var seen: Set<UInt64> = []
    for count in 0...100 {
      seen.insert(bytes[..<count].withUnsafeBytes { fingerprint64($0) })
    }
    #expect(seen.count == 101)
    let whole = bytes.withUnsafeBytes { fingerprint64($0) }
    let shifted = ([0] + bytes)[1...].withUnsafeBytes { fingerprint64($0) }
    #expect(shifted == whole)
    for index in bytes.indices {
      bytes[index] ^= 1
      #expect(bytes.withUnsafeBytes { fingerprint64($0) } != whole, "byte \(index)")
      bytes[index] ^= 1
    }
  }
}
