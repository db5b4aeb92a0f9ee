/// Which of a matrix's values are neighbours in memory: `cusparseOrder_t`.
enum StorageOrder: Int32 {
  case column = 1
  case row = 2
}

/// Whether a product takes a matrix as it is or transposed: `cusparseOperation_t`.
enum MatrixOperation: Int32 {
  case asIs = 0
  case transposed = 1
}

/// How cuSPARSELt prunes: `cusparseLtPruneAlg_t`.
public enum DevicePruning: Int32, Sendable, CaseIterable {
  /// Two of each row and two of each column of every 4 × 4 tile, so that the transpose is 2:4, too.
  case tile = 0
  /// The two largest of each group of four.
  case strip = 1
}

/// What sums are kept in: `cusparseComputeType` from version 0.6 on.
enum SumType: Int32 {
  case int32 = 0
  case float32 = 2

  init(of type: DeviceType) { self = type == .int8 ? .int32 : .float32 }
}

/// An attribute of an algorithm: `cusparseLtMatmulAlgAttribute_t`.
enum AlgorithmAttribute: Int32 {
  case configuration = 0
  case configurationCount = 1
  case splits = 3
  case splitMode = 4
}
