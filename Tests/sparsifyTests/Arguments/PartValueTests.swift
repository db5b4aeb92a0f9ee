import SparseModel
import Testing

@testable import sparsify

/// Parts of the work as they are typed, and as array jobs tell them.
@Suite struct PartValueTests {
  @Test(arguments: [("0/1", 0, 1), ("2/8", 2, 8), ("007/100", 7, 100)])
  func partsAreRead(text: String, index: Int, count: Int) throws {
    let part = try #require(WorkPart(index, of: count))
    #expect(try ValueType.part.read(text) == .part(part))
    #expect(try ValueType.partOrRange.read(text) == .part(part))
  }

  @Test(arguments: [
    "", "1", "/", "1/", "/2", "2/2", "3/2", "0/0", "-1/2", "1/-2", "+1/2", "1/2/3", " 0/2", "a/2",
    "auto/", "auto/0", "auto/x", "Auto", "0/99999999999", "1.0/2", "٠/2", "1..<2",
  ])
  func badPartsAreRefused(text: String) {
    #expect(throws: ValueError("must be I/N with I from 0 to N − 1, auto/N or auto")) {
      try ValueType.part.read(text)
    }
  }

  @Test(arguments: [("0..<8", 0..<8), ("3:4", 3..<4)])
  func rangesAreRead(text: String, range: Range<Int>) throws {
    #expect(try ValueType.range.read(text) == range)
    #expect(try ValueType.partOrRange.read(text) == .range(range))
  }

  @Test(arguments: ["", "3", "3..<3", "4:3", "-1:3", "0...3", "0..3", "0..<", ":", "0:1:2", "a:b"])
  func badRangesAreRefused(text: String) {
    #expect(throws: ValueError.self) { try ValueType.range.read(text) }
    #expect(throws: ValueError.self) { try ValueType.partOrRange.read(text) }
  }

  private static func part(
    of count: Int?, _ variables: [Environment: String]
  ) throws -> WorkPart {
    try ArrayJob.part(of: count) { variables[$0] }
  }

  @Test(
    arguments: [
      ([.slurmIndex: "0", .slurmCount: "8"], nil, 0, 8),
      ([.slurmIndex: "7", .slurmCount: "8", .slurmLeast: "0", .slurmStep: "1"], nil, 7, 8),
      ([.slurmIndex: "8", .slurmCount: "8", .slurmLeast: "1"], nil, 7, 8),
      ([.slurmIndex: "7", .slurmCount: "4", .slurmLeast: "1", .slurmStep: "2"], nil, 3, 4),
      // One task of an array done again, or two of them: what counts is the count that is given.
      ([.slurmIndex: "3", .slurmCount: "1", .slurmLeast: "3"], 8, 3, 8),
      ([.jobIndex: "5"], 6, 5, 6),
    ] as [([Environment: String], Int?, Int, Int)])
  func arrayJobsTellTheirPart(
    variables: [Environment: String], given: Int?, index: Int, count: Int
  ) throws {
    #expect(try Self.part(of: given, variables) == WorkPart(index, of: count))
  }

  @Test(
    arguments: [
      ([:], nil, "SLURM_ARRAY_TASK_ID: is not set, nor is JOB_COMPLETION_INDEX"),
      ([:], 4, "SLURM_ARRAY_TASK_ID: is not set, nor is JOB_COMPLETION_INDEX"),
      ([.slurmIndex: "1", .jobIndex: "1"], 4, "SLURM_ARRAY_TASK_ID: is set, and so is JOB_COMPL"),
      ([.slurmIndex: "1"], nil, "SLURM_ARRAY_TASK_COUNT: is not set: write auto/N"),
      ([.jobIndex: "1"], nil, "JOB_COMPLETION_INDEX: comes without the number of parts"),
      ([.jobIndex: "4"], 4, "JOB_COMPLETION_INDEX: there is no part 4 of 4"),
      ([.slurmIndex: "9", .slurmCount: "4"], nil, "SLURM_ARRAY_TASK_ID: there is no part 9 of 4"),
      ([.slurmIndex: "0", .slurmCount: "0"], nil, "SLURM_ARRAY_TASK_ID: there is no part 0 of 0"),
      ([.slurmIndex: "x"], 4, "SLURM_ARRAY_TASK_ID: 'x' is not a number"),
      ([.slurmIndex: ""], 4, "SLURM_ARRAY_TASK_ID: '' is not a number"),
      ([.slurmIndex: "-1"], 4, "SLURM_ARRAY_TASK_ID: '-1' is not a number"),
      (
        [.slurmIndex: "0", .slurmCount: "1", .slurmLeast: "2"], nil,
        "0 is none of the indices from 2"
      ),
      (
        [.slurmIndex: "2", .slurmCount: "4", .slurmLeast: "1", .slurmStep: "2"], nil,
        "2 is none of the indices from 1 in steps of 2"
      ),
      ([.slurmIndex: "2", .slurmCount: "4", .slurmStep: "0"], nil, "in steps of 0"),
    ] as [([Environment: String], Int?, String)])
  func environmentsThatTellNoPartAreRefused(
    variables: [Environment: String], given: Int?, reason: String
  ) {
    do {
      let part = try Self.part(of: given, variables)
      Issue.record("\(variables) gave \(part)")
    } catch {
      #expect("\(error)".contains(reason), "\(error)")
      #expect(ExitStatus(for: error) == .usage)
    }
  }
}
