import Foundation
import SparseCore
import SparseModel
import TestSupport
import Testing

@testable import sparsify

/// Runs that are killed in the middle, again and again.
@Suite(.timeLimit(.minutes(60))) struct KillTests {
  /// The fixture as one file or in shards, with token ids for calibration.
  private func model(inShards: Bool) throws -> (model: TinyModel, input: String) {
    let model = try TinyModel()
    guard inShards else { return (model, model.path) }
    let whole = try Checkpoint(path: model.path)
    let path = model.folder["model/shards"]
    let output = try CheckpointOutput(
      model.folder["shards"], for: whole,
      shardSize: whole.tensors.reduce(0) { $0 + $1.byteCount } / 3)
    let writer = try CheckpointWriter(
      copying: whole, to: output, manifest: { _ in "{\"schema\":1,\"pruned\":[]}" })
    try writer.copyRemaining()
    try writer.commit()
    // Out of the way of what runs make.
    try FileManager.default.moveItem(atPath: output.path, toPath: path)
    return (model, path)
  }

  /// The contents of the files in a folder by their names, or a result as JSON without what each run has of its own.
  private func bytes(_ output: String) throws -> [String: Data] {
    let attributes = try FileManager.default.attributesOfItem(atPath: output)
    guard attributes[.type] as? FileAttributeType == .typeDirectory else {
      let text = try Array(Data(contentsOf: URL(filePath: output)))
      guard case .object(let members) = try JSON(parsing: ByteView(copying: text)) else {
        return [:]
      }
      let own = ["seconds", "peakResidentBytes"]
      let json = JSON.object(members.filter { !own.contains($0.key) })
      return ["": Data(json.text().utf8)]
    }
    return try contents(of: output)
  }

  private func contents(of folder: String) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return try Dictionary(
      uniqueKeysWithValues: names.map {
        ($0, try Data(contentsOf: URL(filePath: folder).appending(path: $0)))
      })
  }

  #if !os(Windows)
    @Test(arguments: [(false, "wanda"), (true, "wanda"), (true, "magnitude")])
    func twentyKillsDoNotChangeAByte(inShards: Bool, method: String) throws {
      let (model, input) = try model(inShards: inShards)
      let calibration =
        method == "magnitude"
        ? []
        : ["--calibration", TinyModel.text("calibration.txt"), "--samples", "4", "--length", "32"]
      let names = try kill(
        20, times: ["prune", input, "--method", method, "--quiet"] + calibration, model)
      #expect(names.contains("model.safetensors.index.json") == inShards)
    }

    @Test(arguments: [[], ["--scope", "blocks", "--dense", "model", "--epochs", "1"]])
    func killsDoNotChangeATraining(scope: [String]) throws {
      let (model, input) = try model(inShards: false)
      let sparse = model.folder["sparse"]
      let pruned = try ToolRun("prune", input, "--method", "magnitude", "-o", sparse, "--quiet")
      #expect(pruned.status == 0)
      let course =
        scope.isEmpty
        ? ["--objective", "cross-entropy", "--steps", "8", "--evaluate-every", "2", "--batch", "2"]
        : scope.map { $0 == "model" ? input : $0 }
      try kill(
        10,
        times: [
          "finetune", sparse, "--data", TinyModel.text("calibration.txt"), "--samples", "12",
          "--length", "64", "--quiet",
        ] + course, model, others: ["sparse"])
    }

    @Test(arguments: [[], ["--quantize", "int8"]])
    func killsDoNotChangeWhatIsPrunedAndTrained(rounding: [String]) throws {
      let (model, input) = try model(inShards: true)
      let text = TinyModel.text("calibration.txt")
      try kill(
        10,
        times: [
          "prune", input, "--method", "wanda", "--calibration", text, "--samples", "4",
          "--length", "32", "--finetune", "--data", text, "--data-samples", "12",
          "--data-length", "64", "--steps", "4", "--quiet",
        ] + rounding, model, partial: ".steps.partial")
    }

    @Test func killsDoNotChangeWhatIsMeasured() throws {
      let (model, input) = try model(inShards: false)
      try kill(
        10,
        times: [
          "sensitivity", input, "--method", "wanda", "--calibration",
          TinyModel.text("calibration.txt"), "--samples", "4", "--length", "32", "--text",
          TinyModel.text("heldout.txt"), "--windows", "4", "--text-length", "32", "--quiet",
        ], model)
    }

    /// Whatever a killed run has left, the next one goes on from there, and the one that comes to its end has
    /// written what a run has that nobody disturbs.
    ///
    /// - Returns: the names of the files that are written.
    @discardableResult
    private func kill(
      _ wanted: Int, times command: [String], _ model: TinyModel, others: Set<String> = [],
      partial: String = ".partial"
    ) throws -> Set<String> {
      let start = ContinuousClock.now
      let whole = try ToolRun(command + ["-o", model.folder["whole"]])
      let milliseconds = Int((ContinuousClock.now - start).seconds * 1000)
      #expect(whole.status == 0, "\(whole.errors)")
      let expected = try bytes(model.folder["whole"])

      let out = model.folder["out"]
      let words = command.map { "'\($0)'" }.joined(separator: " ")
      var random = SplitMix64(seed: 20)
      var kills = 0
      // Half the runs are killed if the machine is as busy as before: a few more are enough, however busy it gets.
      var attempts = 0
      while kills < wanted {
        guard attempts < 10 * wanted else {
          Issue.record("\(kills) of \(wanted) runs were killed in \(attempts) attempts")
          break
        }
        attempts += 1
        let delay = Int.random(in: 0...milliseconds, using: &random)
        // The shell says by which signal its child has ended.
        let run = try ToolRun(
          script: """
            "$sparsify" \(words) -o "$1" --resume &
            pid=$!
            sleep \(Double(delay) / 1000)
            kill -KILL $pid 2> /dev/null
            wait $pid
            echo "$?"
            """, out)
        switch run.lines.last {
        case "137":
          kills += 1
          // Under the final name there is nothing, or all.
          guard FileManager.default.fileExists(atPath: out) else { break }
          #expect(try bytes(out) == expected)
          if !FileManager.default.fileExists(atPath: out + partial + "/journal") {
            // It was killed when all was done.
            try FileManager.default.removeItem(atPath: out)
          }
        case "0":
          #expect(try bytes(out) == expected)
          try FileManager.default.removeItem(atPath: out)
        default: Issue.record("\(run.output) \(run.errors)")
        }
      }
      let last = try ToolRun(command + ["-o", out, "--resume"])
      #expect(last.status == 0, "\(last.errors)")
      #expect(try bytes(out) == expected)
      #expect(try Set(model.made()) == others.union(["out", "whole"]))
      return Set(expected.keys)
    }
  #endif
}
