internal import SparseCore

/// Texts of any scalars, those that matter to tokenizers more often than others.
enum RandomText {
  static func make(length: Int, using random: inout SplitMix64) -> String {
    var text = String.UnicodeScalarView()
    while text.count < length { text.append(scalar(using: &random)) }
    return String(text)
  }

  private static let frequent = Array(
    "  \n\r\t'strvemld'SLD09٣½éłaAzZ.,!-_(▁中文한é\u{301}\u{200D}\u{A0}".unicodeScalars)

  private static func scalar(using random: inout SplitMix64) -> Unicode.Scalar {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return Unicode.Scalar(UInt8.random(in: 0..<0x80, using: &random))
    case 1:
      let value = UInt32.random(in: 0..<0x11_0000, using: &random)
      return Unicode.Scalar(value) ?? "\u{FFFD}"
    default: return frequent.randomElement(using: &random) ?? " "
    }
  }
}
