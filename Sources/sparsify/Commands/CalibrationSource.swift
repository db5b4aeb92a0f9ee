/// Where calibration tokens come from, as it is typed after `--calibration`.
enum CalibrationSource: Equatable {
  /// The model writes its own text.
  case selfWritten
  /// A text file, to be tokenized.
  case text(path: String)
  /// Token ids in a safetensors file.
  case tokens(path: String)
}

extension ValueType where Value == CalibrationSource {
  /// `self`, a `.safetensors` file of token ids, or any other file with an extension: a text.
  static var calibration: Self {
    Self(completion: .files) { text throws(ValueError) in
      if text == "self" { return .selfWritten }
      if text.hasSuffix(".safetensors") { return .tokens(path: text) }
      // Without a dot or a slash a slip such as `slef` is likelier than a file.
      guard text.contains(where: { $0 == "." || $0 == "/" }) else {
        throw ValueError("must be 'self' or a file: FILE.txt or FILE.safetensors")
      }
      return .text(path: text)
    }
  }
}
