import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// The page of `sparsify sweep`.
@Suite struct SweepPageTests {
  private func row(
    _ method: PruningMethod?, _ quantization: SweepQuantization, bytes: Int, _ divergence: Double,
    folder: String? = nil
  ) -> SweepRow {
    let windows = TokenWindows(count: 2, length: 32, ids: [Int32](repeating: 0, count: 64))
    let dense = Perplexity(ofLosses: 2 * 62, windows, .float32)
    return SweepRow(
      variant: SweepVariant(method: method, quantization: quantization),
      comparison: ModelComparison(
        reference: dense, other: Perplexity(ofLosses: (2 + divergence) * 62, windows, .float32),
        divergence: Divergence([divergence]), agreement: 0.5,
        referenceRate: MeasuredRate(rounds: [1]),
        otherRate: MeasuredRate(rounds: [1])),
      relativeError: method == nil ? nil : 0.25, bytes: bytes, seconds: 1,
      decodeRate: MeasuredRate(rounds: [9, 10, 12]),
      output: folder.map { $0 + "/model" })
  }

  private func report(_ rows: [SweepRow], text: String = "self") -> SweepReport {
    SweepReport(
      model: "m", rows: rows,
      calibration: SweepReport.Calibration(
        source: text, samples: 2, length: 32, seed: 0, seconds: 1), seconds: 12,
      peakResidentBytes: 1 << 30)
  }

  private func rows(folder: String? = nil) -> [SweepRow] {
    [
      row(nil, .none, bytes: 100_000_000, 0), row(nil, .int8, bytes: 60_000_000, 0.01),
      row(.magnitude, .none, bytes: 70_000_000, 0.9, folder: folder),
      row(.magnitude, .int8, bytes: 40_000_000, 1),
      row(.admm, .none, bytes: 70_000_000, 0.3), row(.admm, .int8, bytes: 40_000_000, 0.4),
    ]
  }

  private func markup(_ report: SweepReport, _ model: String = "m") throws -> Markup {
    try Markup(report.page(origin(model)).text)
  }

  private func origin(_ model: String) -> ReportOrigin {
    ReportOrigin(command: ["sparsify", "sweep", model], model: model, kernels: "avx2")
  }

  @Test(arguments: HostileText.all) func hostileNamesBecomeNoMarkup(name: String) throws {
    let hostile = try markup(
      report(rows(folder: "out/" + name), text: name), "model/" + name)
    let plain = try markup(report(rows(folder: "out/x")))
    #expect(Set(hostile.elements) == Set(plain.elements))
    #expect(!hostile.elements.contains("script") && !hostile.elements.contains("img"))
  }

  @Test func theSameNumbersGiveTheSameBytes() {
    let page = report(rows()).page(origin("m")).text
    for _ in 0..<3 { #expect(report(rows()).page(origin("m")).text == page) }
  }

  @Test func whatNoneBeatsIsSaidAndMarked() throws {
    let markup = try markup(report(rows()))
    #expect(
      markup.text.contains(
        "Of 6 rows these are beaten by none in both size and closeness to the dense model: dense-int8, admm-int8. The smallest of them, admm-int8, has 2.50 times fewer bytes and a perplexity of 11.02, where the dense model has 7.39."
      ))
    #expect(markup.text.contains("★ admm-int8") && !markup.text.contains("★ magnitude"))
    #expect(markup.elements.filter { $0 == "svg" }.count == 3)
  }

  @Test func theDenseModelAloneIsAPage() throws {
    let text = try markup(report([row(nil, .none, bytes: 100, 0)])).text
    #expect(text.contains("Nothing but the dense model was measured."))
    #expect(try markup(report([])).elements.contains("svg") == false)
  }

  @Test(arguments: [Double.nan, .infinity, 0, 1e-200, 1e200])
  func anyNumbersMakeAPage(divergence: Double) throws {
    let rows = [row(nil, .none, bytes: 0, 0), row(.wanda, .none, bytes: 0, divergence)]
    #expect(try markup(report(rows)).text.contains("Divergence by size"))
  }
}
