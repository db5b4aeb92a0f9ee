internal import SparseCore

/// The release of NVIDIA's driver, such as "550.54.15"; nil where the system does not say.
///
/// `cudaDriverGetVersion` tells only up to which CUDA it goes.
func driverRelease(from path: String = "/proc/driver/nvidia/version") -> String? {
  guard let text = FileSystem.smallText(path) else { return nil }
  let line = text.split(separator: "\n").first { $0.contains("NVRM") } ?? ""
  let word = line.split(separator: " ").first { word in
    let parts = word.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count >= 2 && parts.allSatisfy { Int($0) != nil }
  }
  return word.map(String.init)
}
