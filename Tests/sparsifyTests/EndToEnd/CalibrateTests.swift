import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// `sparsify calibrate` and `merge` on the trained fixture, in processes of their own.
@Suite(.timeLimit(.minutes(20))) struct CalibrateEndToEndTests {
  private static func words(_ model: TinyModel, _ more: String...) -> [String] {
    [
      "calibrate", model.path, "--calibration", TinyModel.text("calibration.txt"), "--samples", "6",
      "--length", "16",
    ] + more
  }

  private static let contract: JSON = [
    "schema": 1, "kind": "string", "output": "string", "outputBytes": "integer",
    "seconds": "number", "peakResidentBytes": "integer", "samples": "shape", "blocks": "shape",
    "modelBlocks": "integer", "complete": "bool", "parts": "integer?",
    "calibration": [
      "source": "string", "samples": "integer", "length": "integer", "seed": "integer",
      "fingerprint": "string",
    ],
  ]

  @Test(arguments: [[], ["--norms"]])
  func fourProcessesAddUpToTheBytesOfOne(kind: [String]) async throws {
    let model = try TinyModel()
    let whole = model.folder["whole.safetensors"]
    #expect(try ToolRun(Self.words(model, "-o", whole) + kind).status == 0)
    let parts = (0..<4).map { model.folder["part-\($0).safetensors"] }
    let runs = try await ToolRun.together(
      (0..<4).map { part in
        // One by its number, the others as array jobs run them.
        let option = part == 0 ? "--part=0/4" : part == 1 ? "--part=auto" : "--part=auto/4"
        let slurm = [
          "SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1",
        ]
        return (
          Self.words(model, "-o", parts[part], option) + kind,
          part == 1 ? slurm : ["JOB_COMPLETION_INDEX": "\(part)"]
        )
      })
    for run in runs { #expect(run.status == 0, "\(run.errors)") }
    let merge = try ToolRun(
      ["merge"] + parts.reversed() + ["-o", model.folder["merged.safetensors"]])
    #expect(merge.status == 0)
    #expect(merge.lines.first?.hasSuffix("of all from 4 parts") == true)
    #expect(
      try model.folder.read("merged.safetensors") == model.folder.read("whole.safetensors"))
  }

  @Test func theObjectKeepsItsContract() throws {
    let model = try TinyModel()
    let part = model.folder["part.safetensors"]
    let run = try ToolRun(
      Self.words(model, "--norms", "-o", part, "--part", "2:5", "--blocks", "1..<3", "--json"))
    #expect(run.status == 0)
    let object = try run.json()
    #expect(object.differences(from: Self.contract) == [])
    #expect(object["kind"]?.string == "norms")
    #expect(object["samples"]?.array?.map(\.int) == [2, 5])
    #expect(object["blocks"]?.array?.map(\.int) == [1, 3])
    #expect(object["complete"] == false)
    let merge = try ToolRun("merge", part, "-o", model.folder["merged.safetensors"])
    #expect(merge.status == 65)
    #expect(
      merge.errors
        == "Error: samples 0..<6 of blocks 0..<1 are not in the part, nor is what fills 3 other gaps\n"
    )
    #expect(try model.made() == ["part.safetensors"])
  }

  @Test(arguments: [
    (["--part", "4/4"], 64, "must be I/N"),
    (["--part", "auto"], 64, "SLURM_ARRAY_TASK_ID: is not set"),
    (["--part", "0/7"], 64, "part 0/7 is empty: there are 6 samples"),
    (["--part", "3:9"], 64, "samples 3..<9 are not among the samples 0..<6"),
    (["--blocks", "3:9"], 64, "blocks 3..<9 are not among the blocks 0..<4"),
  ]) func partsThatAreNoneAreWrongUsage(option: [String], status: Int32, reason: String) throws {
    let model = try TinyModel()
    let run = try ToolRun(Self.words(model, "-o", model.folder["part.safetensors"]) + option)
    #expect(run.status == status)
    #expect(run.errors.contains(reason), "\(run.errors)")
    #expect(try model.made() == [])
  }

  @Test func outputsAreNotWrittenOverInputsNorIntoTheModel() throws {
    let model = try TinyModel()
    for (output, status, reason) in [
      (model.weights, 64, "is the input"), (model.path + "/more.safetensors", 64, "lies within"),
      (model.folder.path, 65, "is a folder"), (model.folder["no/where"], 74, "no such folder"),
    ] as [(String, Int32, String)] {
      let run = try ToolRun(Self.words(model, "--norms", "-o", output, "--force"))
      #expect(run.status == status)
      #expect(run.errors.contains(reason), "\(run.errors)")
    }
    let part = model.folder["part.safetensors"]
    #expect(try ToolRun(Self.words(model, "--norms", "-o", part)).status == 0)
    let again = try ToolRun(Self.words(model, "--norms", "-o", part))
    #expect(again.status == 64)
    #expect(again.errors.contains("--force"))
    #expect(try ToolRun("merge", part, "-o", part, "--force").status == 64)
    #expect(try ToolRun("merge", model.weights, "-o", model.folder["x"]).status == 65)
    #expect(try model.made() == ["part.safetensors"])
  }
}
