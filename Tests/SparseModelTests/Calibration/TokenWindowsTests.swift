import Testing

@testable import SparseModel

@Suite struct TokenWindowsTests {
  let windows = TokenWindows(count: 5, length: 3, ids: Array(0..<15))

  @Test func aWindowIsItsOwnIds() {
    #expect(Array(windows[2]) == [6, 7, 8])
    #expect(Array(windows[1..<3]) == [3, 4, 5, 6, 7, 8])
  }

  @Test(arguments: [
    (1, [0..<1, 1..<2, 2..<3, 3..<4, 4..<5]), (3, [0..<1, 1..<2, 2..<3, 3..<4, 4..<5]),
    (6, [0..<2, 2..<4, 4..<5]), (100, [0..<5]),
  ])
  func groupsAreWholeWindowsAndCoverAll(tokens: Int, expected: [Range<Int>]) {
    #expect(windows.groups(ofTokens: tokens) == expected)
  }
}
