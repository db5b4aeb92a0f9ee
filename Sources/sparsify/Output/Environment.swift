internal import SparseCUDA

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// The environment variables that have a say.
enum Environment: String, CaseIterable {
  case kernel = "SPARSIFY_KERNEL"
  case cuda = "SPARSIFY_CUDA_LIBRARIES"
  case columns = "COLUMNS"
  case slurmIndex = "SLURM_ARRAY_TASK_ID"
  case slurmCount = "SLURM_ARRAY_TASK_COUNT"
  case slurmLeast = "SLURM_ARRAY_TASK_MIN"
  case slurmStep = "SLURM_ARRAY_TASK_STEP"
  case jobIndex = "JOB_COMPLETION_INDEX"
  case stepSummary = "GITHUB_STEP_SUMMARY"

  /// The value of a variable; nil if it isn't set.
  static subscript(variable: Environment) -> String? { value(variable.rawValue) }

  /// The value of any variable.
  private static func value(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// Where NVIDIA's libraries are looked for.
  static var cudaLibraries: LibrarySearch { LibrarySearch(environment: value) }

  /// Where the kernels are kept that a search has found on a GPU.
  static var algorithmCache: AlgorithmCache? {
    AlgorithmCache.standardPath(environment: value).map(AlgorithmCache.init(path:))
  }

  /// Each variable and what it does, for the help.
  static var described: [(label: String, text: String)] {
    allCases.map { ($0.rawValue, $0.meaning) }
  }

  private var meaning: String {
    switch self {
    case .kernel: "Force a kernel set; 'sparsify info' lists those that this CPU can run."
    case .cuda: "Folders to look for NVIDIA's libraries in first, with colons between them."
    case .columns: "Wrap help to this many columns."
    case .slurmIndex: "Which part 'auto' is, in a Slurm job array."
    case .slurmCount: "How many parts there are for 'auto' alone."
    case .slurmLeast: "The index of the first part for 'auto' alone."
    case .slurmStep: "The step from one index to the next for 'auto' alone."
    case .jobIndex: "Which part 'auto/N' is, in a Kubernetes indexed Job."
    case .stepSummary: "The file that 'sparsify check --format github' appends a table to."
    }
  }
}

/// A variable holds something that can't be used.
struct EnvironmentError: Error, CustomStringConvertible {
  let variable: Environment
  let reason: String

  var description: String { "\(variable.rawValue): \(reason)" }
}
