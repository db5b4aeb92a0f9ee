internal import Testing

@testable internal import SparseCore

@Suite struct PhysicalMemoryTests {
  @Test func whatTheMachineHasMayBeUsedAndNoMore() throws {
    let bytes = try #require(PhysicalMemory.bytes)
    #expect(bytes > 1 << 26)
    try PhysicalMemory.require(Double(bytes), for: "all of it")
    let needed = Double(bytes) * 1.25
    #expect(throws: MemoryError(purpose: "a quarter more", needed: needed, available: bytes)) {
      try PhysicalMemory.require(needed, for: "a quarter more")
    }
  }

  @Test func theErrorNamesBothNumbers() {
    let error = MemoryError(purpose: "9 windows", needed: 0x1p34 - 1, available: 8 << 30)
    #expect(
      error.description == "9 windows would take 16 GiB of memory, the machine has 8 GiB")
  }
}
