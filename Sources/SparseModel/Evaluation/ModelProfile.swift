public import SparseCore

/// What a checkpoint's weights are, by numbers: size, types, zeros.
public struct ModelProfile: Sendable, Equatable {
  /// The bytes of all tensors as they are stored.
  public let bytes: Int
  /// The number of the model's parameters, zeros included; scales of INT8 weights are none.
  public let parameters: Int
  /// The number of linear layers inside the decoder blocks.
  public let linears: Int
  /// How many of these are 2:4.
  public let sparseLinears: Int
  /// How many of these are stored compressed.
  public let compressedLinears: Int
  /// The share of the weights of these that are zero.
  public let zeroShare: Double
  /// The types in which these are stored, by the format's names, in the order of their first.
  public let types: [String]

  /// The numbers as the `compare` contract has them.
  var members: [JSON.Member] {
    [
      JSON.Member(key: "bytes", value: .integer(bytes)),
      JSON.Member(key: "parameters", value: .integer(parameters)),
      JSON.Member(key: "linears", value: .integer(linears)),
      JSON.Member(key: "sparseLinears", value: .integer(sparseLinears)),
      JSON.Member(key: "compressedLinears", value: .integer(compressedLinears)),
      JSON.Member(key: "zeroShare", value: .number(zeroShare)),
      JSON.Member(key: "types", value: .array(types.map(JSON.string))),
    ]
  }
}

extension Checkpoint {
  /// Looks at every weight of the decoder blocks.
  ///
  /// - Throws: ``CheckError`` for a type that holds no weights, ``CompressedWeightError`` for parts that do not
  ///   belong together, and what `progress` throws.
  public func profile(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> ModelProfile {
    let tensors = try modelTensors()
    let names = Set(try blockWeights().map(ExactString.init))
    let linears = tensors.filter { names.contains(ExactString($0.name)) }
    var (zeros, values, sparse) = (0, 0, 0)
    for (done, tensor) in linears.enumerated() {
      try progress(RunProgress(step: "look at weights", done: done, total: linears.count))
      let check = try patternCheck(tensor, on: compute)
      zeros += check.zeros
      values += tensor.shape.reduce(1, *)
      sparse += check.violations == 0 ? 1 : 0
      release(tensor.stored.name)
    }
    return ModelProfile(
      bytes: byteCount,
      parameters: tensors.filter { !isInt8Scale($0.name) }
        .reduce(0) { $0 + $1.shape.reduce(1, *) },
      linears: linears.count, sparseLinears: sparse,
      compressedLinears: linears.count(where: \.isCompressed),
      zeroShare: values == 0 ? 0 : Double(zeros) / Double(values),
      types: linears.reduce(into: []) { types, tensor in
        if !types.contains(tensor.dtype.rawValue) { types.append(tensor.dtype.rawValue) }
      })
  }
}
