internal import SparseCore

/// Where calibration tokens come from.
public enum CalibrationSource: Sendable, Equatable {
  /// The model writes them itself, from its own distribution.
  case selfWritten
  /// A text file, tokenised as one string.
  case text(path: String)
  /// A safetensors file with one integer tensor `tokens` of shape [samples, length].
  case tokens(path: String)

  /// The source that the argument of `--calibration` names: `self`, or a file by its ending.
  public init(argument: String) {
    if argument == "self" {
      self = .selfWritten
    } else if argument.hasSuffix(".safetensors") {
      self = .tokens(path: argument)
    } else {
      self = .text(path: argument)
    }
  }

  /// The file's path; nil where there is no file.
  public var path: String? {
    switch self {
    case .selfWritten: nil
    case .text(let path), .tokens(let path): path
    }
  }

  /// What manifests and reports call it: `self` or the file's path.
  public var name: String { path ?? "self" }
}

/// How many calibration tokens are used, and which.
public struct CalibrationOptions: Sendable {
  /// Where they come from.
  public var source: CalibrationSource
  /// The number of sequences; `nil` for 128 or as many as the source holds.
  public var samples: Int?
  /// The tokens in each; `nil` for 2048, or 512 where the model writes them, or the model's context if that is less.
  public var length: Int?
  /// Where random numbers start: 0 takes a text's first windows, another seed draws windows at random.
  public var seed: UInt64
  /// What each window of a text begins with; it does not matter to other sources.
  public var start: TextStart

  /// Calibration by the model's own text unless told otherwise.
  public init(
    source: CalibrationSource = .selfWritten, samples: Int? = nil, length: Int? = nil,
    seed: UInt64 = 0, start: TextStart = .auto
  ) {
    self.source = source
    self.samples = samples
    self.length = length
    self.seed = seed
    self.start = start
  }

  /// The start of a text's windows as run identities name it; nil for sources that are no text.
  var startName: String? {
    if case .text = source { start.rawValue } else { nil }
  }

  /// The number of sequences where none is asked for.
  public static let defaultSamples = 128

  /// The length of a sequence for a model of the given context.
  ///
  /// The model's own text is shorter by default: writing costs a forward pass for every token.
  public func length(context: Int) -> Int {
    length ?? min(source == .selfWritten ? 512 : 2048, context)
  }
}

/// Why there are no calibration tokens.
public enum CalibrationError: Error, Equatable {
  /// The text is shorter than what was asked for.
  case tooLittleText(path: String, tokens: Int, samples: Int, length: Int)
  /// The start tokens leave no room for text in a window.
  case noRoomForText(path: String, length: Int, startTokens: Int)
  /// The file of token ids holds fewer sequences than asked for.
  case tooFewSamples(path: String, found: Int, asked: Int)
  /// The file's sequences are shorter than asked for.
  case samplesTooShort(path: String, found: Int, asked: Int)
  /// The file has no usable tensor `tokens`.
  case notTokens(path: String, reason: String)
}

extension CalibrationError: CustomStringConvertible {
  /// One line that names the file and the numbers.
  public var description: String {
    switch self {
    case .tooLittleText(let path, let tokens, let samples, let length):
      "\(path): \(samples.counting("window")) of \(length) \(samples == 1 ? "needs" : "need")"
        + " \((samples * length).counting("token")), the text holds \(tokens)"
    case .noRoomForText(let path, let length, let startTokens):
      "\(path): \(startTokens.counting("start token")) leave no room for text in windows of \(length.counting("token"))"
    case .tooFewSamples(let path, let found, let asked):
      "\(path): \(asked) sequences were asked for, the file holds \(found)"
    case .samplesTooShort(let path, let found, let asked):
      "\(path): sequences of \(asked) tokens were asked for, the file's hold \(found)"
    case .notTokens(let path, let reason): "\(path): \(reason)"
    }
  }
}
