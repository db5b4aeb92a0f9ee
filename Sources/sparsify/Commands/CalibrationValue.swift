internal import SparseModel

extension ValueType where Value == CalibrationSource {
  /// Where calibration tokens come from: `self`, a `.safetensors` file of token ids, or a text file.
  static var calibration: Self {
    Self(completion: .files) { text throws(ValueError) in
      // Without a dot or a slash a slip such as `slef` is likelier than a file.
      guard text == "self" || text.contains(where: { $0 == "." || $0 == "/" }) else {
        throw ValueError("must be 'self' or a file: FILE.txt or FILE.safetensors")
      }
      return CalibrationSource(argument: text)
    }
  }
}
