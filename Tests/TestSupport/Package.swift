internal import Foundation

/// The package's own folder, found from this file's place in it.
public enum Package {
  /// The absolute path of something in the package.
  public static func path(_ relative: String) -> String {
    URL(fileURLWithPath: #filePath)  // Tests/TestSupport/Package.swift
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent(relative).path
  }
}
