internal import Foundation

/// What was built beside the tests.
public enum BuiltProducts {
  /// The path of a product's file.
  public static func path(_ name: String) -> String {
    #if os(macOS)
      let tests = Bundle(for: Marker.self).bundleURL
    #else
      let tests = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    #endif
    return tests.deletingLastPathComponent().appending(path: name).path
  }

  private final class Marker {}
}

/// A folder in which the stub of NVIDIA's libraries has their names.
public final class StubLibraries: Sendable {
  /// The folder.
  public let folder: TemporaryFolder

  /// Links the stub by the names of all three libraries.
  public init() throws {
    folder = try TemporaryFolder()
    for name in ["libcudart.so.12", "libcusparseLt.so.0", "libcublasLt.so.12"] {
      try FileManager.default.createSymbolicLink(
        atPath: folder[name], withDestinationPath: Self.path)
    }
  }

  /// The library that stands for all three.
  public static var path: String {
    #if os(macOS)
      BuiltProducts.path("libCUDAStub.dylib")
    #else
      BuiltProducts.path("libCUDAStub.so")
    #endif
  }
}
