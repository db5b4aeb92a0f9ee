import Foundation
import SparseCore
import SparseModel
import TestSupport
import Testing

/// README's library example, compiled and run: what stands between the marks is what README shows.
@Suite struct ReadmeTests {
  @Test func theExampleDoesWhatItsCommentsSay() throws {
    let folder = try TemporaryFolder()
    let (model, output) = (Package.path("Tests/Fixtures/tiny-llama"), folder["pruned"])
    var printed: [String] = []
    func print(_ items: Any...) { printed.append(items.map { "\($0)" }.joined(separator: " ")) }

    // example begins
    // One weight, outputs × inputs: which of each four neighbours stay?
    let weight = Matrix(rows: 2, columns: 4, [0.1, -3, 2, 0.5, 4, 0, -1, 6])
    let pruned = try Wanda().prune(weight, inputs: .norms([9, 1, 1, 1]), on: .automatic)
    print(pruned.weight.values)  // [0, -3, 2, 0, 4, 0, 0, 6]
    print(pruned.mask.pattern(row: 0, group: 0))  // keep12

    // A whole model, calibrated by its own text.
    let options = PruneOptions(
      method: .wanda, calibration: CalibrationOptions(samples: 8, length: 64), output: output)
    let report = try PruneRun(model, options).run()
    print(report.layers.count, report.meanSquaredRelativeError ?? 0)

    // Is it 2:4, and what has it cost?
    let sparse = try Checkpoint(path: output)
    let text = try Tokenizer(for: sparse).encode("Snow lay on the roofs. Mira put on thick gloves.")
    let windows = TokenWindows(cutting: text, length: 16)
    print(try sparse.check().passed, try LanguageModel(sparse).perplexity(of: windows).perplexity)
    // example ends

    #expect(printed[0] == "[0.0, -3.0, 2.0, 0.0, 4.0, 0.0, 0.0, 6.0]")
    #expect(printed[1] == "keep12")
    #expect(printed[2].hasPrefix("28 0.0"))
    #expect(printed[3].hasPrefix("true "))
  }

  @Test func theExampleIsTheOneInReadme() throws {
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let example = try #require(
      source.components(separatedBy: "    // example begins\n").dropFirst().first?
        .components(separatedBy: "    // example ends").first)
    let shown = example.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : String($0) }.joined(separator: "\n")
    let readme = try String(contentsOfFile: Package.path("README.md"), encoding: .utf8)
    #expect(readme.contains("import SparseCore\nimport SparseModel\n\n" + shown))
  }
}
