import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// Signals that come in the middle, and results that nobody takes.
@Suite(.timeLimit(.minutes(20))) struct StreamTests {
  #if os(Linux)
    @Test(arguments: ["INT", "TERM", "HUP"])
    func aSignalInTheMiddleLeavesNothing(signal: String) throws {
      let model = try TinyModel()
      // A shell's children in the background ignore SIGINT, and what is ignored stays ignored.
      let run = try ToolRun(
        script: """
          env --default-signal=INT,TERM,HUP "$sparsify" prune "$1/model" -o "$1/out" --samples 200 \\
            --report "$1/report.json" &
          pid=$!
          while kill -0 $pid && ! [ -e "$1/out.partial/output" ]; do sleep 0.01; done
          [ -e "$1/out.partial/output" ] && echo begun
          ls "$1" | grep report
          kill -\(signal) $pid
          wait $pid
          echo "$?"
          """, model.folder.path)
      #expect(run.output == "begun\n130\n")
      #expect(run.errors.hasSuffix("Error: interrupted\n"))
      #expect(try model.made().isEmpty)
    }

    @Test func resultsThatCannotBePrintedDoNotUndoTheWork() throws {
      let model = try TinyModel()
      let run = try ToolRun(
        script: """
          "$sparsify" prune "$1/model" --method magnitude -o "$1/out" > /dev/full
          """, model.folder.path)
      #expect(run.status == 74)
      #expect(run.errors == "Error: cannot write to standard output: No space left on device\n")
      #expect(try model.made() == ["out"])
      #expect(try ToolRun("check", model.folder["out"]).status == 0)
    }
  #endif

  @Test func aClosedOutputGoesIntoNoFile() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      script: """
        "$sparsify" prune "$1/model" --method magnitude -o "$1/out" --report "$1/report.json" <&- >&-
        """, model.folder.path)
    #expect(run.status == 74)
    #expect(run.errors == "Error: cannot write to standard output: Bad file descriptor\n")
    let report = try JSON(
      parsing: String(decoding: try model.folder.read("report.json"), as: UTF8.self))
    #expect(report["method"]?.string == "magnitude")
    #expect(try ToolRun("check", model.folder["out"]).status == 0)
  }

  @Test func errorsThatNobodyCanReadDoNoHarm() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      script: "\"$sparsify\" prune \"$1/model\" --method magnitude -o \"$1/out\" 2>&-",
      model.folder.path)
    #expect(run.status == 0)
    #expect(try ToolRun("check", model.folder["out"]).status == 0)
  }

  @Test func aReaderThatGoesAwayEndsGenerationQuietly() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      shell: "/bin/bash",
      script:
        "\"$sparsify\" generate \"$1\" -p Ada --tokens 200 | head -c 1; exit ${PIPESTATUS[0]}",
      model.path)
    #expect(run.output == "A")
    #expect(run.errors.isEmpty)
    #expect(run.status == 74 || run.status == 0)
  }

  @Test func whereNothingCanBeReadFromIsNoInput() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      script: """
        mkfifo "$1/pipe"
        "$sparsify" check "$1/pipe"; echo "$?"
        "$sparsify" eval "$1/model" --text "$1/pipe"; echo "$?"
        "$sparsify" check /dev/null; echo "$?"
        """, model.folder.path)
    #expect(run.output == "65\n65\n65\n")
    #expect(
      run.errors == """
        Error: \(model.folder["pipe"]): is not a regular file
        Error: \(model.folder["pipe"]): is not a regular file
        Error: /dev/null: is not a regular file

        """)
  }
}
