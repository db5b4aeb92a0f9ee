import SparseCore
import Testing

@Suite struct KernelSetTests {
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

  @Test func computeRefusesNoThreads() async {
    await #expect(processExitsWith: .failure) { _ = Compute(threads: 0) }
  }
}
