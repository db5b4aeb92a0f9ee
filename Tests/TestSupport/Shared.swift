internal import Foundation

/// The folder of reference results that lies beside the package, where there is one.
///
/// Tests that need it say `.enabled(if: Shared.exists)`. The environment variable `SPARSIFY_SHARED`
/// names another place. A run without it says how many tests it leaves out.
public enum Shared {
  /// Where the folder is, or would be.
  public static let folder: String =
    ProcessInfo.processInfo.environment["SPARSIFY_SHARED"] ?? besidePackage

  /// Whether the folder is there.
  public static let exists: Bool = {
    if FileManager.default.fileExists(atPath: folder) { return true }
    SkippedTests(under: "Shared.exists").say(
      why: "the reference results are not there: \(folder), or what SPARSIFY_SHARED names")
    return false
  }()

  /// The path of something within the folder.
  public static func path(_ relative: String) -> String { folder + "/" + relative }

  private static var besidePackage: String {
    let package = URL(fileURLWithPath: #filePath)  // Tests/TestSupport/Shared.swift
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return package.deletingLastPathComponent().appendingPathComponent("shared").path
  }
}
