import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// What the disk can do to a run of any command that writes: one line of error, status 74, and nothing half-made.
@Suite(.timeLimit(.minutes(20))) struct DiskTests {
  /// The arguments of a run, but for its output.
  private struct Job: CustomStringConvertible, Sendable {
    let words: [String]
    var description: String { words[0] }
  }

  /// A model in all its forms, which no test changes.
  private struct Models: Sendable {
    let folder: TemporaryFolder

    init() throws {
      let model = try TinyModel()
      folder = model.folder
      for (words, name) in [
        (["prune", model.path, "--method", "magnitude"], "sparse"),
        (["compress", folder["sparse"]], "small"),
      ] {
        let run = try ToolRun(words + ["-o", folder[name]])
        guard run.status == 0 else { throw Failure(errors: run.errors) }
      }
    }

    struct Failure: Error { let errors: String }
  }

  private static let models = Result { try Models() }
  private static let commands = ["prune", "quantize", "compress", "expand", "export"]

  private func job(_ command: String) throws -> Job {
    let folder = try Self.models.get().folder
    switch command {
    case "prune": return Job(words: ["prune", folder["model"], "--method", "magnitude"])
    case "quantize": return Job(words: ["quantize", folder["model"]])
    case "compress": return Job(words: ["compress", folder["sparse"]])
    case "expand": return Job(words: ["expand", folder["small"]])
    default: return Job(words: ["export", folder["sparse"], "--target", "pytorch"])
    }
  }

  /// Runs a script with the output as `$1` and the command's words after it.
  private func run(_ script: String, _ output: String, _ job: Job) throws -> ToolRun {
    let words = job.words.map { "'\($0)'" }.joined(separator: " ")
    return try ToolRun(
      script: script.replacingOccurrences(of: "COMMAND", with: "\"$sparsify\" \(words) -o \"$1\""),
      output)
  }

  @Test(arguments: commands) func aFileThatMayNotGrowLeavesNothing(command: String) throws {
    let place = try TemporaryFolder()
    for suffix in ["", ".safetensors"] {
      let job = try job(command)
      let words =
        suffix.isEmpty
        ? job.words
        : [job.words[0], job.words[1] + "/model.safetensors"]
          + job.words.dropFirst(2)
      let run = try run("ulimit -f 100; COMMAND", place["out" + suffix], Job(words: words))
      #expect(run.status == 74, "\(run.errors)")
      #expect(run.errors.hasPrefix("Error: \(place["out"])"))
      #expect(run.errors.hasSuffix(": cannot write: File too large\n"))
      #expect(try place.contents().isEmpty)
    }
  }

  /// Whether this process may mount a disk of its own, in a name space of its own.
  private static let canMount: Bool =
    (try? ToolRun(script: Self.small("true", kilobytes: 100), "/tmp"))?.status == 0

  /// A script that runs `body` on a disk of that size at `$1`, and then prints what is there.
  private static func small(_ body: String, kilobytes: Int) -> String {
    """
    unshare -m sh -c '
      mount -t tmpfs -o size=\(kilobytes)k none "$1" || exit 99
      shift
      \(body)
      status=$?
      exec 1>&3
      ls -A .
      exit $status
    ' "$0" "$1" "$1" 3>&1 1>/dev/null
    """
  }

  @Test(.enabled(if: canMount), arguments: commands)
  func aFullDiskLeavesNothing(command: String) throws {
    let place = try TemporaryFolder()
    let job = try job(command)
    let words = job.words.map { "\"\($0)\"" }.joined(separator: " ")
    var (full, done) = (0, 0)
    for kilobytes in [4, 20, 40, 700, 1_200, 1_600, 1_700, 4_000] {
      let run = try ToolRun(
        script: Self.small(
          "cd \"$1\" && \"$sparsify\" \(words) -o out", kilobytes: kilobytes), place.path)
      if run.status == 0 {
        #expect(run.lines == ["out"])
        done += 1
      } else {
        #expect(run.status == 74, "\(kilobytes): \(run.errors)")
        #expect(run.errors.hasPrefix("Error: out"), "\(kilobytes): \(run.errors)")
        #expect(run.errors.contains(": no space left on the disk"), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1)
        // What can be resumed is kept, and says so.
        #expect(run.lines.isEmpty || run.errors.contains("kept in out.partial"), "\(run.lines)")
        full += 1
      }
    }
    #expect(full > 0 && done > 0, "\(full) full, \(done) done")
  }

  @Test(.enabled(if: canMount)) func aFullDiskForTheReportLeavesTheOutput() throws {
    let place = try TemporaryFolder()
    try place.write("", to: "disk/below")
    let words = try job("prune").words.map { "\"\($0)\"" }.joined(separator: " ")
    let run = try ToolRun(
      script: Self.small(
        "cd \"$1\" && \"$sparsify\" \(words) -o \"$1-out\" --report report.json", kilobytes: 4),
      place["disk"])
    #expect(run.status == 74)
    #expect(run.errors == "Error: report.json: no space left on the disk\n")
    #expect(run.output.isEmpty)
    #expect(try ToolRun("check", place["disk-out"]).status == 0)
  }

  @Test(.enabled(if: Unprivileged.prefix != nil), arguments: commands)
  func aReadOnlyFolderIsFoundBeforeTheWork(command: String) throws {
    let place = try TemporaryFolder()
    let prefix = try #require(Unprivileged.prefix)
    let models = try Self.models.get().folder.path
    let run = try run(
      """
      chmod -R a+rX '\(models)'; chmod a-w '\(place.path)'
      \(prefix) COMMAND
      """, place["out"], job(command))
    #expect(run.status == 74)
    #expect(run.errors == "Error: \(place["out"]): cannot create: Permission denied\n")
    #expect(try place.contents().isEmpty)
  }

  @Test(arguments: commands) func anOutputWithinTheInputIsRefused(command: String) throws {
    let job = try job(command)
    let run = try run("COMMAND", job.words[1] + "/out", job)
    #expect(run.status == 64)
    #expect(
      run.errors.hasPrefix("Error: \(job.words[1])/out: lies within the input \(job.words[1])\n"))
  }

  // MARK: While it runs

  /// Prunes with the model's own text, and does something as soon as the work has begun.
  private func pruneWhile(_ model: TinyModel, _ script: String, output: String) throws -> ToolRun {
    try ToolRun(
      script: """
        "$sparsify" prune "$1" -o "$2" --samples 8 --length 64 --report "$3" --quiet &
        while kill -0 $! && [ ! -s "$2.partial/journal" ]; do sleep 0.01; done
        \(script)
        wait $!
        """, model.path, output, model.folder["report.json"])
  }

  @Test func anInputThatIsCutShortWhileItIsMappedIsNamed() throws {
    let model = try TinyModel()
    let size = try model.folder.read("model/model.safetensors").count
    let run = try pruneWhile(
      model, ": >> \"$1/model.safetensors\"; truncate -s 5000 \"$1/model.safetensors\"",
      output: model.folder["out"])
    #expect(run.status == 74)
    #expect(run.output.isEmpty)
    #expect(
      run.errors
        == "Error: \(model.weights): had \(size) bytes when it was opened, and has 5000 now\n")
    #expect(try model.made().isEmpty)
  }

  @Test func anInputThatVanishesIsNamed() throws {
    let model = try TinyModel()
    let run = try pruneWhile(model, "rm \"$1/config.json\"", output: model.folder["out"])
    #expect(run.status == 74)
    #expect(
      run.errors
        == "Error: \(model.path)/config.json: was there when it was opened, and is gone\n")
    #expect(try model.made().isEmpty)
  }

  @Test func aFolderThatVanishesUnderTheOutputIsNamed() throws {
    let model = try TinyModel()
    try model.folder.write("", to: "place/x")
    let run = try pruneWhile(
      model, "for try in $(seq 1000); do rm -r \"${2%/out}\" 2>/dev/null && break; done",
      output: model.folder["place/out"])
    #expect(run.status == 74)
    #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
    #expect(run.errors.hasPrefix("Error: \(model.folder["place"])"), "\(run.errors)")
    #expect(try model.made().isEmpty)
  }
}
