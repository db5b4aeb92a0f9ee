public import SparseCore

/// Why a checkpoint's weights cannot be compressed or expanded.
public enum EncodingError: Error, Equatable {
  /// No weight is 2:4.
  case nothingSparse(path: String, weights: Int)
  /// Every weight that could be is compressed.
  case compressedAlready(path: String)
  /// No weight is compressed.
  case nothingCompressed(path: String)
  /// A tensor that should be compressed is no two-dimensional weight.
  case notAWeight(name: String, dtype: DType, shape: [Int], path: String)
  /// A target takes no weight of the types and shapes that there are: the first, and why.
  case noneFits(target: String, name: String, reason: MetadataError)
  /// A weight that should be 2:4 is not.
  case weight(name: String, path: String, reason: CompressionError)
}

extension EncodingError: CustomStringConvertible {
  /// One line that names the file, the tensor and the numbers.
  public var description: String {
    switch self {
    case .nothingSparse(let path, let weights):
      "\(path): none of \(weights.counting("weight")) is 2:4; 'sparsify prune' makes such a model"
    case .compressedAlready(let path): "\(path): all 2:4 weights are compressed already"
    case .nothingCompressed(let path): "\(path): no weight is compressed"
    case .notAWeight(let name, let dtype, let shape, let path):
      "\(path): tensor '\(name)' is \(dtype.rawValue) \(shape); only weights of two dimensions in F32, F16, BF16 and I8 are compressed"
    case .noneFits(let target, let name, let reason):
      "the target \(target) takes none of the 2:4 weights, '\(name)' for example: \(reason)"
    case .weight(let name, let path, let reason): "\(path): tensor '\(name)': \(reason)"
    }
  }
}
