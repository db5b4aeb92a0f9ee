import SparseCore
import SparseModel
import Testing

@testable import sparsify

/// What a user or a script sees of the built tool.
@Suite(.timeLimit(.minutes(20))) struct ExecutableTests {
  @Test(arguments: [["--help"], ["-h"], ["help"], []]) func helpGoesToOutput(words: [String]) throws
  {
    let run = try ToolRun(script: "\"$sparsify\" \(words.joined(separator: " "))")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    #expect(run.output == Help.text(Registry.commands.map { $0.spec }, width: 80))
  }

  @Test func helpOfACommandCanBeAskedForInThreeWays() throws {
    let expected = Help.text(CheckCommand.spec, width: 80)
    #expect(try ToolRun("help", "check").output == expected)
    #expect(try ToolRun("check", "--help").output == expected)
    #expect(try ToolRun("check", "-h").output == expected)
  }

  @Test func helpIsWrappedToTheWidthThatTheEnvironmentStates() throws {
    let run = try ToolRun("prune", "--help", environment: ["COLUMNS": "50"])
    #expect(run.output == Help.text(PruneCommand.spec, width: 50))
  }

  @Test func theVersionIsTheTools() throws {
    let run = try ToolRun("--version")
    #expect(run.output == "sparsify \(SparseModel.Tool.version)\n")
    #expect(run.status == 0)
  }

  @Test func wrongUsageGoesToErrorsWithStatus64() throws {
    let run = try ToolRun("prune", "--metod", "wanda")
    #expect(run.status == 64)
    #expect(run.output.isEmpty)
    #expect(
      run.errors == """
        Error: Unknown option '--metod'. Did you mean '--method'?
        Usage: sparsify prune <model> [options]
               See 'sparsify prune --help' for more information.

        """)
  }

  @Test func infoIsOneObjectForMachines() throws {
    let run = try ToolRun("info", "--json")
    #expect(run.status == 0)
    let object = try JSON(parsing: run.output)
    #expect(object["schema"]?.int == 1)
    #expect(object["version"]?.string == SparseModel.Tool.version)
    #expect(object["threads"]?.int == Compute.automatic.threads)
    #expect(object["processors"]?.int ?? 0 > 0)
    #expect(object["pageBytes"]?.int ?? 0 >= 4096)
  }

  @Test func infoIsATableForPeople() throws {
    let run = try ToolRun("info")
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("version"))
    #expect(run.output.contains("\nprocessors"))
  }

  @Test(arguments: KernelSet.available.map(\.name))
  func theEnvironmentForcesAKernelSet(name: String) throws {
    let run = try ToolRun(
      "info", "--json", "--threads", "3", environment: ["SPARSIFY_KERNEL": name])
    let object = try JSON(parsing: run.output)
    #expect(object["kernels"]?["active"]?.string == name)
    #expect(
      object["kernels"]?["available"]?.array?.map(\.string) == KernelSet.available.map(\.name))
    #expect(object["threads"]?.int == 3)
  }

  @Test(arguments: Registry.commands.map { $0.spec })
  func anUnknownKernelSetStopsEveryCommandBeforeItsWork(spec: CommandSpec) throws {
    let words = try #require(exampleWords(spec))
    let run = try ToolRun(
      script: "SPARSIFY_KERNEL=mmx \"$sparsify\" \(words)")
    #expect(run.status == 64)
    #expect(run.output.isEmpty)
    let available = KernelSet.available.map(\.name).joined(separator: ", ")
    #expect(
      run.errors
        == "Error: SPARSIFY_KERNEL: no kernels called 'mmx' on this processor; available: "
        + available + "\n")
  }

  /// The words after `sparsify` of a command's first example.
  private func exampleWords(_ spec: CommandSpec) -> Substring? {
    guard let line = spec.examples.first?.line, let start = line.firstRange(of: "sparsify ") else {
      return nil
    }
    return line[start.upperBound...].prefix { $0 != ")" }
  }

  #if os(Linux)
    @Test(arguments: ["info", "info --json", "--help", "--version", "completions zsh"])
    func aFullDiskIsAnError(line: String) throws {
      let run = try ToolRun(script: "\"$sparsify\" \(line) > /dev/full")
      #expect(run.status == 74)
      #expect(run.errors == "Error: cannot write to standard output: No space left on device\n")
    }
  #endif

  @Test func aClosedPipeEndsQuietly() throws {
    let run = try ToolRun(
      shell: "/bin/bash", script: "\"$sparsify\" completions zsh | true; exit ${PIPESTATUS[0]}")
    #expect(run.errors.isEmpty)
    // It may have written everything before the reader went away.
    #expect(run.status == 74 || run.status == 0)
  }
}

@Suite(.timeLimit(.minutes(20))) struct MachineTests {
  @Test(arguments: [
    ("always [madvise] never", "madvise"), ("[always]", "always"), ("none", nil), ("]a[", nil),
  ])
  func theChosenWordIsTheOneInBrackets(text: String, word: String?) {
    #expect(Machine.bracketed(text) == word)
  }

  @Test func valuesAreFoundByTheirKey() {
    let text = "processor\t: 0\nmodel name\t: Some CPU @ 2: x\nmodel name\t: other\n"
    #expect(Machine.value(of: "model name", in: text) == "Some CPU @ 2: x")
    #expect(Machine.value(of: "absent", in: text) == nil)
  }
}
