import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// `check` with several models: each is looked at, and the status is that of them all.
@Suite(.timeLimit(.minutes(20))) struct CheckSeveralTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let tensors = [SmallCheckpoint.sparse("a.weight"), SmallCheckpoint.dense("b.weight")]
    _ = try SmallCheckpoint.write(tensors, promising: ["a.weight"], to: folder, "good")
    _ = try SmallCheckpoint.write(tensors, promising: ["b.weight"], to: folder, "bad")
    try folder.write("{}", to: "broken")
    // A link to itself: no wrong path, but one that the system cannot follow.
    try FileManager.default.createSymbolicLink(
      atPath: folder["loop"], withDestinationPath: folder["loop"])
  }

  private func check(_ names: String, _ options: String...) throws -> ToolRun {
    try ToolRun(["check"] + names.split(separator: " ").map { folder[String($0)] } + options)
  }

  @Test(
    arguments: [
      ("good", 0), ("bad", 1), ("broken", 65), ("missing", 65), ("loop", 74), ("good good", 0),
      ("good bad", 1), ("bad good", 1), ("bad broken", 65), ("broken bad good", 65),
      ("good missing", 65), ("loop broken", 74), ("broken loop", 65), ("bad loop missing good", 74),
    ] as [(String, Int32)], CheckCommand.Layout.allCases)
  func theFirstThatCannotBeReadDecidesThenAnyThatFailed(
    models: (names: String, status: Int32), layout: CheckCommand.Layout
  ) throws {
    let (names, status) = models
    let run = try check(names, "--format", layout.rawValue)
    #expect(run.status == status)
    let unread = names.split(separator: " ").filter { !["good", "bad"].contains($0) }
    let errors = run.errors.split(separator: "\n")
    #expect(errors.count == unread.count)
    for (error, name) in zip(errors, unread) {
      #expect(error.hasPrefix("Error: \(folder[String(name)]): "), "\(error)")
    }
  }

  @Test func everyModelHasItsPartOfTheText() throws {
    let run = try check("broken bad good")
    #expect(
      run.output == """
        \(folder["broken"])
        FAILED: could not be read

        \(folder["bad"])
        violating weight  shape  dtype  groups  not 2:4    share  first
        b.weight          2 × 4  BF16        2        1  50.00 %  row 1, group 0: 3 non-zeros

        FAILED: 0 weights are 2:4, 1 violates it, 1 is dense on purpose

        \(folder["good"])
        passed: 1 weight is 2:4, 0 violate it, 1 is dense on purpose

        FAILED: 1 of 3 models passed, 1 failed, 1 could not be read

        """)
    #expect(try check("good good").lines.last == "passed: 2 models")
    #expect(try check("good bad").lines.last == "FAILED: 1 of 2 models passed, 1 failed")
    #expect(
      try check("good broken").lines.last == "FAILED: 1 of 2 models passed, 1 could not be read")
  }

  @Test func severalModelsAreOneObject() throws {
    let run = try check("good broken bad", "--json")
    let object = try run.json()
    #expect(object.differences(from: CheckEndToEndTests.contract) == [])
    #expect(object["passed"]?.bool == false)
    let models = object["models"]?.array ?? []
    #expect(
      models.map { $0["model"]?.string } == [folder["good"], folder["broken"], folder["bad"]])
    #expect(models.map { $0["passed"]?.bool } == [true, false, false])
    #expect([models[0]] == (try check("good", "--json").json()["models"]?.array))
    #expect(models.map { $0["error"] == nil } == [true, false, true])
    #expect(run.errors == "Error: \(models[1]["error"]?.string ?? "")\n")
    #expect(try check("good good", "--json").json()["passed"]?.bool == true)
  }

  @Test(arguments: [("broken", 65), ("missing", 65), ("loop", 74)] as [(String, Int32)])
  func oneModelThatCannotBeReadIsAnObjectLikeAnyOther(name: String, status: Int32) throws {
    let run = try check(name, "--json")
    #expect(run.status == status)
    let object = try run.json()
    #expect(object.differences(from: CheckEndToEndTests.contract) == [])
    #expect(object["passed"]?.bool == false)
    let models = object["models"]?.array ?? []
    #expect(models.map { $0["model"]?.string } == [folder[name]])
    #expect(run.errors == "Error: \(models.first?["error"]?.string ?? "")\n")
    #expect(try check(name).output.isEmpty)
  }

  @Test func aModelThatCannotBeReadIsAnAnnotation() throws {
    let run = try check("broken good", "--format", "github")
    let reason = run.errors.dropFirst("Error: ".count)
    #expect(
      run.output == """
        ::error title=sparsify check::FAILED: could not be read: \(reason.dropLast())
        ::notice title=sparsify check::\(folder["good"]): passed: 1 weight is 2:4, 0 violate it, 1 is dense on purpose

        """)
    #expect(
      try check("broken", "--format", "github").output
        == run.output.prefix { $0 != "\n" } + "\n")
  }

  @Test func anErrorThatNamesNoFileIsToldWithItsModel() throws {
    _ = try SmallCheckpoint.write(
      [SmallCheckpoint.sparse("x.weight")], to: folder, "other")
    let run = try check("other good", "--only", "a*")
    #expect(run.status == 65)
    #expect(
      run.errors.hasPrefix("Error: \(folder["other"]): the glob 'a*' matches no tensor of the 1 "))
    #expect(run.lines.last == "FAILED: 1 of 2 models passed, 1 could not be read")
  }

  @Test func aRequirementHoldsForEveryModel() throws {
    _ = try SmallCheckpoint.write(
      [SmallCheckpoint.sparse("x.weight")], promising: ["x.weight"], to: folder, "other")
    let run = try check("good other", "--require", "a*")
    #expect(run.status == 1)
    #expect(
      run.output.contains(
        "\(folder["other"])\nrequirement not met: --require 'a*' matches no weight\n\nFAILED: "))
    #expect(run.lines.last == "FAILED: 1 of 2 models passed, 1 failed")
  }

  @Test func resultsThatCannotBePrintedAreAnError() throws {
    #if os(Linux)
      let run = try ToolRun(
        script: "\"$sparsify\" check \"$1/good\" \"$1/bad\" > /dev/full", folder.path)
      #expect(run.status == 74)
      #expect(run.errors == "Error: cannot write to standard output: No space left on device\n")
    #endif
  }
}
