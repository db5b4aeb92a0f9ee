import SparseCore
import Testing

@testable import sparsify

@Suite struct ProgressTextTests {
  private func progress(_ done: Int, of total: Int = 100, _ step: String = "prune") -> RunProgress {
    RunProgress(step: step, done: done, total: total)
  }

  @Test func aRewrittenLineShowsRateAndTimeLeft() {
    var text = ProgressText(.rewritten, at: 0)
    #expect(text.line(for: progress(0), at: 0) == "prune  0/100")
    #expect(text.line(for: progress(10), at: 5) == "prune  10/100  2.0/s  0:45 left")
    #expect(text.line(for: progress(100), at: 50) == "prune  100/100  2.0/s  0:00 left")
  }

  @Test func slowWorkShowsSecondsForEach() {
    var text = ProgressText(.rewritten, at: 0)
    _ = text.line(for: progress(0), at: 0)
    #expect(text.line(for: progress(2), at: 50) == "prune  2/100  25 s each  40:50 left")
  }

  @Test func aFineCountShowsItsShareInPlaceOfNumberAndRate() {
    var text = ProgressText(.rewritten, at: 0)
    let total = 1_000_001
    #expect(text.line(for: progress(0, of: total), at: 0) == "prune  0 %")
    #expect(text.line(for: progress(250_000, of: total), at: 10) == "prune  25 %  0:30 left")
    #expect(text.line(for: progress(total, of: total), at: 40) == "prune  100 %  0:00 left")
    #expect(text.line(for: progress(0, of: total - 1), at: 41) == "prune  0/1000000")
  }

  @Test func aRewrittenLineIsShownAtMostTenTimesASecond() {
    var text = ProgressText(.rewritten, at: 0)
    let shown = (0...1000).filter { text.line(for: progress($0), at: Double($0) / 1000) != nil }
    #expect((10...11).contains(shown.count))
    #expect(shown.first == 0)
  }

  @Test func linesComeEveryTenSecondsAndNotBefore() {
    var text = ProgressText(.lines, at: 100)
    let shown = (0...45).filter { text.line(for: progress($0), at: 100 + Double($0)) != nil }
    #expect(shown == [10, 20, 30, 40])
  }

  @Test func theRateIsMeasuredFromWhereACountBegan() {
    var text = ProgressText(.rewritten, at: 0)
    _ = text.line(for: progress(90), at: 0)
    #expect(text.line(for: progress(95), at: 10) == "prune  95/100  2.0 s each  0:10 left")
  }

  @Test func aNewNameGoesOnWithTheCountAndANewTotalBeginsOne() {
    var text = ProgressText(.rewritten, at: 0)
    _ = text.line(for: progress(0, of: 60, "block 1"), at: 0)
    #expect(
      text.line(for: progress(30, of: 60, "block 2"), at: 10)
        == "block 2  30/60  3.0/s  0:10 left")
    #expect(text.line(for: progress(0, of: 7, "write"), at: 11) == "write  0/7")
    #expect(text.line(for: progress(1, of: 7, "write"), at: 12) == "write  1/7  1.0/s  0:06 left")
  }

  @Test func aCountThatFallsBeginsAnew() {
    var text = ProgressText(.rewritten, at: 0)
    _ = text.line(for: progress(0), at: 0)
    _ = text.line(for: progress(100), at: 1)
    #expect(text.line(for: progress(0), at: 2) == "prune  0/100")
  }

  @Test func namesFromFilesCannotSteerTheTerminal() {
    var text = ProgressText(.rewritten, at: 0)
    #expect(text.line(for: progress(0, of: 1, "a\u{1b}[2J\n"), at: 0) == "a\\u{1b}[2J\\u{a}  0/1")
  }
}
