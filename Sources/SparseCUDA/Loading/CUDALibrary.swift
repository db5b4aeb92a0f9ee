/// A library of NVIDIA's that is opened at run time.
public enum CUDALibrary: String, Sendable, CaseIterable {
  /// Memory, streams and events.
  case runtime = "libcudart"
  /// Products with 2:4 weights.
  case sparseLt = "libcusparseLt"
  /// Products with dense weights.
  case blasLt = "libcublasLt"

  /// What NVIDIA calls it.
  public var title: String {
    switch self {
    case .runtime: "the CUDA runtime"
    case .sparseLt: "cuSPARSELt"
    case .blasLt: "cuBLASLt"
    }
  }

  /// The names that the system's own loader is asked for, newest first.
  var systemNames: [String] {
    switch self {
    case .runtime, .blasLt: ["13", "12", "11"].map { "\(rawValue).so.\($0)" } + ["\(rawValue).so"]
    case .sparseLt: ["\(rawValue).so.0", "\(rawValue).so"]
    }
  }

  /// The version that the name of a file ends with, part by part; nil where it is another library's.
  ///
  /// `libcudart.so.12.8` gives 12 and 8, `libcudart.so` and `libcudart.dylib` no parts.
  func version(inName name: String) -> [Int]? {
    guard name.hasPrefix(rawValue) else { return nil }
    let ending = name.dropFirst(rawValue.count)
    if ending == ".so" || ending == ".dylib" { return [] }
    guard ending.hasPrefix(".so.") else { return nil }
    let parts = ending.dropFirst(4).split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    return numbers.count == parts.count ? numbers : nil
  }
}
