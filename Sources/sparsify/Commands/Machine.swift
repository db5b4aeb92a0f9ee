internal import SparseCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// What is known of the machine that this runs on; nil where the system doesn't say.
struct Machine {
  let processor: String?
  /// Processors that are online.
  let processors: Int
  let memoryBytes: Int?
  let pageBytes: Int
  /// Linux: whether the kernel backs memory with huge pages: `always`, `madvise` or `never`.
  let hugePages: String?
  let system: String

  /// Asks the system.
  static func current() -> Machine {
    Machine(
      processor: processorName(),
      processors: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
      memoryBytes: PhysicalMemory.bytes,
      pageBytes: Int(sysconf(Int32(_SC_PAGESIZE))),
      hugePages: FileSystem.smallText("/sys/kernel/mm/transparent_hugepage/enabled").flatMap(
        bracketed),
      system: systemName())
  }

  /// `b` of `a [b] c`: how the kernel marks the chosen one of several.
  static func bracketed(_ text: String) -> String? {
    guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]") else {
      return nil
    }
    return String(text[text.index(after: open)..<close])
  }

  /// The value of the first `key : value` line of /proc/cpuinfo.
  static func value(of key: String, in text: String) -> String? {
    for line in text.split(separator: "\n") where line.hasPrefix(key) {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      return String(parts[1].drop { $0 == " " || $0 == "\t" })
    }
    return nil
  }
}

#if canImport(Darwin)
  private func processorName() -> String? {
    var size = 0
    guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: size)
    guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else { return nil }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
#else
  private func processorName() -> String? {
    FileSystem.smallText("/proc/cpuinfo").flatMap { Machine.value(of: "model name", in: $0) }
  }
#endif

/// `Linux 6.8.0 x86_64`.
private func systemName() -> String {
  var names = utsname()
  guard uname(&names) == 0 else { return "unknown" }
  return [text(names.sysname), text(names.release), text(names.machine)].joined(separator: " ")
}

/// The text in a C array of characters.
private func text(_ characters: some BitwiseCopyable) -> String {
  withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
