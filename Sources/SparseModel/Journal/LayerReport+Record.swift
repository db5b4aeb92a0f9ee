internal import SparseCore

/// A layer's numbers as a journal keeps them: all of them, and exactly.
extension LayerReport {
  var record: JSON {
    [
      "name": .string(name), "block": block.map(JSON.integer) ?? .null,
      "stage": stage.map(JSON.string) ?? .null, "shape": .array(shape.map(JSON.integer)),
      "seconds": .number(seconds), "sparsity": .number(sparsity),
      "patterns": .array(patterns.map(JSON.integer)),
      "error": error.map { [.number($0.squaredError), .number($0.squaredReference)] } ?? .null,
      "dampening": dampening.map(JSON.number) ?? .null,
      "fallback": fallback.map { .string($0.rawValue) } ?? .null,
      "sampleTokens": sampleTokens.map(JSON.integer) ?? .null,
      "permutationGain": permutationGain.map(JSON.number) ?? .null,
      "scales": scaleRange.map {
        [.number(Double($0.lowerBound)), .number(Double($0.upperBound))]
      } ?? .null,
      "dense": .bool(isDense),
    ]
  }

  init?(record: JSON) {
    guard let name = record["name"]?.string, let seconds = record["seconds"]?.double,
      let sparsity = record["sparsity"]?.double, let shape = record["shape"]?.array?.map(\.int),
      shape.count == 2, let rows = shape[0], let columns = shape[1], (0...1).contains(sparsity),
      let patterns = record["patterns"]?.array?.compactMap(\.int),
      patterns.count == Pattern24.allCases.count
    else { return nil }
    let error = record["error"]?.array?.compactMap(\.double)
    let scales = record["scales"]?.array?.compactMap(\.double).map { Float($0) }
    self.init(
      name: name, block: record["block"]?.int, stage: record["stage"]?.string,
      shape: [rows, columns], seconds: seconds,
      error: error.flatMap {
        $0.count == 2 ? OutputError(squaredError: $0[0], squaredReference: $0[1]) : nil
      },
      sparsity: sparsity, patterns: patterns, dampening: record["dampening"]?.double,
      fallback: record["fallback"]?.string.flatMap(PruningMethod.init(rawValue:)),
      sampleTokens: record["sampleTokens"]?.int,
      permutationGain: record["permutationGain"]?.double,
      scaleRange: scales.flatMap {
        $0.count == 2 && $0[0] <= $0[1] ? $0[0]...$0[1] : nil
      }, isDense: record["dense"] == true)
  }
}
