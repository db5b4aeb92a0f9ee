internal import SparseCore
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// Turns SIGBUS, which comes where a mapped file has been cut short by another program, into an error at the next report of progress.
///
/// What is gone reads as zeros from then on, so the work goes on to where it can be unwound, which removes
/// what it had not finished writing. Nothing that was made of the zeros is kept or shown: ``check()`` comes
/// before any result, and before an output gets its name its inputs' sizes are compared.
enum MappingFault {
  /// The first address that could not be read.
  private static let address = Atomic<UInt>(0)
  private static let pageSize = UInt(sysconf(Int32(_SC_PAGESIZE)))

  /// Begins to listen.
  static func listen() {
    // Touched here so that the handler finds them made: a handler must not wait for a lock.
    address.store(0, ordering: .relaxed)
    precondition(pageSize.nonzeroBitCount == 1, "pages of \(pageSize) bytes")
    var action = sigaction()
    action.sa_flags = SA_SIGINFO
    #if canImport(Darwin)
      action.__sigaction_u.__sa_sigaction = { _, info, _ in
        MappingFault.patch(info?.pointee.si_addr, isExpected: info?.pointee.si_code == BUS_ADRERR)
      }
    #elseif canImport(Glibc)
      action.__sigaction_handler.sa_sigaction = { _, info, _ in
        MappingFault.patch(
          info?.pointee._sifields._sigfault.si_addr,
          isExpected: info?.pointee.si_code == Int32(BUS_ADRERR))
      }
    #else
      return
    #endif
    sigaction(SIGBUS, &action, nil)
  }

  /// Puts a page of zeros where one is gone; ends the process where that is not what has happened.
  private static func patch(_ fault: UnsafeMutableRawPointer?, isExpected: Bool) {
    let bits = UInt(bitPattern: fault)
    let page = UnsafeMutableRawPointer(bitPattern: bits & ~(pageSize - 1))
    let flags = MAP_PRIVATE | MAP_ANON | MAP_FIXED
    if isExpected, mmap(page, Int(pageSize), PROT_READ, flags, -1, 0) != MAP_FAILED {
      _ = address.compareExchange(expected: 0, desired: bits, ordering: .relaxed)
    } else {
      // It ends the process as if nobody had listened.
      _ = signal(SIGBUS, SIG_DFL)
      _ = raise(SIGBUS)
    }
  }

  /// Throws if a file that was being read has been cut short.
  static func check() throws(FileError) {
    let address = address.load(ordering: .relaxed)
    if address == 0 { return }
    let file = MappedFile.file(at: address)
    try file?.check()
    throw .vanished(path: file?.path ?? "a file that was being read")
  }
}
