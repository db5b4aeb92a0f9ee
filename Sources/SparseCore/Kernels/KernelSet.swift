internal import CSparseKernels

/// One instruction set's kernels: the same functions, compiled for the vectors it has.
///
/// Results of different sets may differ in the last bits, as they sum in different orders; masks,
/// counts, conversions and fingerprints are the same on all of them.
public struct KernelSet: Sendable {
  /// The C functions.
  ///
  /// The table is a constant of the program.
  nonisolated(unsafe) let table: UnsafePointer<sk_kernels>

  /// "scalar", "neon", "avx2", "avx512", "avx512vnni" or "avx512vbmi2".
  public var name: String { String(cString: table.pointee.name) }

  /// The sets that this processor can run, slowest first.
  public static let available: [KernelSet] = {
    var sets: [KernelSet] = []
    while let table = sk_available(sets.count) { sets.append(KernelSet(table: table)) }
    return sets
  }()

  /// The fastest set that this processor can run.
  public static let best: KernelSet = available[available.count - 1]

  /// The set called `name`, or the best one for `nil`.
  ///
  /// - Throws: `KernelError.unavailable` if there is no such set or this processor cannot run it.
  public static func named(_ name: String?) throws(KernelError) -> KernelSet {
    guard let name else { return best }
    guard let found = available.first(where: { $0.name == name }) else {
      throw .unavailable(name: name, available: available.map(\.name))
    }
    return found
  }

  /// The set that the environment variable `SPARSIFY_KERNEL` names, or the best one if it is unset or empty.
  ///
  /// - Throws: `KernelError.unavailable` as `named` does.
  public static func fromEnvironment() throws(KernelError) -> KernelSet {
    try named(sk_forced_name().map { String(cString: $0) })
  }
}

extension KernelSet: Equatable, CustomStringConvertible {
  /// Whether both are the same set.
  public static func == (a: KernelSet, b: KernelSet) -> Bool { a.table == b.table }

  /// The name.
  public var description: String { name }
}

/// Why a kernel set could not be chosen.
public enum KernelError: Error, Equatable {
  /// There is no set of this name that this processor can run.
  case unavailable(name: String, available: [String])
}

extension KernelError: CustomStringConvertible {
  /// What is wrong and what there is instead.
  public var description: String {
    switch self {
    case .unavailable(let name, let available):
      "no kernels called '\(name)' on this processor; available: \(available.joined(separator: ", "))"
    }
  }
}
