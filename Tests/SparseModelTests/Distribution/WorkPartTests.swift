import Testing

@testable import SparseModel

@Suite struct WorkPartTests {
  @Test(arguments: [0, 1, 3, 7, 128, Int.max]) func partsMeetAndCover(total: Int) throws {
    for count in [1, 2, 4, 7] {
      let ranges = try (0..<count).map { try #require(WorkPart($0, of: count)).range(of: total) }
      #expect(ranges.first?.lowerBound == 0)
      #expect(ranges.last?.upperBound == total)
      for (a, b) in zip(ranges, ranges.dropFirst()) { #expect(a.upperBound == b.lowerBound) }
      let sizes = ranges.map(\.count)
      #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }
  }

  @Test func thereAreNoOtherParts() {
    for (index, count) in [(-1, 4), (4, 4), (0, 0), (0, -1)] {
      #expect(WorkPart(index, of: count) == nil)
    }
  }

  @Test func rangesOfSamplesAreThoseThatThereAre() throws {
    #expect(try SampleSelection.all.range(of: 5) == 0..<5)
    #expect(try SampleSelection.range(2..<5).range(of: 5) == 2..<5)
    for range in [2..<6, 3..<3, 7..<8] {
      #expect(throws: PartError.outOfRange(range, of: "samples", count: 5)) {
        try SampleSelection.range(range).range(of: 5)
      }
    }
    let part = try #require(WorkPart(0, of: 8))
    #expect(throws: PartError.tooManyParts(part, of: "samples", count: 5)) {
      try SampleSelection.part(part).range(of: 5)
    }
  }
}
