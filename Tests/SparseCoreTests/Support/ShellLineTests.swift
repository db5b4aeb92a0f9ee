internal import Foundation
import SparseCore
import Testing

@Suite struct ShellLineTests {
  @Test(arguments: [
    (["sparsify", "prune", "a/b-1.0"], "sparsify prune a/b-1.0"),
    (["my model", ""], "'my model' ''"), (["it's"], "'it'\\''s'"),
    (["$(rm -rf ~)", "a;b", "*"], "'$(rm -rf ~)' 'a;b' '*'"),
    (["a\nb'\\"], "$'a\\x0ab\\'\\\\'"), (["a\u{202e}b"], "$'a\\xe2\\x80\\xaeb'"),
  ])
  func wordsAreQuotedWhereTheyMustBe(words: [String], line: String) {
    #expect(ShellLine.text(words) == line)
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash")))
  func aShellReadsTheSameWords() throws {
    let words = [
      "plain", "", "two words", "it's", "\"", "\\", "$HOME `id` $(id)", "a\n\tb'\\\u{1b}[31m",
      "重み é",
      "\u{202e}<script>&amp;", "~", "#x", "-x=*?[a]{b,c}!", "\u{7f}0", "\u{1}'7",
    ]
    let shell = Process()
    shell.executableURL = URL(filePath: "/bin/bash")
    shell.arguments = ["-c", "printf '%s\\0' " + ShellLine.text(words)]
    let output = Pipe()
    shell.standardOutput = output
    try shell.run()
    let read = output.fileHandleForReading.readDataToEndOfFile()
    shell.waitUntilExit()
    #expect([UInt8](read) == words.flatMap { Array($0.utf8) + [0] })
  }
}
