internal import SparseCUDA
internal import SparseCore
internal import SparseModel

/// `sparsify bench --device cuda`: dense and 2:4 products on a GPU, for the shapes of a model's linears.
struct DeviceBenchmark {
  private let cuda: CUDASession
  private let dense: BlasLtSession
  private let sizes: [LinearSize]
  private let rows: [Int]

  /// - Parameter model: a checkpoint; nil for the linears of Llama-2 7B.
  /// - Throws: `CUDAError` where there is no GPU, and what reading the checkpoint throws.
  init(model: String?, rows: [Int]) throws {
    sizes =
      try model.map { path in
        try Checkpoint(path: path).linearShapes().map {
          LinearSize(outputs: $0.outputs, inputs: $0.inputs, count: $0.count)
        }
      } ?? LinearSize.llama7B
    cuda = try CUDASession(Environment.cudaLibraries)
    dense = try cuda.dense()
    self.rows = rows
  }

  /// Checks the GPU's products against the CPU's, and measures.
  func run(in context: Context) throws -> DeviceMeasurements {
    let verification = try ProductVerification(cuda.sparse, on: context.compute)
    var benchmark = try GPUBenchmark(
      cuda.sparse, dense, cache: Environment.algorithmCache, on: context.compute)
    let products = rows.count * sizes.count * LinearForm.allCases.count
    let total = products + 1
    try context.progress(RunProgress(step: "measure the peak", done: 0, total: total))
    let peak = try benchmark.peak()
    var results: [GPUBenchmark.Result] = []
    var done = 1
    for rows in rows {
      // What was found stands without the cache; it is only found again.
      defer { try? benchmark.algorithms?.save() }
      for size in sizes {
        for form in LinearForm.allCases {
          let step = "\(rows.counting("row")), \(size.inputs) -> \(size.outputs) \(form.rawValue)"
          try context.progress(RunProgress(step: step, done: done, total: total))
          if let result = try benchmark.measure(form, rows: rows, size, peak) {
            results.append(result)
          }
          done += 1
        }
      }
    }
    return DeviceMeasurements(
      device: cuda.device, libraries: libraries, verification: verification, peak: peak,
      sizes: sizes, rows: rows, results: results)
  }

  private var libraries: [(CUDALibrary, path: String, version: String)] {
    let runtime = cuda.device.runtime
    return [
      (.runtime, runtime.path, CUDARuntime.text(ofVersion: runtime.version)),
      (.sparseLt, cuda.sparse.library.path, cuda.sparse.library.version),
      (.blasLt, dense.library.path, dense.library.versionText),
    ]
  }
}
