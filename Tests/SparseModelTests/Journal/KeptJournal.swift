internal import Foundation
import SparseCore

@testable import SparseModel

/// The journal of a run that comes to its end, kept under a second name.
///
/// With it, things can be put as they are where a run is killed after giving its output the name, while it tidies up:
/// everything else that it kept is gone already.
struct KeptJournal {
  private let folder: String
  private let kept: String

  /// - Parameter output: what the journal's folder is named after.
  init(of output: String) {
    folder = output + ".partial"
    kept = output + ".kept"
  }

  /// Gives the journal its second name as soon as it is there; to be called at each report.
  func keep() throws {
    let journal = folder + "/journal"
    guard !FileSystem.isTaken(kept), FileSystem.isTaken(journal) else { return }
    try FileManager.default.linkItem(atPath: journal, toPath: kept)
  }

  /// Puts the journal, which has all lines now, back into an otherwise empty folder.
  func restore() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try FileManager.default.moveItem(atPath: kept, toPath: folder + "/journal")
  }
}
