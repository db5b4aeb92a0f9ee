import TestSupport
import Testing

/// What a run says of the tests that it leaves out.
@Suite struct SkippedTestsTests {
  @Test func testsOfASuiteAndSingleOnesAreCounted() {
    let suite = """
      @Suite struct A { @Test func a() {} }
      @Suite(.enabled(if: Some.where)) struct B {
        @Test func b() { print("{") }
        @Test(arguments: [1, 2]) func c(_: Int) {}
      }

      @Suite struct C {
        @Test func d() {}
      }
      """
    let single = """
      @Suite struct D {
        @Test(.enabled(if: Some.where), arguments: [1]) func e(_: Int) {}
        @Test func f() {}
        @Test(.enabled(if: Some.else)) func g() {}
        @Test(
          .enabled(if: Some.where))
        func h() {}
      }
      """
    #expect(SkippedTests(under: "Some.where", in: [suite]).count == 2)
    #expect(SkippedTests(under: "Some.where", in: [single]).count == 2)
    #expect(SkippedTests(under: "Some.where", in: [suite, single, suite]).count == 6)
    #expect(SkippedTests(under: "Some.else", in: [suite, single]).count == 1)
    #expect(SkippedTests(under: "None", in: [suite, single]).count == 0)
  }

  // A condition that no source has would leave tests out without a word.
  @Test func theSourcesOfThisPackageAreFound() {
    #expect(SkippedTests(under: "Shared.exists").count > 20)
    #expect(SkippedTests(under: "SmolLM2.isThere").count > 0)
  }
}
