internal import SparseCore

/// Which weights of a checkpoint are meant to be 2:4.
///
/// By default the linear layers inside the decoder blocks are; embeddings, norms and the output
/// projection are not. Globs narrow that down.
public struct WeightSelection: Sendable {
  /// Only names that one of these matches, where there are any.
  public var only: [String]
  /// No name that one of these matches.
  public var skip: [String]

  /// The default weights, narrowed down by globs.
  public init(only: [String] = [], skip: [String] = []) {
    self.only = only
    self.skip = skip
  }

  /// Whether there are globs at all.
  public var isDefault: Bool { only.isEmpty && skip.isEmpty }

  /// The candidates that the globs leave, in their order.
  ///
  /// - Throws: ``SelectionError`` for a malformed glob, for one that matches no candidate, and when
  ///   nothing is left.
  func apply(to candidates: [String]) throws -> [String] {
    let only = try only.map(Glob.init)
    let skip = try skip.map(Glob.init)
    for glob in only + skip where !candidates.contains(where: glob.matches) {
      throw SelectionError.matchesNothing(glob: glob.description, candidates: candidates.count)
    }
    let selected = candidates.filter { name in
      (only.isEmpty || only.contains { $0.matches(name) }) && !skip.contains { $0.matches(name) }
    }
    guard !selected.isEmpty else { throw SelectionError.nothingLeft }
    return selected
  }
}

/// Why a selection of weights is no use.
public enum SelectionError: Error, Equatable {
  /// A glob matches none of the weights that could be pruned.
  case matchesNothing(glob: String, candidates: Int)
  /// The globs leave no weight.
  case nothingLeft
  /// Every weight is to stay dense.
  case nothingSparse(path: String)
  /// A weight that is to stay dense is none of those that are worked on.
  case notSelected(name: String, path: String)
  /// The checkpoint has no weight that could be pruned.
  case noCandidates(path: String)
}

extension SelectionError: CustomStringConvertible {
  /// One line that names the glob.
  public var description: String {
    switch self {
    case .matchesNothing(let glob, let candidates):
      "the glob '\(glob)' matches no tensor of the \(candidates) to choose from ('sparsify inspect' lists all)"
    case .nothingLeft: "--only and --skip leave no weight to work on"
    case .nothingSparse(let path): "\(path): every weight would stay dense, and none be pruned"
    case .notSelected(let name, let path):
      "\(path): '\(name)', which is to stay dense, is none of the weights that are worked on"
    case .noCandidates(let path):
      "\(path): there is no two-dimensional floating-point weight inside a decoder block"
    }
  }
}

extension Checkpoint {
  /// The names of the weights that are pruned by default, in the checkpoint's order: two-dimensional
  /// weights, compressed ones among them, inside numbered blocks, or, in a file without blocks, all two-dimensional weights but
  /// embeddings, norms and the output projection.
  func blockWeights() throws -> [String] {
    let prediction = PredictionBlocks(of: self)
    let weights = try modelTensors().filter { tensor in
      tensor.shape.count == 2 && tensor.dtype.holdsWeights && !prediction.contains(tensor.name)
        && (tensor.name.hasSuffix(".weight") || !tensor.name.contains("."))
    }.map(\.name)
    let inBlocks = weights.filter(Self.isInBlock)
    let others = ["embed", "norm", "lm_head", "wte", "wpe"]
    return inBlocks.isEmpty
      ? weights.filter { name in !others.contains { name.contains($0) } } : inBlocks
  }

  /// Whether a name has a block number among its parts and is no norm: `model.layers.3.mlp.up_proj.weight`.
  private static func isInBlock(_ name: String) -> Bool {
    !name.contains("norm")
      && name.split(separator: ".").contains { $0.allSatisfy(\.isNumber) }
  }
}

extension DType {
  /// The number format of weights in this type, which ``holdsWeights``.
  var weightType: ScalarType {
    guard let type = self == .i8 ? .int8 : scalarType else {
      preconditionFailure("\(rawValue) holds no weights")
    }
    return type
  }

  /// Whether weights come in this type: floating point of 16 or 32 bits, or INT8.
  var holdsWeights: Bool { scalarType != nil || self == .i8 }
}
