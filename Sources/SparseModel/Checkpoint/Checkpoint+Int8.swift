internal import SparseCore

extension Checkpoint {
  /// What the codes of the INT8 weight `name` stand for.
  ///
  /// Its scales are `P.weight_scale`, F32, F16 or BF16, one for each row (`[rows, 1]`) or for each group
  /// of neighbouring columns (`[rows, groups]`), as compressed-tensors keeps them. No config.json is
  /// needed for that.
  ///
  /// - Throws: ``Int8WeightError`` where they are missing or cannot be used.
  func int8Grid(of name: String, rows: Int, columns: Int) throws -> Int8Grid {
    let scaleName = CompressedTensors.scaleName(of: name)
    guard let scale = self[scaleName] else {
      throw Int8WeightError.missingScale(tensor: name, scale: scaleName, path: path)
    }
    guard scale.shape.count == 2, scale.shape[0] == rows,
      (1...max(1, columns)).contains(scale.shape[1]),
      columns % scale.shape[1] == 0,
      Int8Grid.allows(groupSize: columns / scale.shape[1], columns: columns)
    else {
      throw Int8WeightError.scaleShape(
        scale: scaleName, shape: scale.shape, weight: [rows, columns], path: path)
    }
    let scales = Matrix(try matrix(scaleName)).values
    if let place = scales.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
      throw Int8WeightError.badScale(
        scale: scaleName, row: place / scale.shape[1], value: scales[place], path: path)
    }
    let zeroPoint = CompressedTensors.zeroPointName(of: name)
    if self[zeroPoint] != nil, try integers(zeroPoint).contains(where: { $0 != 0 }) {
      throw Int8WeightError.zeroPoint(tensor: zeroPoint, path: path)
    }
    return Int8Grid(
      rows: rows, columns: columns, groupSize: columns / scale.shape[1], scales: scales)
  }
}

/// Why INT8 weights cannot be read, or made.
public enum Int8WeightError: Error, Equatable {
  /// Signed bytes without scales.
  case missingScale(tensor: String, scale: String, path: String)
  /// The scales are neither one for each row nor one for each of some groups of columns that divide it, a multiple of 4 in each.
  case scaleShape(scale: String, shape: [Int], weight: [Int], path: String)
  /// A scale is not a positive number.
  case badScale(scale: String, row: Int, value: Float, path: String)
  /// The codes count from another number than 0.
  case zeroPoint(tensor: String, path: String)
  /// A weight was to become INT8 and the checkpoint has INT8 weights.
  case alreadyInt8(tensor: String, path: String)
  /// Inputs were to be scaled, and a weight that reads them is INT8 and stays so.
  case cannotFollow(tensor: String, path: String)
}

extension Int8WeightError: CustomStringConvertible {
  /// One line that names the file, the tensor and the numbers.
  public var description: String {
    switch self {
    case .missingScale(let tensor, let scale, let path):
      "\(path): tensor '\(tensor)' is I8, and its scales '\(scale)' are missing"
    case .scaleShape(let scale, let shape, let weight, let path):
      "\(path): tensor '\(scale)' is \(shape), which is not one scale for each row, or each group of 4 columns or a multiple, of a weight of \(weight)"
    case .badScale(let scale, let row, let value, let path):
      "\(path): tensor '\(scale)': the scale \(value) in row \(row) is not a positive number"
    case .zeroPoint(let tensor, let path):
      "\(path): tensor '\(tensor)' is not 0: only symmetric INT8 is supported"
    case .alreadyInt8(let tensor, let path):
      "\(path): tensor '\(tensor)' is INT8 already; start from the checkpoint in floating point"
    case .cannotFollow(let tensor, let path):
      "\(path): tensor '\(tensor)' is INT8 and stays so, and smoothing would scale its inputs, which other layers share: "
        + "leave those out as well, or do without smoothing"
    }
  }
}
