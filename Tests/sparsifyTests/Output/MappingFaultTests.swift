import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// A mapped file that another program cuts short is an error, not the end of the process.
@Suite(.timeLimit(.minutes(20))) struct MappingFaultTests {
  @Test func whatIsGoneReadsAsZerosAndIsNamed() async {
    await #expect(processExitsWith: .success) {
      MappingFault.listen()
      let folder = try TemporaryFolder()
      let path = try folder.write([UInt8](repeating: 7, count: 1 << 20), to: "weights")
      let file = try MappedFile(path: path)
      try MappingFault.check()
      guard truncate(path, 5000) == 0 else { exit(1) }
      let sum = file.bytes.withUnsafeBytes { $0.reduce(0) { $0 + Int($1) } }
      // The rest of the last page that is left reads as zeros in any case.
      guard sum == 7 * 5000 else { exit(2) }
      do {
        try MappingFault.check()
        exit(3)
      } catch {
        let expected = FileError.resized(path: path, from: 1 << 20, to: 5000)
        guard error as? FileError == expected else { exit(4) }
      }
    }
  }

  @Test func otherFaultsStillEndTheProcess() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      MappingFault.listen()
      kill(getpid(), SIGBUS)
      while true { pause() }
    }
  }
}
