import SparseCore
import TestSupport
import Testing

@Suite struct ScratchFileTests {
  @Test func whatIsWrittenIsReadAndTheFileHasNoName() throws {
    let folder = try TemporaryFolder()
    let file = try ScratchFile(beside: folder["out/"], size: 4000)
    #expect(try folder.contents() == [])
    let values = (0..<500).map { Float($0) }
    try file.write(values, at: 400)
    try file.write([7], at: 3996)
    #expect(try file.read(rows: 50, columns: 10, at: 400).values == values)
    #expect(try file.read(rows: 1, columns: 2, at: 3992).values == [0, 7])
    #expect(try file.read(rows: 0, columns: 2, at: 4000).values == [])
  }

  @Test func aDiskThatIsTooSmallIsFoundAtOnce() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.self) { try ScratchFile(beside: folder["out"], size: 1 << 62) }
    #expect(throws: FileError.missingFolder(path: folder["none"])) {
      try ScratchFile(beside: folder["none/out"], size: 8)
    }
    #expect(try folder.contents() == [])
  }
}
