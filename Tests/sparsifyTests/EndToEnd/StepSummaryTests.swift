import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// The table that `check --format github` appends to the summary of a step of GitHub Actions.
@Suite struct StepSummaryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var summary: String { folder["summary.md"] }

  private func model(_ name: String, promising names: [String]) throws -> String {
    try SmallCheckpoint.write(
      [SmallCheckpoint.sparse("a.weight"), SmallCheckpoint.dense("b.weight")],
      promising: names, to: folder, name)
  }

  private func check(
    _ words: String..., format: String = "github", to place: String? = nil
  ) throws -> ToolRun {
    try ToolRun(
      ["check"] + words + ["--format", format],
      environment: ["GITHUB_STEP_SUMMARY": place ?? summary])
  }

  private func written() throws -> String {
    String(decoding: try folder.read("summary.md"), as: UTF8.self)
  }

  @Test func everyModelIsARow() throws {
    let good = try model("good.safetensors", promising: ["a.weight"])
    let bad = try model("bad.safetensors", promising: ["a.weight", "b.weight"])
    try folder.write("before\n", to: "summary.md")
    let run = try check(good, bad, "--require", "c*", "--require", "a*")
    #expect(run.status == 1 && run.errors.isEmpty)
    #expect(
      try written() == """
        before
        ### sparsify check: FAILED

        | model | result | 2:4 weights | violations | dense | requirements |
        | --- | --- | --: | --: | --: | --- |
        | `\(good)` | FAILED | 1 | 0 | 1 | 1 of 2 met |
        | `\(bad)` | FAILED | 1 | 1 | 0 | 1 of 2 met |

        - `\(good)`: requirement not met: `c*` matches no weight
        - `\(bad)`: requirement not met: `c*` matches no weight

        | model | violating weight | groups | not 2:4 | first |
        | --- | --- | --: | --: | --- |
        | `\(bad)` | `b.weight` | 2 | 1 | row 1, group 0: 3 non-zeros |


        """)
    #expect(
      run.output
        == (try ToolRun(
          "check", good, bad, "--require", "c*", "--require", "a*", "--format", "github")).output)
  }

  @Test func whatIsThereStaysAndAFileIsMade() throws {
    let good = try model("good.safetensors", promising: ["a.weight"])
    for _ in 0..<2 { #expect(try check(good).status == 0) }
    let once = """
      ### sparsify check: passed

      | model | result | 2:4 weights | violations | dense | requirements |
      | --- | --- | --: | --: | --: | --- |
      | `\(good)` | passed | 1 | 0 | 1 | none |


      """
    #expect(try written() == once + once)
  }

  @Test(arguments: ["text", "json"]) func otherFormatsWriteNone(format: String) throws {
    let good = try model("good.safetensors", promising: ["a.weight"])
    #expect(try check(good, format: format).status == 0)
    #expect(!FileManager.default.fileExists(atPath: summary))
    #expect(try check(good, to: "").status == 0)
  }

  @Test func aModelThatCannotBeReadIsARowWithItsReason() throws {
    let run = try check(folder["none"])
    #expect(run.status == 65)
    let text = try written()
    #expect(text.contains("| `\(folder["none"])` | FAILED: could not be read | – | – | – | – |\n"))
    #expect(text.contains("\n- `\(folder["none"])` could not be read: `\(folder["none"]): no such"))
  }

  @Test(arguments: ["missing/summary.md", "folder", "good.safetensors/x"])
  func aFileThatCannotBeWrittenIsAnError(name: String) throws {
    let good = try model("good.safetensors", promising: ["a.weight"])
    try FileManager.default.createDirectory(
      atPath: folder["folder"], withIntermediateDirectories: false)
    let run = try check(good, to: folder[name])
    #expect(run.status == 74)
    #expect(run.output.hasPrefix("::notice title=sparsify check::"))
    #expect(run.errors.hasPrefix("Error: GITHUB_STEP_SUMMARY: \(folder.path)"), "\(run.errors)")
  }

  @Test func onlyTheFirstViolationsAreListed() throws {
    let names = (0..<13).map { "w\($0).weight" }
    let path = try SmallCheckpoint.write(
      names.map { SmallCheckpoint.dense($0) }, promising: names, to: folder, "bad.safetensors")
    #expect(try check(path).status == 1)
    let text = try written()
    // In the order of the file, which is that of the names: w0, w1, w10, w11, w12, w2 to w6.
    #expect(text.contains("`w6.weight`") && !text.contains("`w7.weight`"))
    #expect(text.hasSuffix("\n\nand 3 more\n\n"))
  }

  @Test(arguments: [
    ("model.layers.0.q_proj", "`model.layers.0.q_proj`"), ("<b>*x*</b>", "`<b>*x*</b>`"),
    ("a|b", "<code>a&#124;b</code>"), ("`x`", "<code>&#96;x&#96;</code>"),
    ("a\nb", "<code>a&#92;u&#123;a&#125;b</code>"), ("", "<code></code>"),
  ]) func namesAreNoMarkup(name: String, code: String) {
    #expect(MarkdownTable.code(name) == code)
  }
}
