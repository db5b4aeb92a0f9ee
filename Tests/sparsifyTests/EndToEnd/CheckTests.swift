import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// `check` as a gate: statuses, the first violation, and every form of the results.
@Suite(.timeLimit(.minutes(20))) struct CheckEndToEndTests {
  static let contract: JSON = ["schema": 2, "passed": "bool", "models": [modelContract]]

  private static let modelContract: JSON = [
    "model": "string", "passed": "bool", "sparse": "integer", "violating": "integer",
    "dense": "integer",
    "required": [
      [
        "glob": "string", "matched": "integer", "sparse": "integer", "dense": "integer",
        "met": "bool",
      ]
    ],
    "tensors": [
      [
        "name": "string", "shape": "shape", "dtype": "string", "status": "string",
        "groups": "integer", "violations": "integer",
      ]
    ],
  ]
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file that passes, and says that `b.weight` is dense on purpose.
  private func good(_ name: String = "good.safetensors") throws -> String {
    try SmallCheckpoint.write(
      [SmallCheckpoint.sparse("a.weight"), SmallCheckpoint.dense("b.weight")],
      promising: ["a.weight"], to: folder, name)
  }

  /// A file that promises more than it holds.
  private func bad(_ name: String = "bad.safetensors") throws -> String {
    try SmallCheckpoint.write(
      [SmallCheckpoint.sparse("a.weight"), SmallCheckpoint.dense("b.weight")],
      promising: ["a.weight", "b.weight"], to: folder, name)
  }

  // MARK: One model

  @Test func aDenseModelFailsWithARowForEachWeight() throws {
    let model = try TinyModel()
    let run = try ToolRun("check", model.path)
    #expect(run.status == 1)
    #expect(run.errors.isEmpty)
    #expect(run.lines.count == 1 + 28 + 1)
    #expect(run.lines[0].hasPrefix("violating weight"))
    for name in TinyModel.linears { #expect(run.output.contains("\n\(name) ")) }
    #expect(
      run.lines.last == "FAILED: 0 weights are 2:4, 28 violate it, 1 is dense on purpose")
  }

  @Test func theObjectKeepsItsContract() throws {
    let model = try TinyModel()
    let run = try ToolRun("check", model.path, "--json")
    #expect(run.status == 1)
    let object = try run.json()
    #expect(object.differences(from: Self.contract) == [])
    #expect(object["models"]?.array?.count == 1)
    let found = try #require(object["models"]?.array?.first)
    #expect(found["model"]?.string == model.path)
    #expect(object["passed"]?.bool == false && found["passed"]?.bool == false)
    #expect(found["violating"]?.int == 28 && found["error"] == nil)
    let statuses = found["tensors"]?.array?.compactMap { $0["status"]?.string } ?? []
    #expect(statuses.count { $0 == "violating" } == 28 && statuses.count { $0 == "dense" } == 1)
    #expect(try ToolRun("check", model.path, "--format", "json").output == run.output)
  }

  @Test(arguments: [0x7F80, 0xFF80, 0x7FC0] as [UInt16])  // infinity, −infinity, NaN
  func whatIsNotFiniteViolatesThePattern(bits: UInt16) throws {
    let model = try TinyModel()
    #expect(try ToolRun("prune", model.path, "--method", "magnitude").status == 0)
    let pruned = try TinyModel()
    try pruned.folder.write(
      try model.folder.read("model-2of4/model.safetensors"), to: "model/model.safetensors")
    // Row 1 begins at 128; a group of which nothing is left gets the value.
    let name = "model.layers.2.mlp.up_proj.weight"
    for place in 132..<136 { try pruned.set(name, at: place, toBits: 0) }
    try pruned.set(name, at: 135, toBits: bits)
    let run = try ToolRun("check", pruned.path, "--json")
    #expect(run.status == 1)
    let violating = try run.json()["models"]?.array?.first?["tensors"]?.array?.filter {
      $0["violations"]?.int != 0
    }
    #expect(violating?.map { $0["name"]?.string } == [name])
    #expect(violating?.first?["violations"]?.int == 1)
    #expect(
      violating?.first?["first"] == [
        "row": 1, "group": 1, "nonZeros": 1, "finite": false, "reason": "NaN or infinity",
      ])
  }

  @Test(arguments: [DType.f32, .f16, .bf16, .i8])
  func theFirstViolationIsNamedInTextAndObject(dtype: DType) throws {
    var values = [Float](repeating: 0, count: 3 * 72)
    for place in [2 * 72 + 68, 2 * 72 + 69, 2 * 72 + 70, 2 * 72 + 71] { values[place] = 7 }
    let tensors = [
      SmallCheckpoint.Tensor(name: "w.weight", dtype: dtype, shape: [3, 72], values: values)
    ]
    let path = try SmallCheckpoint.write(tensors, to: folder, "w.safetensors")
    let text = try ToolRun("check", path)
    #expect(text.status == 1)
    #expect(text.lines[0].hasSuffix("  first"))
    #expect(text.lines[1].hasSuffix("  row 2, group 17: 4 non-zeros"))
    let tensor = try ToolRun("check", path, "--json").json()["models"]?.array?.first?["tensors"]?
      .array?
      .first
    #expect(tensor?["dtype"]?.string == dtype.rawValue)
    #expect(
      tensor?["first"] == [
        "row": 2, "group": 17, "nonZeros": 4, "finite": true, "reason": "4 non-zeros",
      ])
  }

  @Test func theTextIsATableAndAVerdict() throws {
    let run = try ToolRun("check", try bad())
    #expect(
      run.output == """
        violating weight  shape  dtype  groups  not 2:4    share  first
        b.weight          2 × 4  BF16        2        1  50.00 %  row 1, group 0: 3 non-zeros

        FAILED: 1 weight is 2:4, 1 violates it, 0 are dense on purpose

        """)
    #expect(
      try ToolRun("check", good()).output
        == "passed: 1 weight is 2:4, 0 violate it, 1 is dense on purpose\n")
  }

  @Test func whatMakesNoSenseIsWrongUsage() throws {
    let model = try good()
    for (words, error) in [
      ([], "Missing expected argument '<model>'"),
      (["--format", "githbu", model], "Did you mean 'github'?"),
      (["--format", "json", "--json", model], "Only one of '--format', '--json' can be given"),
      (["--require", "[a", model], "'[' without ']' in pattern '[a'"),
      (["--require", "--json", model], "Missing value for '--require <glob>'"),
    ] {
      let run = try ToolRun(["check"] + words)
      #expect(run.status == 64, "\(words)")
      #expect(run.output.isEmpty && run.errors.contains(error), "\(words): \(run.errors)")
    }
  }

  // MARK: Required weights

  @Test(
    arguments: [
      (["a*"], 0, []),
      (
        ["*.weight", "a*"], 1,
        [
          "'*.weight' holds for 1 of 2 weights; 1 is dense on purpose"
        ]
      ),
      (["b*"], 1, ["'b*' matches only weights that are dense on purpose"]),
      (["c*"], 1, ["'c*' matches no weight"]),
      (
        ["c*", "a*", "b*"], 1,
        ["'c*' matches no weight", "'b*' matches only weights that are dense on purpose"]
      ),
    ] as [([String], Int32, [String])])
  func requirementsThatAreNotMetAreNamed(globs: [String], status: Int32, problems: [String]) throws
  {
    let options = globs.flatMap { ["--require", $0] }
    let path = try good()
    let run = try ToolRun(["check", path] + options)
    #expect(run.status == status)
    let lines = problems.map { "requirement not met: --require \($0)" }
    #expect(run.lines.prefix(problems.count) == lines[...])
    #expect(run.lines.count { $0.contains("--require ") } == problems.count)
    #expect(run.lines.last?.hasPrefix(status == 0 ? "passed: " : "FAILED: ") == true)
    let object = try ToolRun(["check", path, "--json"] + options).json()
    #expect(object.differences(from: Self.contract) == [])
    let required = object["models"]?.array?.first?["required"]?.array ?? []
    #expect(required.map { $0["glob"]?.string } == globs)
    #expect(required.count { $0["met"] == false } == problems.count)
    let github = try ToolRun(["check", path, "--format", "github"] + options)
    #expect(github.status == status)
    #expect(
      github.lines.count { $0.hasPrefix("::error title=requirement not met::") } == problems.count)
  }

  @Test func aRequiredWeightThatViolatesIsInTheTable() throws {
    let run = try ToolRun("check", try good(), "--require", "b*")
    #expect(
      run.output == """
        requirement not met: --require 'b*' matches only weights that are dense on purpose

        violating weight  shape  dtype  groups  not 2:4    share  first
        b.weight          2 × 4  BF16        2        1  50.00 %  row 1, group 0: 3 non-zeros

        FAILED: 1 weight is 2:4, 1 violates it, 0 are dense on purpose

        """)
    let promised = try ToolRun("check", try bad(), "--require", "b*")
    #expect(
      promised.output.hasPrefix(
        "requirement not met: --require 'b*' holds for 0 of 1 weight\n\n"))
  }

  // MARK: Annotations

  @Test func everyViolationIsAnAnnotation() throws {
    let (good, bad) = (try good(), try bad())
    let run = try ToolRun("check", bad, good, "--format", "github", "--require", "a*")
    #expect(run.status == 1)
    #expect(run.errors.isEmpty)
    #expect(
      run.output == """
        ::error title=sparsify check::\(bad): FAILED: 1 weight is 2:4, 1 violates it, 0 are dense on purpose
        ::notice title=sparsify check::\(good): passed: 1 weight is 2:4, 0 violate it, 1 is dense on purpose
        ::error title=b.weight is not 2%3A4::\(bad): 1 of 2 groups, first row 1, group 0: 3 non-zeros

        """)
  }

  @Test func namesCannotBeginACommandOfTheirOwn() throws {
    let name = "a%,b:c\r\n::notice title=x::y\u{1b}[2J.weight"
    let path = try SmallCheckpoint.write(
      [SmallCheckpoint.dense(name)], to: folder, "50%, a:b.safetensors")
    let run = try ToolRun("check", path, "--format", "github", "--require", "no\n::error::x")
    let title = "a%25%2Cb%3Ac%0D%0A%3A%3Anotice title=x%3A%3Ay\\u{1b}[2J.weight"
    let model = path.replacing("%", with: "%25")
    #expect(
      run.output == """
        ::error title=sparsify check::\(model): FAILED: 0 weights are 2:4, 1 violates it, 0 are dense on purpose
        ::error title=requirement not met::\(model): --require 'no%0A::error::x' matches no weight
        ::error title=\(title) is not 2%3A4::\(model): 1 of 2 groups, first row 1, group 0: 3 non-zeros

        """)
    let text = try ToolRun("check", path, "--require", "no\nx")
    #expect(text.output.contains("a%,b:c\\u{d}\\u{a}::notice title=x::y\\u{1b}[2J.weight  2 × 4"))
    #expect(text.output.contains("--require 'no\\u{a}x' matches no weight\n"))
  }

  @Test func theStepInReadmeIsACommandLine() throws {
    let readme = try String(contentsOfFile: Package.path("README.md"), encoding: .utf8)
    let step = try #require(
      readme.split(separator: "\n").first { $0.contains("sparsify check models") })
    let words = step.split(separator: " ").drop { !$0.hasSuffix("sparsify") }.dropFirst()
      .map { String($0).replacing("'", with: "") }
    #expect(words.first == "check")
    let arguments = try #require(try Parser.parse(Array(words.dropFirst()), for: CheckCommand.spec))
    #expect(arguments[CheckCommand.format] == .github)
    #expect(arguments[CheckCommand.require] == [try Glob("*_proj.weight")])
  }
}
