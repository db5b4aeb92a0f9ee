import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// The page of `sparsify sensitivity`.
@Suite struct SensitivityPageTests {
  private func part(_ name: String, block: Int, _ score: Double, isFast: Bool) -> Sensitivity {
    Sensitivity(
      name: name, block: block, layers: [name], weights: 100, relativeError: 0.25,
      blockError: score, divergence: isFast ? nil : score, lossIncrease: isFast ? nil : score)
  }

  private func report(
    _ parts: [(name: String, block: Int, score: Double)], unit: SensitivityUnit = .linear,
    isFast: Bool = false, method: String = "wanda", text: String = "self"
  ) -> SensitivityReport {
    let windows = TokenWindows(count: 2, length: 32, ids: [Int32](repeating: 0, count: 64))
    return SensitivityReport(
      model: "m", method: method, isQuantized: method == "none", unit: unit, isFast: isFast,
      calibration: Manifest.Calibration(
        source: text, samples: 2, length: 32, seed: 0, fingerprint: "0123456789abcdef"),
      heldOut: text, heldOutSize: (2, 32),
      dense: isFast ? nil : Perplexity(ofLosses: 2 * 62, windows, .float32), seconds: 12,
      peakResidentBytes: 1 << 30,
      parts: parts.map { part($0.name, block: $0.block, $0.score, isFast: isFast) })
  }

  /// Two linears in each of ten blocks, the worst in block 7.
  private func parts(_ name: String = "x") -> [(name: String, block: Int, score: Double)] {
    (0..<20).map { index in
      let score: Double = index == 15 ? 0.7 : 0.1 / Double(index + 1)
      return (
        name: "layers.\(index / 2).\(name)\(index % 2).weight", block: index / 2, score: score
      )
    }
  }

  /// Linears `x0`, `x1`, … in blocks of `width`.
  private func linears(
    _ count: Int, width: Int = 2, _ score: (Int) -> Double
  ) -> [(name: String, block: Int, score: Double)] {
    (0..<count).map { index in
      (
        name: "layers.\(index / width).x\(index % width)", block: index / width,
        score: score(index)
      )
    }
  }

  private func origin(_ model: String) -> ReportOrigin {
    ReportOrigin(command: ["sparsify", "sensitivity", model], model: model, kernels: "avx2")
  }

  private func markup(_ report: SensitivityReport, _ model: String = "m") throws -> Markup {
    try Markup(report.page(origin(model)).text)
  }

  @Test(arguments: HostileText.all) func hostileNamesBecomeNoMarkup(name: String) throws {
    let hostile = try markup(report(parts(name), text: name), "model/" + name)
    #expect(Set(hostile.elements).isSubset(of: Set(try markup(report(parts())).elements)))
    #expect(!hostile.elements.contains("script") && !hostile.elements.contains("img"))
  }

  @Test func theSameNumbersGiveTheSameBytes() {
    let page = report(parts()).page(origin("m")).text
    for _ in 0..<3 { #expect(report(parts()).page(origin("m")).text == page) }
  }

  @Test func theWorstAndItsShareComeFirst() throws {
    let parts = linears(20) { $0 < 2 ? 0.27 : 0.03 }
    let text = try markup(report(parts)).text
    #expect(
      text.contains(
        "The most sensitive of 20 linears is layers.0.x0: pruned by wanda while all others stay dense, it moves the model's predictions by 0.27 nats a token, and perplexity from 7.39 to 9.68. The worst tenth, 2 of them, hold 50 % of the summed divergence, with 10 % of the weights."
      ))
    #expect(text.contains("The 20 most sensitive") == false)
  }

  @Test func errorsAloneAreNoDivergence() throws {
    let text = try markup(report(parts(), isFast: true)).text
    #expect(text.contains("moves the residual stream after its block by 70.0 %"))
    #expect(!text.contains("KL") && !text.contains("perplexity"))
  }

  @Test func thereAreAsManyChartsAsThePartsAllow() throws {
    func charts(_ report: SensitivityReport) throws -> Int {
      try markup(report).elements.filter { $0 == "svg" }.count
    }
    #expect(try charts(report(parts())) == 3)
    let blocks = (0..<4).map { (name: "block \($0)", block: $0, score: 0.1) }
    #expect(try charts(report(blocks, unit: .block)) == 2)
    let stages = (0..<4).map { index in
      (name: "block \(index / 2), s\(index % 2)", block: index / 2, score: 0.1)
    }
    #expect(try charts(report(stages, unit: .stage)) == 3)
    #expect(try charts(report([("layers.0.x", 0, 0.1)])) == 1)
    #expect(try charts(report([])) == 0)
  }

  @Test func ofManyKindsTheWorstGetLines() throws {
    let many = linears(40, width: 20) { 1 / Double(40 - $0) }
    let text = try markup(report(many)).text
    #expect(text.contains("The 7 of 20 kinds with the most sensitive linears."))
    #expect(text.contains("The 20 most sensitive"))
  }

  @Test(arguments: [[Double.nan], [.infinity, 0.1], [0], [1e-200, 1e200]])
  func anyNumbersMakeAPage(scores: [Double]) throws {
    let parts = linears(8) { scores[$0 % scores.count] }
    for isFast in [false, true] {
      let text = try markup(report(parts, isFast: isFast)).text
      #expect(text.contains("The most sensitive of 8 linears"))
      #expect(text.contains("The worst tenth") == (scores.count == 2 && scores[0] < 1 && !isFast))
    }
  }

  @Test func onlyWhatPrunesSaysHowToChoose() throws {
    let text = try markup(report(parts()), "my model").text
    #expect(
      text.contains(
        "sparsify prune 'my model' --method wanda --keep-dense 10% --sensitivity sensitivity.json"))
    let rounded = try markup(report(parts(), method: "none")).text
    #expect(!rounded.contains("--keep-dense") && rounded.contains("made INT8"))
  }
}
