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
  case columns = "COLUMNS"

  /// The value of a variable; nil if it isn't set.
  static subscript(variable: Environment) -> String? {
    getenv(variable.rawValue).map { String(cString: $0) }
  }

  /// Each variable and what it does, for the help.
  static var described: [(label: String, text: String)] {
    allCases.map { ($0.rawValue, $0.meaning) }
  }

  private var meaning: String {
    switch self {
    case .kernel: "Force a kernel set; 'sparsify info' lists those that this CPU can run."
    case .columns: "Wrap help to this many columns."
    }
  }
}

/// A variable holds something that can't be used.
struct EnvironmentError: Error, CustomStringConvertible {
  let variable: Environment
  let reason: String

  var description: String { "\(variable.rawValue): \(reason)" }
}
