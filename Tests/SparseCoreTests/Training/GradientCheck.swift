import SparseCore
import TestSupport
import Testing

/// Twice the rounding error of float32: the unit of all bounds.
let ulp = Double(Float.ulpOfOne)

/// How many single values of a gradient are compared: the references are slow where nothing is optimised.
let singleValues = isOptimized ? 12 : 2

/// Runs something on every kernel set; on two and three threads it must have the bits that it has on one.
func onAllKernels(
  _ what: String, run: (Compute) -> [Matrix], check: ([Matrix]) -> String?,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  for kernels in KernelSet.available {
    let result = run(Compute(kernels: kernels, threads: 1))
    if let fault = check(result) {
      Issue.record("\(kernels.name), \(what) \(fault)", sourceLocation: sourceLocation)
    }
    for threads in [2, 3] {
      let again = run(Compute(kernels: kernels, threads: threads))
      #expect(
        bits(again) == bits(result), "\(kernels.name), \(what), \(threads) threads",
        sourceLocation: sourceLocation)
    }
  }
}

extension Matrix64 {
  /// Each value times a factor, and something on top.
  func bounds(terms: Int, start: Matrix? = nil) -> Matrix64 {
    var result = self
    for index in values.indices {
      let added = start.map { abs(Double($0.values[index])) } ?? 0
      result.values[index] = Double(terms + 1) * ulp * (values[index] + added)
    }
    return result
  }
}
