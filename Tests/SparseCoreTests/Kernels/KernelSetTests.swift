internal import Foundation
import SparseCore
import Testing

@Suite(.timeLimit(.minutes(20))) struct KernelSetTests {
  @Test func everyMachineHasTheBaseline() {
    #expect(KernelSet.available.first?.name == "scalar")
    #expect(KernelSet.available.last == KernelSet.best)
    #expect(Set(KernelSet.available.map(\.name)).count == KernelSet.available.count)
  }

  @Test(arguments: KernelSet.available) func setsAreFoundByName(kernels: KernelSet) throws {
    #expect(try KernelSet.named(kernels.name) == kernels)
    #expect(kernels.description == kernels.name)
  }

  @Test func noNameMeansTheBest() throws {
    #expect(try KernelSet.named(nil) == KernelSet.best)
  }

  @Test(arguments: ["", "sse9", "AVX2"]) func unknownNamesAreRefusedWithTheChoices(name: String) {
    let available = KernelSet.available.map(\.name)
    let error = #expect(throws: KernelError.unavailable(name: name, available: available)) {
      try KernelSet.named(name)
    }
    #expect(error?.description.contains("available: scalar") == true)
  }

  /// A library's user has no say in the environment of his program, and must not be stopped by it.
  @Test func theEnvironmentDoesNotStopAProgram() async {
    await #expect(processExitsWith: .success) {
      setenv("SPARSIFY_KERNEL", "mmx", 1)
      #expect(Compute.automatic.kernels == KernelSet.best)
      #expect(Compute(threads: 2).kernels == KernelSet.best)
      #expect(
        throws: KernelError.unavailable(name: "mmx", available: KernelSet.available.map(\.name))
      ) {
        try KernelSet.fromEnvironment()
      }
      setenv("SPARSIFY_KERNEL", "scalar", 1)
      #expect(Compute.automatic.kernels == KernelSet.best)
      #expect(try KernelSet.fromEnvironment().name == "scalar")
      Compute.prefer(try KernelSet.fromEnvironment())
      #expect(Compute.automatic.kernels.name == "scalar")
    }
  }

  @Test func computeRefusesNoThreads() async {
    await #expect(processExitsWith: .failure) { _ = Compute(threads: 0) }
  }
}
