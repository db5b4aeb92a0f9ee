import Foundation
import TestSupport
import Testing

@testable import sparsify

@Suite(.timeLimit(.minutes(20))) struct CompletionTests {
  private static let shells = CompletionsCommand.Shell.allCases

  @Test(arguments: shells) func scriptsAreAsReviewed(shell: CompletionsCommand.Shell) throws {
    let script = shell.script(Registry.commands.map { $0.spec })
    try Snapshot.expect(script, equals: "completions.\(shell)")
  }

  @Test(arguments: shells)
  func scriptsKnowEveryKindOfParameter(shell: CompletionsCommand.Shell) throws {
    try Snapshot.expect(shell.script([Sample.spec]), equals: "completions-sample.\(shell)")
  }

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash")),
    arguments: [
      (["pr"], ["prune"]), (["compl"], ["completions"]), (["--v"], ["--version"]),
      (["help", "ev"], ["eval"]),
      (["prune", "--met"], ["--method"]),
      (["prune", "m", "--method", ""], ["magnitude", "wanda", "sparsegpt", "admm", "asp"]),
      (["prune", "--method", "=", "w"], ["wanda"]),
      (["prune", "--method", "="], ["magnitude", "wanda", "sparsegpt", "admm", "asp"]),
      (["prune", "--samples", ""], []), (["completions", "f"], ["fish"]),
      (["eval", "m", "--te"], ["--text"]), (["eval", "m", "--text", "one"], ["one file.txt"]),
      (["check", "--json", "o"], ["one file.txt"]), (["check", "-o", "-"], ["--only", "--skip"]),
      (["bench", "gemm", "m"], ["memcpy", "magnitude"]), (["nonsense", ""], []),
    ])
  func bashCompletes(words: [String], expected: [String]) throws {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(filePath: folder.path + "/one file.txt"))
    let line = (["sparsify"] + words).map { "'\($0)'" }.joined(separator: " ")
    let run = try ToolRun(
      shell: "/bin/bash",
      script: """
        cd '\(folder.path)'
        source <("$sparsify" completions bash)
        COMP_WORDS=(\(line))
        COMP_CWORD=\(words.count)
        _sparsify
        for reply in "${COMPREPLY[@]}"; do echo "$reply"; done
        """)
    #expect(run.errors.isEmpty)
    let replies = run.output.split(separator: "\n").map(String.init)
    #expect(replies.starts(with: expected) && (words.last == "-" || replies == expected))
  }
}
