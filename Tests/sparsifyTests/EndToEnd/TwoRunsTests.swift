import Foundation
import TestSupport
import Testing

@testable import sparsify

/// Two runs on one output, as two containers on one volume: each is process 1 of a name space of its own.
@Suite(.timeLimit(.minutes(20))) struct TwoRunsTests {
  /// What goes before a command that is to be process 1; nil where a name space cannot be made.
  private static let prefix: String? = {
    let prefix = "unshare --pid --fork --mount-proc "
    let run = try? ToolRun(script: prefix + "sh -c 'echo $$'")
    return run?.status == 0 && run?.output == "1\n" ? prefix : nil
  }()

  /// Two jobs on one output that write different bytes.
  struct Job: Sendable, CustomTestStringConvertible {
    let name: String
    let words: [String]
    /// What each of the two is given besides.
    var own = [["--only", "*.layers.0.*", "--only", "*.layers.1.*"], ["--skip", "*.layers.0.*"]]
    var testDescription: String { name }
  }

  static let jobs = [
    Job(name: "prune", words: ["prune", "MODEL", "--method", "magnitude"]),
    Job(
      name: "prune a file", words: ["prune", "MODEL/model.safetensors", "--method", "magnitude"]),
    Job(name: "quantize", words: ["quantize", "MODEL"]),
    Job(name: "quantize a file", words: ["quantize", "MODEL/model.safetensors"]),
    Job(name: "compress", words: ["compress", "SPARSE"]),
    Job(
      name: "calibrate",
      words: ["calibrate", "MODEL", "--calibration", "TEXT", "--samples", "4", "--length", "32"],
      own: [[], ["--norms"]]),
    Job(
      name: "sensitivity",
      words: ["sensitivity", "MODEL", "--method", "magnitude", "--text", "TEXT", "--windows", "2"],
      own: [["--text-length", "16"], ["--text-length", "32"]]),
  ]

  private let model: TinyModel

  init() throws { model = try TinyModel() }

  private func words(_ job: Job, _ number: Int) -> [String] {
    (job.words + job.own[number]).map {
      $0.replacing("MODEL", with: model.path).replacing("SPARSE", with: model.folder["sparse"])
        .replacing("TEXT", with: TinyModel.text("calibration.txt"))
    } + ["--quiet"]
  }

  /// All files of an output but for what each run has of its own.
  private func state(_ output: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try model.folder.contents() where name == output || name.hasPrefix(output + "/") {
      var bytes = (try? model.folder.read(name)) ?? []
      if bytes.first == UInt8(ascii: "{") {
        let own = ["seconds", "peakResidentBytes"]
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        bytes = Array(
          lines.filter { line in !own.contains { line.contains("\"\($0)\"") } }.joined().utf8)
      }
      files[name.replacing(output, with: "")] = bytes
    }
    return files
  }

  @Test(
    .enabled(if: prefix != nil, "a process must be able to make a name space of processes"),
    arguments: jobs)
  func exactlyOneSucceedsAndTheOutputIsItsOwn(job: Job) throws {
    let sparse = try ToolRun(
      "prune", model.path, "--method", "magnitude", "-o", model.folder["sparse"])
    #expect(sparse.status == 0)
    for number in 0..<2 {
      let alone = try ToolRun(words(job, number) + ["-o", model.folder["alone\(number)"]])
      #expect(alone.status == 0, "\(alone.errors)")
    }
    #expect(try state("alone0") != state("alone1"))
    let before = try model.made()
    let prefix = try #require(Self.prefix)
    let commands = (0..<2).map { number in
      let command = words(job, number).map { "'\($0)'" }.joined(separator: " ")
      return "\(prefix) sh -c 'exec \"$0\" \"$@\"' \"$sparsify\" \(command) -o \"$1\""
    }
    for round in 0..<6 {
      let out = "out\(round)"
      let run = try ToolRun(
        script: """
          (\(commands[0]) > /dev/null 2> "$2.0"; echo "$?" > "$2.0.status") &
          (\(commands[1]) > /dev/null 2> "$2.1"; echo "$?" > "$2.1.status") &
          wait
          cat "$2.0.status" "$2.1.status"
          cat "$2.0" "$2.1" >&2
          rm "$2.0" "$2.1" "$2.0.status" "$2.1.status"
          """, model.folder[out], model.folder["text"])
      #expect(run.lines.sorted() == ["0", "64"], "\(run.output) \(run.errors)")
      #expect(
        run.errors.contains("exists already")
          || run.errors.contains("another run is at work there"),
        "\(run.errors)")
      let winner = run.lines.first == "0" ? 0 : 1
      #expect(try state(out) == state("alone\(winner)"))
      #expect(try model.made() == (before + [out]).sorted())
      try FileManager.default.removeItem(atPath: model.folder[out])
    }
  }

  /// What a killed run has left beside the output is gone after the next one, whatever the processes were called.
  @Test func whatAKilledRunHasLeftIsCleared() throws {
    let sparse = model.folder["sparse"]
    #expect(try ToolRun("prune", model.path, "--method", "magnitude", "-o", sparse).status == 0)
    let run = try ToolRun(
      script: """
        "$sparsify" compress "$1" -o "$2" --quiet > /dev/null &
        pid=$!
        while kill -0 $pid 2> /dev/null && ! ls -d "$2".tmp-* > /dev/null 2>&1; do :; done
        kill -KILL $pid 2> /dev/null
        wait $pid
        rm -rf "$2"
        "$sparsify" compress "$1" -o "$2" --quiet > /dev/null
        """, sparse, model.folder["out"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(try model.made() == ["out", "sparse"])
  }
}
