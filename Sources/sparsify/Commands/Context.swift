internal import SparseCore
internal import SparseModel

/// What a command works with: where results and progress go, and what to compute with.
struct Context {
  let compute: Compute
  let progressLine: ProgressLine
  private let words: [String]

  /// What `arguments`, which were typed as `words`, and the environment ask for.
  init(_ arguments: Arguments, typedAs words: [String]) throws(EnvironmentError) {
    self.words = words
    progressLine = ProgressLine(isQuiet: arguments[Common.quiet])
    do throws(KernelError) {
      let kernels = try KernelSet.fromEnvironment()
      Compute.prefer(kernels)
      compute = Compute(
        kernels: kernels, threads: arguments[Common.threads] ?? Compute.automatic.threads)
    } catch {
      throw EnvironmentError(variable: .kernel, reason: error.description)
    }
  }

  /// How to get a report on `model` again.
  func origin(of model: String) -> ReportOrigin {
    ReportOrigin(command: [Tool.name] + words, model: model, kernels: compute.kernels.name)
  }

  /// Hand this to the libraries: it shows their progress and stops them if a signal has come.
  var progress: ProgressHandler {
    { [progressLine] progress in
      try Interrupt.check()
      try MappingFault.check()
      if let note = progress.note { progressLine.note("Note: " + note.errorLine) }
      progressLine.show(progress)
    }
  }

  /// Says which weights of a checkpoint a run leaves as they are, kind by kind.
  func noteLeftAlone(_ checkpoint: Checkpoint) throws {
    let kinds = try checkpoint.leftAlone()
    if kinds.isEmpty { return }
    let list = kinds.map { "\($0)".printable }.joined(separator: ", ")
    progressLine.note("Note: left as they are: \(list)")
  }

  /// Writes results to standard output.
  func print(_ text: String) throws {
    try MappingFault.check()
    progressLine.erase()
    try Terminal.output.write(text)
  }

  /// Writes bytes of a text to standard output: a token may end in the middle of a character.
  func print(bytes: [UInt8]) throws {
    try MappingFault.check()
    progressLine.erase()
    try Terminal.output.write(bytes)
  }

  /// Writes the one object that `--json` promises.
  func print(_ json: JSON) throws {
    try print(json.text(pretty: true) + "\n")
  }
}
