package import SparseCore

/// A whole page in one file: it loads nothing, runs nothing, and is the same bytes for the same content.
package struct HTMLPage: Sendable {
  private let title: String
  private let lead: String
  private let body: [HTML]
  private let origin: ReportOrigin

  /// A page.
  ///
  /// - Parameters:
  ///   - title: its heading, and its name in the browser.
  ///   - lead: what it comes to, in a sentence or two.
  package init(title: String, lead: String, origin: ReportOrigin, _ body: HTML...) {
    self.title = title.shortened(to: 200)
    self.lead = lead
    self.body = body
    self.origin = origin
  }

  /// The file's text.
  package var text: String {
    HTML.document(
      .element(
        "html", [("lang", "en")],
        .element(
          "head", [], .element("meta", [("charset", "utf-8")]),
          .element(
            "meta",
            [("name", "viewport"), ("content", "width=device-width, initial-scale=1")]),
          // A second lock: even markup that should never have got in could load and run nothing.
          .element(
            "meta",
            [
              ("http-equiv", "Content-Security-Policy"),
              ("content", "default-src 'none'; style-src 'unsafe-inline'"),
            ]),
          .element("meta", [("name", "color-scheme"), ("content", "light dark")]),
          .element("title", [], title), .style(pageStyle)),
        .element(
          "body", [],
          .element("header", [], .element("h1", [], title), .element("p", [], lead)),
          .element("main", [], .joined(body)),
          .element("footer", [], .element("p", [], "\(Tool.name) \(origin.version)")))))
  }
}

/// Where a report comes from: what is needed to get it again.
package struct ReportOrigin: Sendable {
  /// The words of the command line, the tool's name first.
  package var command: [String]
  /// The model as it was named there.
  package var model: String
  /// The kernel set that computed.
  package var kernels: String
  /// The tool's version.
  package var version = Tool.version

  /// An origin of this build.
  package init(command: [String], model: String, kernels: String) {
    self.command = command
    self.model = model
    self.kernels = kernels
  }

  /// The model's name without its folder.
  package var modelName: String { Path.name(of: model) }
}

/// Numbers that can be kept as one object for programs, and as one page for people.
package protocol Reportable {
  /// The object that `--json` prints.
  var json: JSON { get }
  /// The page.
  func page(_ origin: ReportOrigin) -> HTMLPage
}
