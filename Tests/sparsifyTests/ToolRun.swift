import Dispatch
import Foundation
import SparseCore
import TestSupport

/// Runs the executable that was built beside these tests.
struct ToolRun {
  let status: Int32
  let output: String
  let errors: String

  /// Runs `sparsify` with `arguments` and waits for it.
  init(_ arguments: String..., environment: [String: String] = [:]) throws {
    try self.init(arguments, environment: environment)
  }

  /// Runs `sparsify` with `arguments` and waits for it.
  init(_ arguments: [String], environment: [String: String] = [:]) throws {
    try self.init(program: Self.executable, arguments, environment)
  }

  /// Runs a shell script in which `$sparsify` is the executable, and `$1` and so on are `arguments`.
  init(shell: String = "/bin/sh", script: String, _ arguments: String...) throws {
    try self.init(
      program: URL(filePath: shell), ["-c", script, shell] + arguments,
      ["sparsify": Self.executable.path])
  }

  /// Runs several processes at once and waits for all of them.
  static func together(
    _ runs: [(arguments: [String], environment: [String: String])]
  ) async throws -> [ToolRun] {
    try await withThrowingTaskGroup(of: (Int, ToolRun).self) { group in
      for (index, run) in runs.enumerated() {
        group.addTask { (index, try ToolRun(run.arguments, environment: run.environment)) }
      }
      return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  /// The one JSON object that was printed.
  func json() throws -> JSON { try JSON(parsing: output) }

  /// The standard output as lines.
  var lines: [String] { output.split(separator: "\n").map(String.init) }

  private init(
    program: URL, _ arguments: [String], _ environment: [String: String]
  ) throws {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    // The width of help, and what a developer may have set, must not change what is tested.
    var variables = ProcessInfo.processInfo.environment
    variables["COLUMNS"] = nil
    variables["SPARSIFY_KERNEL"] = nil
    for name in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "GITHUB_STEP_SUMMARY"] {
      variables[name] = nil
    }
    process.environment = variables.merging(environment) { $1 }
    let output = Pipe()
    let errors = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try Self.withoutBlockedSignals { try process.run() }
    let guardian = Self.guardian(of: process.processIdentifier)
    defer { guardian.cancel() }
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }

  /// Starts a process that gets all signals: the threads of tests block most, children inherit that, and a shell whose
  /// SIGCHLD is blocked may wait for ever for a child that has ended.
  private static func withoutBlockedSignals(_ start: () throws -> Void) rethrows {
    var (all, before) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_UNBLOCK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try start()
  }

  /// Kills a process that hangs, so that its test can fail: no test can end what it waits for by itself.
  private static func guardian(of process: pid_t) -> DispatchWorkItem {
    let guardian = DispatchWorkItem { kill(process, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + longest, execute: guardian)
    return guardian
  }

  /// Seconds, far beyond what any run takes on a machine that is busy.
  private static let longest = 1200.0

  private static var executable: URL { URL(filePath: BuiltProducts.path("sparsify")) }
}
