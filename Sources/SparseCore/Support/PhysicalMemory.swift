#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The memory of the machine.
package enum PhysicalMemory {
  /// The number of bytes; nil where the system does not say.
  package static let bytes: Int? = {
    #if canImport(Darwin)
      var bytes: UInt64 = 0
      var size = MemoryLayout<UInt64>.size
      return sysctlbyname("hw.memsize", &bytes, &size, nil, 0) == 0 ? Int(bytes) : nil
    #else
      let pages = sysconf(Int32(_SC_PHYS_PAGES))
      return pages > 0 ? Int(pages) * Int(sysconf(Int32(_SC_PAGESIZE))) : nil
    #endif
  }()

  /// The number of bytes that this process may have: the machine's, or those of its control group where that
  /// has fewer; nil where the system does not say.
  package static let available: Int? = {
    let limit = groupLimit(in: "/sys/fs/cgroup/memory.max")
    return bytes.map { min($0, limit ?? $0) } ?? limit
  }()

  /// The number in a file of a Linux control group; nil for no file and for `max`.
  static func groupLimit(in path: String) -> Int? {
    let text = FileSystem.smallText(path) ?? ""
    return Int(text.prefix { $0.isNumber }).flatMap { $0 > 0 ? $0 : nil }
  }

  /// Throws where `purpose` takes more bytes than the machine has.
  ///
  /// For sizes that come from outside: memory that cannot be had would end the process.
  package static func require(_ needed: Double, for purpose: String) throws(MemoryError) {
    guard let bytes, needed > Double(bytes) else { return }
    throw MemoryError(purpose: purpose, needed: needed, available: bytes)
  }
}

/// Something needs more memory than the machine has.
public struct MemoryError: Error, Equatable, CustomStringConvertible {
  /// What needs it.
  public let purpose: String
  /// How many bytes it needs.
  public let needed: Double
  /// How many bytes the machine has.
  public let available: Int

  /// One line with both numbers.
  public var description: String {
    "\(purpose) would take \(gibibytes(needed)) of memory, the machine has \(gibibytes(Double(available)))"
  }

  private func gibibytes(_ bytes: Double) -> String {
    let value = (bytes / 0x1p30).rounded(.up)
    return "\(Int(exactly: value).map(String.init) ?? "\(value)") GiB"
  }
}
