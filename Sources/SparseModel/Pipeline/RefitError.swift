internal import SparseCore

/// Why a checkpoint's weights cannot be solved anew against a dense original.
public enum RefitError: Error, Equatable {
  /// No weight of the checkpoint is 2:4.
  case nothingSparse(path: String)
  /// The dense checkpoint has no tensor of a weight's name.
  case missing(tensor: String, dense: String)
  /// The dense weight has another shape.
  case shape(tensor: String, path: String, shape: [Int], dense: String, denseShape: [Int])
}

extension RefitError: CustomStringConvertible {
  /// One line that names the tensor and both files.
  public var description: String {
    switch self {
    case .nothingSparse(let path):
      "\(path): no weight inside a decoder block is 2:4, so there is no mask to keep"
    case .missing(let tensor, let dense):
      "\(dense): there is no tensor '\(tensor)', which the 2:4 model has"
    case .shape(let tensor, let path, let shape, let dense, let denseShape):
      "tensor '\(tensor)' has shape \(shape) in \(path), but \(denseShape) in \(dense)"
    }
  }
}

extension Checkpoint {
  /// Those of some weights that are 2:4.
  func sparseWeights(
    among names: [String], on compute: Compute = .automatic
  ) throws -> [String] {
    try names.filter { name in
      let weight = try tensor(name)
      defer { release(name) }
      return try patternCheck(ModelTensor(weight), on: compute).violations == 0
    }
  }

  /// Throws unless a dense checkpoint has weights of the same names and shapes.
  func checkMatch(of names: [String], in dense: Checkpoint) throws {
    for name in names {
      let weight = try matrix(name)
      guard dense[name] != nil else { throw RefitError.missing(tensor: name, dense: dense.path) }
      let original = try dense.matrix(name)
      guard original.rows == weight.rows && original.columns == weight.columns else {
        throw RefitError.shape(
          tensor: name, path: path, shape: [weight.rows, weight.columns], dense: dense.path,
          denseShape: [original.rows, original.columns])
      }
    }
  }
}
