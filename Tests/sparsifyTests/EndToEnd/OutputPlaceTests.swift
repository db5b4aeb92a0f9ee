import Foundation
import TestSupport
import Testing

@testable import sparsify

/// Where `prune` may write, and what is left when it cannot.
@Suite(.timeLimit(.minutes(20))) struct OutputPlaceTests {
  /// Prunes by magnitude and expects an error, its status, and that nothing has changed on the disk.
  private func expectRefusal(
    _ model: TinyModel, _ words: [String], status: Int32, _ error: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try state(model)
    let run = try ToolRun(["prune", "--method", "magnitude"] + words)
    #expect(run.status == status, sourceLocation: sourceLocation)
    #expect(run.output.isEmpty, sourceLocation: sourceLocation)
    #expect(
      run.errors.hasPrefix("Error: \(error)\n"), "\(run.errors)", sourceLocation: sourceLocation)
    #expect(try state(model) == before, sourceLocation: sourceLocation)
  }

  /// Every file with its bytes.
  private func state(_ model: TinyModel) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try model.folder.contents() { files[name] = (try? model.folder.read(name)) ?? [] }
    return files
  }

  @Test func whatExistsIsOnlyReplacedByForce() throws {
    let model = try TinyModel()
    let out = model.folder["out"]
    #expect(try ToolRun("prune", model.path, "--method", "magnitude", "-o", out).status == 0)
    try expectRefusal(
      model, [model.path, "-o", out + "/"], status: 64,
      "\(out): exists already; --force replaces it")
    try model.folder.write("old", to: "out/old.txt")
    let run = try ToolRun("prune", model.path, "--method", "magnitude", "-o", out, "--force")
    #expect(run.status == 0)
    #expect(try model.made() == ["out"])
    #expect(try !model.folder.contents().contains("out/old.txt"))
    try model.folder.write("old", to: "out.safetensors")
    try expectRefusal(
      model, [model.weights, "-o", out + ".safetensors"], status: 64,
      "\(out).safetensors: exists already; --force replaces it")
  }

  @Test func theInputIsNeverWrittenTo() throws {
    let model = try TinyModel()
    let inside = model.path + "/pruned"
    try expectRefusal(
      model, [model.path, "-o", model.path, "--force"], status: 64,
      "\(model.path): is the input, which is never overwritten")
    try expectRefusal(
      model, [model.weights, "-o", model.weights, "--force"], status: 64,
      "\(model.weights): is the input, which is never overwritten")
    try expectRefusal(
      model, [model.path, "-o", inside], status: 64,
      "\(inside): lies within the input \(model.path)")
    try expectRefusal(
      model, [model.path, "-o", model.folder.path, "--force"], status: 64,
      "\(model.folder.path): the input \(model.path) lies within it")
  }

  @Test func theCalibrationIsNeverLost() throws {
    let model = try TinyModel()
    let tokens = try model.writeTokens([1, 2, 3, 4], samples: 2)
    try expectRefusal(
      model, [model.weights, "-o", tokens, "--calibration", tokens, "--force"], status: 64,
      "\(tokens): is the input, which is never overwritten")
    let out = model.folder["out"]
    #expect(try ToolRun("prune", model.path, "--method", "magnitude", "-o", out).status == 0)
    let text = try model.folder.write("Ada has 3 apples.", to: "out/text.txt")
    try expectRefusal(
      model, [model.path, "-o", out, "--calibration", text, "--length", "4", "--force"], status: 64,
      "\(out): the input \(text) lies within it")
  }

  @Test func aFolderGoesWhereAFolderCanBeAndAFileWhereAFileCan() throws {
    let model = try TinyModel()
    let file = try model.folder.write("precious", to: "file")
    try model.folder.write("precious", to: "folder/letter.txt")
    let missing = model.folder["no/such"]
    try expectRefusal(
      model, [model.path, "-o", file, "--force"], status: 64,
      "\(file): is a file; the input is a folder, so the output is one too")
    try expectRefusal(
      model, [model.weights, "-o", model.folder["folder"], "--force"], status: 64,
      "\(model.folder["folder"]): is a folder; the input is a file, so the output is one too")
    try expectRefusal(
      model, [model.path, "-o", model.folder["folder"], "--force"], status: 64,
      "\(model.folder["folder"]): is a folder without safetensors files, which is not replaced")
    for input in [model.path, model.weights] {
      try expectRefusal(
        model, [input, "-o", missing + "/out"], status: 74, "\(missing): no such folder to write to"
      )
    }
  }

  @Test func aReportMustNotCoverWhatIsReadOrWritten() throws {
    let model = try TinyModel()
    let out = model.folder["out"]
    let read = "is a file that is read, and is never overwritten"
    for file in ["model.safetensors", "config.json", "tokenizer.json"] {
      let path = model.path + "/" + file
      try expectRefusal(
        model, [model.path, "-o", out, "--report", path], status: 64,
        "The value '\(path)' is invalid for '--report <file>': \(read)")
    }
    try expectRefusal(
      model, [model.path, "-o", out, "--report", out], status: 64,
      "The value '\(out)' is invalid for '--report <file>': is where the output goes")
    #expect(try ToolRun("prune", model.path, "--method", "magnitude", "-o", out).status == 0)
    try expectRefusal(
      model, [model.path, "-o", out, "--force", "--report", out + "/r.json"], status: 64,
      "The value '\(out)/r.json' is invalid for '--report <file>': is where the output goes")
  }

  @Test func aReportThatCannotBeWrittenIsFoundBeforeTheWork() throws {
    let model = try TinyModel()
    let missing = model.folder["missing"]
    try expectRefusal(
      model, [model.path, "--report", missing + "/r.json"], status: 74,
      "\(missing): no such folder to write to")
    try expectRefusal(
      model, [model.path, "--report", model.path], status: 65,
      "\(model.path): is a folder, not a file")
  }

  @Test(arguments: ["", "/model.safetensors"])
  func aFileThatMayNotGrowIsAnErrorAndLeavesNothing(suffix: String) throws {
    let model = try TinyModel()
    let run = try ToolRun(
      script: """
        ulimit -f 100
        "$sparsify" prune "$1" --method magnitude -o "$2" --report "$3"
        """, model.path + suffix, model.folder["out"], model.folder["report.json"])
    #expect(run.status == 74)
    #expect(run.output.isEmpty)
    #expect(run.errors.hasPrefix("Error: \(model.folder["out"])"))
    #expect(run.errors.hasSuffix(": cannot write: File too large\n"))
    #expect(try model.made().isEmpty)
  }

  @Test(.enabled(if: Unprivileged.prefix != nil))
  func aReadOnlyFolderIsFoundBeforeTheWork() throws {
    let model = try TinyModel()
    let prefix = try #require(Unprivileged.prefix)
    let run = try ToolRun(
      script: """
        chmod -R a+rX "$1" && chmod a-w "$1" "$1/model"
        \(prefix) "$sparsify" prune "$1/model" --samples 100000
        echo "$?"
        \(prefix) "$sparsify" prune "$1/model/model.safetensors" --samples 100000
        echo "$?"
        \(prefix) "$sparsify" prune "$1/model" -o /dev/shm/out --samples 100000 --report "$1/r.json"
        echo "$?"
        chmod u+w "$1" "$1/model"
        """, model.folder.path)
    #expect(run.output == "74\n74\n74\n")
    #expect(
      run.errors == """
        Error: \(model.path)-2of4: cannot create: Permission denied
        Error: \(model.path)/model-2of4.safetensors: cannot create: Permission denied
        Error: \(model.folder["r.json"]): cannot create: Permission denied

        """)
    #expect(try model.made().isEmpty)
  }

  @Test(.enabled(if: Unprivileged.prefix != nil))
  func aFileThatMayNotBeReadIsNotTakenForMissing() throws {
    let model = try TinyModel()
    let prefix = try #require(Unprivileged.prefix)
    let run = try ToolRun(
      script: """
        chmod -R a+rX "$1" && chmod a-r "$1/model/config.json"
        \(prefix) "$sparsify" eval "$1/model" --text "$1/model/tokenizer.json"
        """, model.folder.path)
    #expect(run.status == 74)
    #expect(run.errors == "Error: \(model.path)/config.json: cannot open: Permission denied\n")
  }
}

/// How to run the tool without the superuser's powers.
enum Unprivileged {
  /// What goes before the command in a shell script; nil where there is no way.
  static let prefix: String? = {
    guard isSuperuser else { return "" }
    let drop = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    // The nobody of this machine may not be able to reach the executable.
    let run = try? ToolRun(script: "\(drop) \"$sparsify\" --version")
    return run?.status == 0 ? drop : nil
  }()
}
