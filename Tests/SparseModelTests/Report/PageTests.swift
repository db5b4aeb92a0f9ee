import SparseCore
import TestSupport
import Testing

@testable import SparseModel

@Suite struct PageTests {
  private func report(_ names: [String], errors: [Double?] = [0.5], fallback: PruningMethod? = nil)
    -> PruneReport
  {
    let layers = names.enumerated().map { index, name in
      LayerReport(
        name: name, block: index / 2, stage: index % 2 == 0 ? "qkv" : "<o>", shape: [8, 16],
        seconds: 0.25,
        error: errors[index % errors.count].map {
          OutputError(squaredError: $0 * $0, squaredReference: 1)
        },
        sparsity: 0.5, patterns: [6, 5, 4, 7, 8, 2], dampening: index == 0 ? 0.1 : 0.01,
        fallback: index == 1 ? fallback : nil, sampleTokens: 32)
    }
    var report = PruneReport(
      method: "sparsegpt", output: names.first ?? "out", seconds: 12, peakResidentBytes: 1 << 30,
      calibration: nil, layers: layers, options: PruneOptions(method: .sparseGPT),
      inputFingerprint: "0123456789abcdef", sizes: nil)
    let windows = TokenWindows(count: 2, length: 32, ids: [Int32](repeating: 0, count: 64))
    let before = Perplexity(ofLosses: 2.81 * 62, windows, .float32)
    report.perplexity = PerplexityChange(text: names.first ?? "t", before: before, after: before)
    return report
  }

  private func origin(_ model: String) -> ReportOrigin {
    ReportOrigin(command: ["sparsify", "prune", model], model: model, kernels: "avx2")
  }

  @Test(arguments: HostileText.all) func hostileNamesBecomeNoMarkup(name: String) throws {
    let names = (0..<6).map { "layers.\($0 / 2).\(name)\($0)" }
    let page = report(names, fallback: .wanda).page(origin("model/" + name)).text
    let markup = try Markup(page)
    let plain = try Markup(
      report((0..<6).map { "layers.\($0 / 2).x\($0)" }, fallback: .wanda)
        .page(origin("model/x")).text)
    #expect(markup.elements.filter { $0 != "title" } == plain.elements.filter { $0 != "title" })
    #expect(!markup.elements.contains("script") && !markup.elements.contains("img"))
  }

  @Test func theSameNumbersGiveTheSameBytes() {
    let names = (0..<20).map { "layers.\($0 / 2).l\($0 % 2)" }
    let page = report(names).page(origin("m")).text
    for _ in 0..<3 { #expect(report(names).page(origin("m")).text == page) }
  }

  @Test(arguments: [[nil], [Double.nan], [.infinity, 0.1], [0], [1e-200, 1e200]] as [[Double?]])
  func anyErrorsMakeAPage(errors: [Double?]) throws {
    let names = (0..<8).map { "layers.\($0 / 2).l\($0 % 2)" }
    let markup = try Markup(report(names, errors: errors).page(origin("m")).text)
    #expect(markup.text.contains("Where the error is") == (errors != [nil]))
  }

  @Test func whatWentOtherwiseComesFirst() throws {
    let page = report(["layers.0.a", "layers.0.b"], fallback: .wanda).page(origin("m")).text
    let markup = try Markup(page)
    let notice = try #require(
      markup.text.firstRange(of: "sparsegpt could not work on 1 weight of 2"))
    let dampened = try #require(markup.text.firstRange(of: "1 weight needed more dampening"))
    let perplexity = try #require(markup.text.firstRange(of: "Perplexity before and after"))
    #expect(notice.lowerBound < dampened.lowerBound && dampened.lowerBound < perplexity.lowerBound)
    let calm = try Markup(report(["layers.0.a"].filter { _ in false }).page(origin("m")).text)
    #expect(!calm.text.contains("could not work"))
  }

  @Test func weightsThatStayDenseAreNotCountedAsSparse() throws {
    let sparse = LayerReport(
      name: "layers.0.a", shape: [8, 16], seconds: 1, sparsity: 0.5, patterns: [32, 0, 0, 0, 0, 0])
    let dense = LayerReport(
      name: "layers.0.b", shape: [8, 16], seconds: 1, sparsity: 0, patterns: [0, 0, 0, 0, 0, 0],
      isDense: true)
    let report = PruneReport(
      method: "wanda", output: "out", seconds: 1, peakResidentBytes: 1, calibration: nil,
      layers: [sparse, dense], options: PruneOptions(method: .wanda, keptDense: ["layers.0.b"]),
      inputFingerprint: nil, sizes: nil)
    let text = try Markup(report.page(origin("m")).text).text
    #expect(
      text.contains("1 weight of m are 2:4 sparse now") && text.contains("1 weight stayed dense"))
    #expect(text.contains("50.0 %") && text.contains("All 32 groups have exactly two non-zeros"))
    #expect(text.contains("kept dense"))
  }

  @Test func theCommandIsQuotedForAShell() throws {
    let markup = try Markup(report(["a"]).page(origin("my model/$x")).text)
    #expect(markup.text.contains("sparsify prune 'my model/$x'"))
  }
}
