#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// What this process has used of the machine so far.
package enum ProcessUsage {
  /// The most memory that was resident at once, in bytes.
  package static var peakResidentBytes: Int {
    let usage = current
    #if canImport(Darwin)
      return usage.ru_maxrss  // bytes
    #else
      return usage.ru_maxrss * 1024  // kibibytes
    #endif
  }

  /// Processor time of all threads, in seconds, the system's share included.
  package static var processorSeconds: Double {
    let usage = current
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  private static var current: rusage {
    var usage = rusage()
    #if canImport(Glibc)
      getrusage(RUSAGE_SELF.rawValue, &usage)  // an enumeration here, a number elsewhere
    #else
      getrusage(RUSAGE_SELF, &usage)
    #endif
    return usage
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
  }
}
