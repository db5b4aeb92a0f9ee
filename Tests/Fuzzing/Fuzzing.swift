internal import Foundation
internal import FuzzTargets
internal import TestSupport

/// What libFuzzer calls: the target that `SPARSIFY_FUZZ_TARGET` names.
private enum Fuzzing {
  /// Holds the files of the target; gone when the process ends as it should.
  nonisolated(unsafe) static var folder: TemporaryFolder?
  nonisolated(unsafe) static var target: (any FuzzTarget)?

  /// Makes the target; prints why and ends the process where that cannot be.
  static func start() {
    let name = ProcessInfo.processInfo.environment["SPARSIFY_FUZZ_TARGET"] ?? ""
    do {
      let folder = try TemporaryFolder()
      guard let type = FuzzTargets.named(name) else {
        let names = FuzzTargets.all.map { $0.name }.joined(separator: " ")
        throw CocoaError(.featureUnsupported, userInfo: [NSLocalizedDescriptionKey: names])
      }
      target = try type.init(in: folder)
      self.folder = folder
      atexit { Fuzzing.folder = nil }
    } catch {
      print("SPARSIFY_FUZZ_TARGET=\(name): \(error.localizedDescription)")
      exit(64)
    }
  }
}

/// Called once, before the first input.
@c(LLVMFuzzerInitialize)
public func fuzzerInitialize(
  _ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?
) -> CInt {
  Fuzzing.start()
  return 0
}

/// Called with each input, on one thread.
@c(LLVMFuzzerTestOneInput)
public func fuzzerTestOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
  Fuzzing.target?.accepts(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
  return 0
}
