import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What a page does with text that was made to break it.
enum HostileText {
  static let all = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='x",
    "a & b &amp; &#60;",
    "</title></style></svg>", "<!-- -->", "]]>", "javascript:alert(1)", "line\nbreak\r\ttab",
    "\u{0}\u{1}\u{1b}[31m\u{7f}\u{85}", "\u{202e}txt.exe\u{2066}\u{200f}\u{feff}",
    "\u{2028}\u{2029}",
    "\u{fffe}\u{ffff}", "e\u{301}\u{308} 重み 🦙", String(repeating: "long.", count: 2000),
    String(repeating: "<", count: 1000), "", "--share: 1; background: url(x)", "%s%n\\u{202e}",
    "${HOME}`id`",
  ]
}

@Suite struct HTMLTests {
  private let origin = ReportOrigin(command: ["sparsify"], model: "m", kernels: "scalar")

  private func page(_ text: String) -> HTMLPage {
    let attributes: [(StaticString, String)] = [("title", text)]
    return HTMLPage(
      title: text, lead: text, origin: origin,
      .section(text, .paragraph(text), .note(text), .list([text, text])),
      .keyNumbers([(text, text)]), .notice(text, .name(text)), .definitions([(text, text)]),
      .command([text, text]), .details(text, .element("p", attributes, text)))
  }

  @Test(arguments: HostileText.all) func textStaysText(text: String) throws {
    let plain = try Markup(page("x").text)
    let markup = try Markup(page(text).text)
    #expect(markup.elements == plain.elements)
    #expect(markup.values.count == plain.values.count)
    // Nothing is lost but what cannot be shown, which is spelled out.
    #expect(markup.values.last == spelledOut(text))
    #expect(markup.text.contains(spelledOut(text)))
  }

  private func spelledOut(_ text: String) -> String {
    text.printable.replacing("\u{fffe}", with: "\\u{fffe}").replacing("\u{ffff}", with: "\\u{ffff}")
  }

  @Test(arguments: HostileText.all) func namesInTablesAreCutInTheMiddle(text: String) throws {
    var table = HTMLTable([.names("name"), .numbers("n")])
    table.append([text, "1"])
    let markup = try Markup(table.html.markup)
    #expect(markup.elements.filter { $0 == "td" }.count == 2)
    // 200 characters, each at most spelled out.
    #expect(markup.text.unicodeScalars.count <= 200 * 8 + 20)
  }

  @Test func aPageLoadsAndRunsNothing() throws {
    let page = HTMLPage(title: "t", lead: "l", origin: origin, .paragraph("p")).text
    #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    for forbidden in ["<script", "http:", "https:", "src=", "href=", "@import", "url(", "onload"] {
      #expect(!page.contains(forbidden), "\(forbidden)")
    }
    #expect(page.contains("default-src &#39;none&#39;"))
    #expect(page.contains("prefers-color-scheme: dark") && page.contains("@media print"))
  }

  @Test(arguments: [
    "<p>", "<p></b>", "<p class=x></p>", "<p a=\"1\" a=\"2\"></p>", "a & b", "a > b",
    "<p\u{202e}></p>",
    "<p a=\"1\"b=\"2\"></p>", "&nbsp;",
  ])
  func theCheckerFindsFaults(markup: String) {
    #expect(throws: Markup.Fault.self) { try Markup(markup) }
  }

  @Test(arguments: [
    ("abcdef", 6, "abcdef"), ("abcdefg", 6, "ab…efg"), ("abcdefg", 3, "a…g"), ("abc", 1, "…"),
  ])
  func longTextsLoseTheirMiddle(text: String, count: Int, short: String) {
    #expect(text.shortened(to: count) == short)
  }
}
