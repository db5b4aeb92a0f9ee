internal import SparseCore

/// The text of a training: settled, read and checked before the work.
extension FinetuneOptions {
  /// Windows that the model writes where it is asked to and no number is given.
  public static let defaultWrittenWindows = 512
  /// The tokens in a window of a text where no number is given, or the model's context if that is less.
  public static let defaultLength = 512

  /// Windows that the dense model writes where no text is given.
  var writtenWindows: Int { data.samples ?? Self.defaultWrittenWindows }

  /// How many of the text's windows are measured on.
  func heldOutCount(of windows: Int) -> Int {
    guard heldOut == nil && reconstruction == nil else { return 0 }
    return heldOutWindows ?? max(1, windows / 64)
  }

  /// The tokens in a window: those asked for, or those in a window of the file, or the default.
  ///
  /// - Throws: ``TrainingError/windowTooShort(length:)``, and the errors of reading a file of tokens.
  func windowLength(context: Int) throws -> Int {
    var length = data.length
    if length == nil, case .tokens(let path) = data.source {
      length = try TokenWindows(contentsOf: path).length
    }
    let settled = length ?? min(Self.defaultLength, context)
    guard settled > 1 else { throw TrainingError.windowTooShort(length: settled) }
    return settled
  }

  /// All windows of the text, or nil where `model` is to write them.
  ///
  /// - Throws: what makes the text no use to the model, ``TrainingError/tooFewWindows(source:found:step:heldOut:)``, and
  ///   `MemoryError` for more tokens than the machine can hold.
  func readText(length: Int, for model: LanguageModel) throws -> TokenWindows? {
    var data = data
    data.length = length
    let windows = try data.readAll(for: model)
    try heldOut?.requireVocabulary(of: model, source: "the held-out text")
    let count = windows?.count ?? writtenWindows
    let step = reconstruction == nil ? training.windowsPerStep : 1
    let heldOut = heldOutCount(of: count)
    guard count >= step + heldOut else {
      throw TrainingError.tooFewWindows(
        source: data.source.name, found: count, step: step, heldOut: heldOut)
    }
    try PhysicalMemory.require(
      Double(count) * Double(length) * 16,
      for: "a text of \(count.counting("window")) of \(length.counting("token"))")
    return windows
  }
}

extension CalibrationOptions {
  /// All windows of a file unless told otherwise, or nil where the model is to write them.
  fileprivate func readAll(for model: LanguageModel) throws -> TokenWindows? {
    guard samples == nil, case .text(let path) = source else { return try readTokens(for: model) }
    let length = length(context: model.configuration.contextLength)
    let (windows, found) = try Tokenizer(for: model.checkpoint).windows(
      of: path, length: length, start: start)
    guard windows.count > 0 else {
      throw CalibrationError.tooLittleText(path: path, tokens: found, samples: 1, length: length)
    }
    try windows.requireVocabulary(of: model, source: source.name)
    return windows
  }
}
