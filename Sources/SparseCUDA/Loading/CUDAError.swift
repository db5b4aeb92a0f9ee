internal import SparseCore

/// Why a GPU, or a library that drives one, cannot be used.
public enum CUDAError: Error, Equatable {
  /// None of the places has the library, or none of those that have it can open it.
  case libraryMissing(CUDALibrary, places: [String], failures: [String])
  /// A library lacks a function that is needed.
  case symbolMissing(name: String, path: String)
  /// The driver cannot run this version of the CUDA runtime; without a driver its version is nil.
  case driverTooOld(path: String, needed: String, driver: String?)
  /// There is no GPU that the driver can use.
  case noDevice
  /// There are fewer GPUs than the one asked for needs.
  case noSuchDevice(index: Int, count: Int)
  /// A GPU without sparse tensor cores, which came with compute capability 8.0.
  case notSparse(device: String, capability: ComputeCapability)
  /// The library answered a call with an error.
  case callFailed(call: String, status: Int, name: String, message: String)
  /// No kernel of the library does a product that it should do.
  case noKernel(String)
  /// A result that the CPU's arithmetic does not allow.
  case wrongProduct(
    String, row: Int, column: Int, result: Float, expected: Float, bound: Float)
}

extension CUDAError: CustomStringConvertible {
  /// One line; of a library that is missing it names every place looked in.
  public var description: String {
    switch self {
    case .libraryMissing(let library, let places, let failures):
      "\(library.title) was not found: there is no \(library.rawValue) that can be opened in \(places.joined(separator: ", "))"
        + failures.map { "; \($0)" }.joined()
    case .symbolMissing(let name, let path):
      "\(path): has no function \(name), another version is needed"
    case .driverTooOld(let path, let needed, let driver):
      "\(path) is CUDA \(needed), "
        + (driver.map { "and the driver goes up to \($0)" } ?? "and there is no NVIDIA driver")
    case .noDevice: "the driver knows of no GPU"
    case .noSuchDevice(let index, let count):
      "there is no GPU \(index), the driver knows of \(count.counting("GPU"))"
    case .notSparse(let device, let capability):
      "\(device) has compute capability \(capability), sparse tensor cores came with 8.0"
    case .callFailed(let call, let status, let name, let message):
      "\(call): \(name) (\(status)): \(message)"
    case .noKernel(let product): "no kernel does \(product)"
    case .wrongProduct(let product, let row, let column, let result, let expected, let bound):
      "\(product): row \(row), column \(column) is \(result), the CPU says \(expected) ± \(bound)"
    }
  }
}
