internal import FuzzTargets
internal import SparseCore
internal import TestSupport
internal import Testing

/// Files made to do harm, and those that fuzzing has found: each is refused or read, and the process lives.
///
/// `.ci/fuzz` makes more of them. What nothing is known of but that it must not end the process is
/// tested here; what a certain file is answered, where that reader is tested.
@Suite struct HostileInputTests {
  private static let inputs = FuzzTargets.all.flatMap { target in
    let folder = FuzzTargets.corpus(target)
    return ((try? FileSystem.names(in: folder)) ?? []).map { (target.name, folder + "/" + $0) }
  }

  @Test func everyTargetHasInputs() {
    for target in FuzzTargets.all {
      #expect(Self.inputs.count { $0.0 == target.name } >= 10, "\(target.name)")
    }
  }

  @Test(arguments: inputs) func noInputEndsTheProcess(target: String, path: String) throws {
    let type = try #require(FuzzTargets.named(target))
    let bytes = try FileSystem.contents(of: path).withUnsafeBytes { Array($0) }
    _ = try type.init(in: TemporaryFolder()).accepts(bytes)
  }

  /// A target whose every input is refused would look at nothing behind the first check.
  @Test func everyTargetTakesSomeOfItsInputs() throws {
    for target in FuzzTargets.all {
      let fuzzer = try target.init(in: TemporaryFolder())
      let taken = try Self.inputs.filter { $0.0 == target.name }.count {
        fuzzer.accepts(try FileSystem.contents(of: $0.1).withUnsafeBytes { Array($0) })
      }
      #expect(taken >= 3, "\(target.name) took \(taken)")
    }
  }
}
