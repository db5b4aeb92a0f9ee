public import SparseCore

/// One layer of the reference results: a weight, its inputs, and what the reference program made of them.
public struct GoldenLayer: Sendable {
  /// The names of the layers.
  public static let names = ["layer_32x64", "layer_48x192_dead", "layer_24x320_few_tokens"]

  /// The weight, `outputs × inputs`; exact in float32.
  public let weight: Matrix
  /// The inputs, `tokens × inputs`; exact in float32.
  public let inputs: Matrix
  private let file: SafetensorsFile

  /// Reads the layer called `name`.
  public init(_ name: String) throws {
    file = try SafetensorsFile(path: Shared.path("golden/layers/\(name).safetensors"))
    weight = try Self.matrix("W", in: file)
    inputs = try Self.matrix("X", in: file)
  }

  /// Another matrix of the layer, rounded to float32: the reference's result of a method, by its name.
  public func matrix(_ name: String) throws -> Matrix { try Self.matrix(name, in: file) }

  /// A vector of the layer, in float64, by its name.
  public func vector(_ name: String) throws -> [Double] { try file.doubles(name) }

  /// A matrix of signed bytes of the layer, row after row; empty where it has none.
  public func codes(_ name: String) throws -> [Int8] {
    guard let tensor = file[name], tensor.dtype == .i8 else { return [] }
    return file.bytes(of: tensor).withUnsafeBytes { $0.map(Int8.init(bitPattern:)) }
  }

  /// The relative output error of a method's result, as the reference program found it; NaN where it has none.
  public func relativeError(_ method: String) throws -> Double {
    let text = file.metadata["relative_error"] ?? "{}"
    return try JSON(parsing: text)[method]?.double ?? .nan
  }

  private static func matrix(_ name: String, in file: SafetensorsFile) throws -> Matrix {
    let shape = file[name]?.shape ?? [0, 0]
    return Matrix(rows: shape[0], columns: shape[1], try file.doubles(name).map(Float.init))
  }
}
