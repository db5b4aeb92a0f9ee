/// One linear layer from each form in which a weight can be stored, for one row of activations to many.
extension Benchmark {
  /// Which product of the case `linear` a result is of.
  package struct Product: Sendable, Equatable {
    /// The form of the weight.
    package var form: Form
    /// The rows of activations.
    package var rows: Int

    package init(form: Form, rows: Int) {
      self.form = form
      self.rows = rows
    }

    /// A weight as it is stored: nothing is packed before.
    package enum Form: String, Sendable, CaseIterable {
      case float32 = "dense f32"
      case float16 = "dense f16"
      case int8 = "dense INT8"
      case sparseFloat16 = "2:4 f16"
      case sparseInt8 = "2:4 INT8"
    }

    /// The rows of activations that are measured.
    package static let rows = [1, 4, 16, 64, 256]
    /// The rows and the columns of the weight.
    package static let side = 4096
  }

  /// All forms at all numbers of rows.
  static let linears: [Case] = Product.rows.flatMap { rows in
    Product.Form.allCases.map { linear(Product(form: $0, rows: rows)) }
  }

  /// Weights take turns, so that each comes from memory and not from a cache.
  private static func linear(_ product: Product) -> Case {
    let (rows, side) = (product.rows, Product.side)
    return Case(
      name: "linear",
      shape: "\(rows.counting("row")), \(side) -> \(side) \(product.form.rawValue)",
      limit: rows <= 4 ? .read : .peak, product: product
    ) { compute in
      let weights = product.form.weights(rotatedBytes, on: compute)
      let isInt8 = weights[0].type == .int8
      let x = someMatrix(rows, side)
      var turn = 0
      return Work(flops: 2 * Double(rows * side * side), bytes: Double(weights[0].byteCount)) {
        turn = (turn + 1) % weights.count
        _ =
          isInt8
          ? int8Linear(x, weights[turn], on: compute)
          : SparseCore.linear(x, weights[turn], on: compute)
      }
    }
  }

  /// What all weights that take turns take together, at least: several times the largest caches.
  private static let rotatedBytes = 192 << 20
}

extension Benchmark.Product.Form {
  private var type: ScalarType {
    switch self {
    case .float32: .float32
    case .float16, .sparseFloat16: .float16
    case .int8, .sparseInt8: .int8
    }
  }

  private var isSparse: Bool { self == .sparseFloat16 || self == .sparseInt8 }

  /// As many weights of numbers of no meaning as take `bytes` together, at least two.
  fileprivate func weights(_ bytes: Int, on compute: Compute) -> [StoredWeight] {
    let side = Benchmark.Product.side
    var values = someMatrix(side, side)
    if isSparse {
      values.values.withUnsafeMutableBytes {
        guard let start = $0.baseAddress else { return }
        compute.kernels.magnitude24(side * side, .float32, start, into: start, mask: nil)
      }
    }
    var weights = [weight(values, on: compute)]
    while weights.count < max(2, bytes / weights[0].byteCount) {
      weights.append(weight(values, on: compute))
    }
    return weights
  }

  private func weight(_ values: Matrix, on compute: Compute) -> StoredWeight {
    let grid = Int8Grid(
      rows: values.rows, columns: values.columns,
      scales: [Float](repeating: 1.0 / 127, count: values.rows))
    let stored =
      type == .int8
      ? StoredMatrix(quantizing: values, on: grid, on: compute)
      : StoredMatrix(values, as: type, on: compute)
    guard isSparse, let compressed = try? Compressed24(exactly: stored, on: compute) else {
      return .whole(stored)
    }
    return .compressed(compressed)
  }
}

extension StoredWeight {
  /// The size in bytes, without the scales of INT8.
  fileprivate var byteCount: Int {
    switch self {
    case .whole(let matrix): matrix.bytes.count
    case .compressed(let weight): weight.byteCount
    }
  }
}
