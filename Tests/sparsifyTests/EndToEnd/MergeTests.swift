import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// Pruning in four processes, put together by a fifth, as array jobs do it.
@Suite(.timeLimit(.minutes(20))) struct MergeEndToEndTests {
  private static let jobs = [
    ["--method", "magnitude"],
    ["--method", "sparsegpt", "--no-permute"],
    ["--effort", "fast", "--quantize", "int8", "--smooth"],
  ]

  private static let contract: JSON = [
    "schema": 1, "method": "string", "parts": "integer", "weights": "integer", "output": "string",
    "outputBytes": "integer", "seconds": "number", "peakResidentBytes": "integer",
  ]

  /// The model, and its statistics where a method needs them.
  private func words(_ job: [String], _ model: TinyModel) throws -> [String] {
    guard !job.contains("magnitude") else { return ["prune", model.path] + job }
    let grams = model.folder["grams.safetensors"]
    let calibrate = try ToolRun(
      "calibrate", model.path, "--calibration", TinyModel.text("calibration.txt"), "--samples", "4",
      "--length", "32", "-o", grams)
    #expect(calibrate.status == 0)
    return ["prune", model.path, "--statistics", grams] + job
  }

  @Test(arguments: jobs) func fourProcessesMakeTheBytesOfOne(job: [String]) async throws {
    let model = try TinyModel()
    let words = try words(job, model)
    let whole = try ToolRun(words + ["-o", model.folder["whole"]])
    #expect(whole.status == 0, "\(whole.errors)")
    let parts = (0..<4).map { model.folder["part-\($0).safetensors"] }
    let runs = try await ToolRun.together(
      (0..<4).map { part in
        (
          words + ["--tensors", part == 0 ? "0/4" : "auto/4", "-o", parts[part]],
          [part == 1 ? "SLURM_ARRAY_TASK_ID" : "JOB_COMPLETION_INDEX": "\(part)"]
        )
      })
    for run in runs { #expect(run.status == 0, "\(run.errors)") }
    let merge = try ToolRun(
      ["merge"] + parts.reversed() + ["--model", model.path, "-o", model.folder["out"], "--json"])
    #expect(merge.status == 0, "\(merge.errors)")
    #expect(try merge.json().differences(from: Self.contract) == [])
    #expect(try merge.json()["weights"]?.int == 28)
    let files = try FileSystem.names(in: model.folder["whole"])
    #expect(try FileSystem.names(in: model.folder["out"]) == files)
    for file in files {
      #expect(try model.folder.read("out/\(file)") == model.folder.read("whole/\(file)"), "\(file)")
    }
    #expect(try ToolRun("check", model.folder["out"]).status == 0)
    // A part is held to what it promises, too.
    #expect(try ToolRun("check", parts[0]).status == 0)
  }

  @Test(arguments: [
    (
      ["--tensors", "0/2", "-o", "PART"], 64,
      "Missing '--statistics <file>': without it --method admm"
    ),
    (["--blocks", "0:2", "--method", "wanda", "-o", "PART"], 64, "Missing '--statistics <file>'"),
    (["--tensors", "0/2", "--method", "magnitude"], 64, "a part goes to a file of its own"),
    (["--tensors", "2/2", "--method", "magnitude", "-o", "PART"], 64, "must be I/N"),
    (
      ["--tensors", "auto", "--method", "magnitude", "-o", "PART"], 64,
      "SLURM_ARRAY_TASK_ID: is not set"
    ),
    (
      ["--blocks", "2:5", "--method", "magnitude", "-o", "PART"], 64,
      "are not among the blocks 0..<4"
    ),
    (["--blocks", "0:1", "--tensors", "0/1"], 64, "Only one of"),
    (["--tensors", "0/1", "--resume"], 64, "Only one of"),
    (["--method", "magnitude", "--statistics", "x"], 64, "does not look at the inputs"),
    (
      ["--method", "magnitude", "--tensors", "0/1", "--calibration", "self", "-o", "PART"], 64,
      "no model is run"
    ),
    (["--statistics", "x", "--samples", "3"], 64, "Only one of"),
    (["--statistics", "MODEL/model.safetensors"], 65, "no statistics"),
    (["--statistics", "MODEL/nowhere"], 65, "no such file"),
  ])
  func wrongUsageIsRefused(options: [String], status: Int32, reason: String) throws {
    let model = try TinyModel()
    let options = options.map {
      $0.replacing("PART", with: model.folder["part"]).replacing("MODEL", with: model.path)
    }
    let run = try ToolRun(["prune", model.path] + options)
    #expect(run.status == status)
    #expect(run.errors.contains(reason), "\(run.errors)")
    #expect(try model.made() == [])
  }

  @Test func whatCannotBeMergedIsRefused() throws {
    let model = try TinyModel()
    let part = model.folder["part"]
    let norms = model.folder["norms"]
    #expect(
      try ToolRun("prune", model.path, "--method", "magnitude", "--blocks", "0..<3", "-o", part)
        .status == 0)
    #expect(
      try ToolRun(
        "calibrate", model.path, "--norms", "--samples", "1", "--length", "4", "-o", norms
      )
      .status == 0)
    for (words, status, reason) in [
      ([part], 64, "Missing '--model <model>'"),
      ([part, "--model", model.path], 65, "7 of 28 weights are not in the part"),
      ([part, norms, "--model", model.path], 65, "neither statistics nor a part"),
      ([norms, part], 65, "no statistics"),
      ([norms, "--model", model.path], 64, "the parts are statistics"),
      ([model.weights], 65, "neither statistics nor a part"),
      ([model.folder["nowhere"]], 65, "no such file"),
    ] as [([String], Int32, String)] {
      let run = try ToolRun(["merge"] + words + ["-o", model.folder["out"]])
      #expect(run.status == status, "\(words)")
      #expect(run.errors.contains(reason), "\(run.errors)")
    }
    #expect(try model.made() == ["norms", "part"])
  }
}
