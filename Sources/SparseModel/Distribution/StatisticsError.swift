internal import SparseCore

/// Why statistics cannot be collected, added up or used.
public enum StatisticsError: Error, Equatable {
  /// The file has no manifest of statistics.
  case notStatistics(path: String)
  /// It is not what this tool writes.
  case malformed(path: String, reason: String)
  /// A later version of the tool wrote it.
  case newer(path: String, schema: Int, supported: Int)
  /// Two parts are not of the same run: what differs, and how.
  case differs(String, path: String, found: String, other: String, expected: String)
  /// Two parts have some sequences of some blocks in common.
  case overlap(path: String, other: String, blocks: Range<Int>, samples: Range<Int>)
  /// No part has these sequences of these blocks; the first of `gaps` such rectangles.
  case missing(blocks: Range<Int>, samples: Range<Int>, gaps: Int, parts: Int)
  /// Only a part, where all of the calibration and of the model is needed.
  case incomplete(path: String, blocks: Range<Int>, samples: Range<Int>)
  /// The statistics are of another model than the one that is pruned.
  case foreignModel(path: String, model: String, reason: String)
  /// The method needs grams, and there are norms.
  case normsOnly(path: String)
  /// A value is NaN or infinite, or a sum of squares negative.
  case badValues(path: String, tensor: String)
  /// The squares of a sequence's activations add up to more than can be summed exactly.
  case tooLarge(block: Int, stage: String, sum: Double, limit: Double)
  /// More sequences than can be summed exactly.
  case tooManySamples(Int, limit: Int)
}

extension StatisticsError: CustomStringConvertible {
  /// One line that names the files and the numbers.
  public var description: String {
    switch self {
    case .notStatistics(let path):
      "\(path): no statistics: 'sparsify calibrate' did not write this file"
    case .malformed(let path, let reason):
      "\(path): the manifest of the statistics is malformed: \(reason)"
    case .newer(let path, let schema, let supported):
      "\(path): the manifest of the statistics has schema \(schema), this version reads up to \(supported)"
    case .differs(let what, let path, let found, let other, let expected):
      "\(path): \(what) \(found), but \(expected) in \(other): not parts of one run"
    case .overlap(let path, let other, let blocks, let samples):
      "\(path): has samples \(samples.text) of blocks \(blocks.text), which \(other) has, too"
    case .missing(let blocks, let samples, let gaps, let parts):
      "samples \(samples.text) of blocks \(blocks.text) are \(parts == 1 ? "not in the part" : "in none of the \(parts) parts")"
        + (gaps > 1 ? ", nor is what fills \((gaps - 1).counting("other gap"))" : "")
    case .incomplete(let path, let blocks, let samples):
      "\(path): only a part, samples \(samples.text) of blocks \(blocks.text); 'sparsify merge' puts parts together"
    case .foreignModel(let path, let model, let reason):
      "\(path): the statistics are not those of \(model): \(reason)"
    case .normsOnly(let path): "\(path): holds norms of inputs, and the method needs their grams"
    case .badValues(let path, let tensor):
      "\(path): tensor '\(tensor)' holds what no sums of squares are"
    case .tooLarge(let block, let stage, let sum, let limit):
      "the squares of one input to stage '\(stage)' of block \(block) add up to \(sum) in one sequence, the limit is \(limit)"
    case .tooManySamples(let samples, let limit):
      "\(samples) sequences, statistics can be of \(limit) at most"
    }
  }
}
