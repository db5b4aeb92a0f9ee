/// Why a product gains nothing from 2:4 weights.
public enum SparseObstacle: Sendable, Equatable {
  /// The GPU multiplies the zeros like all other weights.
  case noSparseTensorCores(gpu: String)
  /// The weight's sizes are no multiples of what sparse kernels take.
  case shape(outputs: Int, inputs: Int, multipleOfOutputs: Int, multipleOfInputs: Int)
  /// So few rows or so small a weight that the kernel's fixed cost outweighs what is saved.
  case fixedCost(rows: Int)
  /// The weight is a small part of the bytes that are moved: the rest are activations.
  case activations(rows: Int)
  /// The dense kernel uses the GPU so much better that half of the work takes as long.
  case efficiency(rows: Int)
  /// 2:4 beats the dense form with the same numbers, and not the other dense form.
  case otherDense(LinearForm, rows: Int)
}

extension SparseObstacle: CustomStringConvertible {
  /// A few words that name the numbers.
  public var description: String {
    switch self {
    case .noSparseTensorCores(let gpu): "\(gpu) has no sparse tensor cores"
    case .shape(let outputs, let inputs, let rowMultiple, let columnMultiple):
      "\(outputs) × \(inputs) is not a multiple of \(rowMultiple) × \(columnMultiple)"
    case .fixedCost(let rows):
      "at \(rows.counting("row")) the kernel's fixed cost outweighs what is saved"
    case .activations(let rows):
      "at \(rows.counting("row")) activations, not weights, are most of the bytes"
    case .efficiency(let rows):
      "at \(rows.counting("row")) the dense kernel is as fast"
    case .otherDense(let form, let rows):
      "at \(rows.counting("row")) \(form.rawValue) is as fast"
    }
  }
}

extension LinearForm {
  /// Why no sparse kernel takes a weight of this shape; nil if one does, and for dense forms.
  ///
  /// cuSPARSELt takes the most shapes of all: multiples of 16 for 16 bits, of 32 for INT8.
  public func shapeObstacle(outputs: Int, inputs: Int) -> SparseObstacle? {
    guard isSparse, let multiples = MetadataLayout.cuSPARSELt.multiples(for: scalarType),
      outputs % multiples.rows != 0 || inputs % multiples.columns != 0
    else { return nil }
    return .shape(
      outputs: outputs, inputs: inputs, multipleOfOutputs: multiples.rows,
      multipleOfInputs: multiples.columns)
  }

  /// Whether PyTorch's CUTLASS kernels take a weight of this shape, too: multiples of 32 × 64 for 16 bits, of 16 × 128
  /// for INT8.
  public func fitsPyTorch(outputs: Int, inputs: Int) -> Bool {
    guard isSparse, let multiples = MetadataLayout.pyTorch.multiples(for: scalarType) else {
      return true
    }
    return outputs % multiples.rows == 0 && inputs % multiples.columns == 0
  }

  private var scalarType: ScalarType { isInt8 ? .int8 : .float16 }
}
