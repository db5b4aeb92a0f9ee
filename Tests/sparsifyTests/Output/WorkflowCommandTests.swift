import Testing

@testable import sparsify

@Suite struct WorkflowCommandTests {
  @Test(arguments: [
    ("a", "b", "::error title=a::b\n"),
    ("50%,a:b", "50%,a:b", "::error title=50%25%2Ca%3Ab::50%25,a:b\n"),
    ("x\r\ny", "x\r\ny", "::error title=x%0D%0Ay::x%0D%0Ay\n"),
    (
      "\n::notice::", "\r::stop-commands::x",
      "::error title=%0A%3A%3Anotice%3A%3A::%0D::stop-commands::x\n"
    ),
    ("%0A", "%0A", "::error title=%250A::%250A\n"),
    ("é\u{1b}[2J", "\u{2028}", "::error title=é\\u{1b}[2J::\\u{2028}\n"),
    ("", "", "::error title=::\n"),
  ])
  func whatWouldEndACommandIsEscaped(title: String, message: String, line: String) {
    #expect(WorkflowCommand(level: .error, title: title, message: message).line == line)
  }

  @Test func noticesAreMarkedAsSuch() {
    #expect(
      WorkflowCommand(level: .notice, title: "t", message: "m").line == "::notice title=t::m\n")
  }
}
