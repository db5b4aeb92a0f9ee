import SparseCore
import SparseModel
import Testing

@testable import sparsify

@Suite struct ValueTypeTests {
  @Test(arguments: [
    ("1", 1), ("512K", 524_288), ("512k", 524_288), ("8G", 8 << 30), ("8GB", 8 << 30),
    ("8GiB", 8 << 30), ("1.5G", 3 << 29), ("2T", 2 << 40), ("100B", 100), ("0.5M", 1 << 19),
  ])
  func sizesAreRead(text: String, bytes: Int) throws {
    #expect(try ValueType.size.read(text) == bytes)
  }

  @Test(arguments: [
    "", "0", "G", "-1G", "8X", "8 G", "1e3", "0.1", "99999999T", "1.2.3", "８G", "nan",
  ])
  func badSizesAreRefused(text: String) {
    #expect(throws: ValueError("must be a size such as 512M or 8G")) {
      try ValueType.size.read(text)
    }
  }

  @Test(arguments: ["0", "-1", "1.5", "", "x", "9223372036854775808", " 1"])
  func positiveIntegersRefuseTheRest(text: String) {
    #expect(throws: ValueError("must be a whole number of at least 1")) {
      try ValueType.positiveInteger.read(text)
    }
  }

  @Test func rangesHoldAtBothEnds() throws {
    let type = ValueType.integer(in: 1...1024)
    #expect(try type.read("1") == 1)
    #expect(try type.read("1024") == 1024)
    for text in ["0", "1025"] {
      #expect(throws: ValueError("must be a whole number from 1 to 1024")) { try type.read(text) }
    }
  }

  @Test(arguments: ["-0.1", "nan", "inf", "", "1,5", "x"])
  func nonNegativeNumbersRefuseTheRest(text: String) {
    #expect(throws: ValueError("must be a number of at least 0")) {
      try ValueType.nonNegative.read(text)
    }
  }

  @Test func seedsUseAll64Bits() throws {
    #expect(try ValueType.seed.read("18446744073709551615") == .max)
    #expect(throws: ValueError("must be a whole number from 0 to 18446744073709551615")) {
      try ValueType.seed.read("-1")
    }
  }

  @Test func anEmptyPathIsRefused() {
    #expect(throws: ValueError("must not be empty")) { try ValueType.path.read("") }
  }

  @Test(
    arguments: [
      ("self", .selfWritten), ("book.txt", .text(path: "book.txt")),
      ("./book", .text(path: "./book")),
      ("wiki.raw", .text(path: "wiki.raw")), ("t.safetensors", .tokens(path: "t.safetensors")),
    ] as [(String, CalibrationSource)])
  func calibrationSourcesGoByTheirExtension(text: String, source: CalibrationSource) throws {
    #expect(try ValueType.calibration.read(text) == source)
  }

  @Test(arguments: ["", "slef", "corpus"]) func otherCalibrationWordsAreRefused(text: String) {
    #expect(throws: ValueError("must be 'self' or a file: FILE.txt or FILE.safetensors")) {
      try ValueType.calibration.read(text)
    }
  }
}
