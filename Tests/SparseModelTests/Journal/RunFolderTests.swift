internal import Foundation
import SparseCore
import Synchronization
import TestSupport
import Testing

@testable import SparseModel

/// Runs that come to one output's folder at the same time.
@Suite(.timeLimit(.minutes(20))) struct RunFolderTests {
  private let folder: TemporaryFolder
  private var output: String { folder["out"] }

  init() throws { folder = try TemporaryFolder() }

  private func open(resumes: Bool = false, force: Bool = false) throws -> RunFolder {
    try RunFolder(forOutput: output, force: force, resumes: resumes)
  }

  /// Some begin as others end: at any time one has the folder, and nobody meets anything but that.
  @Test(arguments: [false, true]) func oneAtATimeHasTheFolder(keeps: Bool) throws {
    let inside = Atomic(0)
    let failures = Mutex<[String]>([])
    let turns = Atomic(0)
    Parallel.forEach(6, threads: 6) { _ in
      for _ in 0..<200 {
        do {
          let folder = try open(resumes: true)
          let count = inside.add(1, ordering: .relaxed).newValue
          if count != 1 { failures.withLock { $0.append("\(count) are in the folder") } }
          if keeps { try folder.append(.trained(steps: 1)) }
          if !FileSystem.isTaken(output + ".partial/journal") {
            failures.withLock { $0.append("the journal is gone") }
          }
          inside.subtract(1, ordering: .relaxed)
          turns.add(1, ordering: .relaxed)
          try folder.remove()
        } catch JournalError.busy {
        } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(turns.load(ordering: .relaxed) > 0)
    #expect(try folder.contents().isEmpty)
  }

  @Test func aJournalThatIsGoneIsNotTakenForOpen() throws {
    let path = folder["journal"]
    let file = try FileDescriptor.continuing(path)
    #expect(try file.isNamed(path))
    try FileManager.default.removeItem(atPath: path)
    #expect(try !file.isNamed(path))
    withExtendedLifetime(file.lock()) {}
  }

  @Test func anOutputThatCameMeanwhileIsFoundBeforeTheWork() throws {
    let run = try open()
    try run.requireFree(output, force: false)
    try folder.write("mine", to: "out")
    #expect(throws: CheckpointOutputError.exists(path: output)) {
      try run.requireFree(output, force: false)
    }
    try run.requireFree(output, force: true)
    // This run's own output that it has given the name.
    try run.append(.complete)
    try run.requireFree(output, force: false)
  }

  /// A line that was lost takes all that follow it, and is no reason to remove anything unasked.
  @Test func aDamagedJournalIsTold() throws {
    do {
      let run = try open()
      for steps in 1...3 { try run.append(.trained(steps: steps)) }
    }
    var bytes = try folder.read("out.partial/journal")
    bytes[bytes.firstIndex(of: 10)! + 30] ^= 1
    try folder.write(bytes, to: "out.partial/journal")
    try folder.write("work", to: "out.partial/hidden-even")
    #expect(throws: JournalError.unfinished(folder: output + ".partial", done: "1 step")) {
      try open()
    }
    let run = try open(resumes: true)
    var notes: [String] = []
    try run.tellDamage { if let note = $0.note { notes.append(note) } }
    #expect(
      notes == [
        "\(output).partial/journal: is not what the earlier run has written: of what it tells 1 line can be read,"
          + " and the rest is done anew"
      ])
    #expect(FileSystem.isTaken(output + ".partial/hidden-even"))
  }
}
