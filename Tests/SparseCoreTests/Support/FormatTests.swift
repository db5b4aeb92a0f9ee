import SparseCore
import Testing

@Suite struct FormatTests {
  @Test(
    arguments: [
      (0, 2, "0.00"), (3.14159, 2, "3.14"), (0.005, 2, "0.01"), (-0.05, 1, "-0.1"),
      (-0.001, 2, "0.00"),
      (1234.5, 0, "1235"), (99.999, 2, "100.00"), (0.07, 3, "0.070"), (.nan, 1, "nan"),
      (.infinity, 1, "inf"), (1e20, 1, "1e+20"),
    ] as [(Double, Int, String)])
  func fixedHasTheDigitsAskedFor(value: Double, digits: Int, text: String) {
    #expect(Format.fixed(value, digits) == text)
  }

  @Test(arguments: [
    (0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"),
    (1_048_575, "1 MiB"), (269_060_552, "257 MiB"), (8 << 30, "8 GiB"), (5 << 50, "5120 TiB"),
  ])
  func bytesUseTheLargestUnit(count: Int, text: String) {
    #expect(Format.bytes(count) == text)
  }

  @Test(
    arguments: [
      (0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1:00"), (185, "3:05"),
      (8049, "2:14:09"), (.infinity, "over 1000 hours"), (.nan, "over 1000 hours"),
    ] as [(Double, String)])
  func durationsGrowWithTheirUnit(seconds: Double, text: String) {
    #expect(Format.duration(seconds) == text)
  }

  @Test(
    arguments: [
      (250, "250/s"), (2.5, "2.5/s"), (1, "1.0/s"), (0.5, "2.0 s each"), (0.01, "1:40 each"),
    ] as [(Double, String)])
  func ratesAreAboveOne(perSecond: Double, text: String) {
    #expect(Format.rate(perSecond) == text)
  }

  @Test(
    arguments: [
      (4e-7, "0.4 µs"), (9.9994e-4, "999.9 µs"), (0.0123, "12.30 ms"), (2.5, "2.50 s"),
      (.infinity, "inf s"),
    ] as [(Double, String)])
  func passesOfAGPUHaveFineUnits(seconds: Double, text: String) {
    #expect(Format.fineSeconds(seconds) == text)
  }

  @Test(arguments: [
    (0, "0.00 MB"), (9_940_000, "9.94 MB"), (40_000_000, "40.0 MB"), (1_234_000_000, "1.23 GB"),
  ])
  func memoryIsInPowersOfTen(bytes: Int, text: String) {
    #expect(Format.decimalBytes(bytes) == text)
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
  func largeNumbersAreInThousands(value: Int, text: String) {
    #expect(Format.grouped(value) == text)
  }

  @Test func anErrorStaysOnOneLineWhateverIsNamedInIt() {
    #expect("a\nb".errorLine == "a\\u{a}b")
    #expect(String(repeating: "x", count: 2000).errorLine.count == 2000)
    let long = "file.safetensors: '" + String(repeating: "\u{1b}", count: 1_000_000) + "' is 7"
    #expect(long.errorLine.count == 2000)
    #expect(long.errorLine.hasPrefix("file.safetensors: '\\u{1b}"))
    #expect(long.errorLine.hasSuffix("\\u{1b}' is 7"))
  }

  @Test func printableKeepsLettersAndSpellsOutControls() {
    #expect("naïve 重み".printable == "naïve 重み")
    #expect("a\tb\r\n\u{7f}\u{202e}".printable == "a\\u{9}b\\u{d}\\u{a}\\u{7f}\\u{202e}")
  }
}
