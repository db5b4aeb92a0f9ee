internal import Foundation
internal import SparseCore
internal import Testing

@testable internal import SparseModel

/// Scalars, their classes and normalization, against the standard library and Foundation.
struct UnicodeTests {
  @Test func scalarsAreReadBothWaysAndClassified() {
    let beyond = stride(from: UInt32(0x1_0000), through: 0x10_FFFF, by: 61)
    for value in Array(UInt32(0)..<0x3100) + stride(from: 0x3100, to: 0x1_0000, by: 7) + beyond {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let bytes = Array(String(Character(scalar)).utf8)
      var written: [UInt8] = []
      written.append(scalar: value)
      let forward = bytes.span.scalar(at: 0)
      let backward = ([0x80, 0x61] + bytes).span.scalar(before: bytes.count + 2)
      let kind = ScalarClass(value)
      if written != bytes || forward.value != value || forward.length != bytes.count
        || backward.value != value || backward.length != bytes.count
        || kind.isWhiteSpace != scalar.properties.isWhitespace
        || (kind == .newline) != (value == 10 || value == 13)
      {
        Issue.record("U+\(String(value, radix: 16))")
      }
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func illFormedBytesAreFoundAsTheStandardLibraryFindsThem(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let choices: [UInt8] = [
      0x41, 0x80, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xE1, 0xED, 0xF0, 0xF4, 0xF5,
    ]
    let bytes = (0..<12).map { _ in choices.randomElement(using: &random) ?? 0 }
    var index = 0
    var isValid = true
    while index < bytes.count {
      let scalar = bytes.span.scalar(at: index)
      if scalar.isIllFormed { isValid = false }
      let piece = bytes[index..<index + scalar.length]
      #expect((String(validating: piece, as: UTF8.self) == nil) == scalar.isIllFormed)
      index += scalar.length
    }
    #expect(isValid == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func compositionIsThatOfFoundation(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let starters = Array(
      "aeoASqẛΩא\u{1100}\u{1112}\u{1161}한가क\u{928}\u{1100}\u{FB1D}\u{F900}\u{1D15E}각\u{2126} "
        .unicodeScalars)
    let marks = Array(
      "\u{300}\u{301}\u{307}\u{323}\u{308}\u{304}\u{327}\u{31B}\u{93C}\u{345}\u{5BC}\u{302}\u{30A}\u{338}"
        .unicodeScalars)
    var scalars = String.UnicodeScalarView()
    for _ in 0..<30 {
      scalars.append(
        (Bool.random(using: &random) ? starters : marks).randomElement(using: &random) ?? "a")
    }
    let text = String(scalars)
    #expect(
      CanonicalComposition.compose(Array(text.utf8))
        == Array(text.precomposedStringWithCanonicalMapping.utf8),
      "seed \(seed): \(text.debugDescription)")
  }

  // Apart from the random texts: Foundation leaves the second of these as it is.
  @Test(arguments: ["\u{1112}\u{1161}\u{11AB}", "\u{D558}\u{11AB}"])
  func hangulComposes(text: String) {
    #expect(CanonicalComposition.compose(Array(text.utf8)) == Array("\u{D55C}".utf8))
  }

  @Test func compositionKeepsLooseBytes() {
    let bytes: [UInt8] = [0x65, 0xFF, 0xCC, 0x81, 0x65, 0xCC, 0x81, 0xE2, 0x82]
    #expect(
      CanonicalComposition.compose(bytes) == [0x65, 0xFF, 0xCC, 0x81, 0xC3, 0xA9, 0xE2, 0x82])
  }
}
