import Foundation
import TestSupport
import Testing

@testable import SparseCUDA

@Suite struct LibrarySearchTests {
  @Test("Folders come in order: the user's, the loader's, CUDA's, the packages'")
  func order() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "venv/bin/python3")
    let package = "venv/lib/python3.12/site-packages/nvidia/cusparselt/lib"
    try folder.write("", to: package + "/libcusparseLt.so.0")
    let variables = [
      "SPARSIFY_CUDA_LIBRARIES": "/one:/two", "LD_LIBRARY_PATH": "/three:/one",
      "CUDA_HOME": "/four", "PATH": "/nowhere:\(folder["venv/bin"])", "HOME": folder["home"],
    ]
    let folders = LibrarySearch { variables[$0] }.folders
    #expect(Array(folders.prefix(4)) == ["/one", "/two", "/three", "/four/lib64"])
    #expect(folders.contains("/usr/local/cuda/lib64"))
    #expect(folders.contains(folder[package]))
    #expect(Set(folders).count == folders.count)
  }

  @Test("A virtual environment's packages come before those of the interpreter that it links to")
  func environment() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "base/bin/python3")
    let site = "lib/python3.12/site-packages"
    let packages = [
      "venv/\(site)/nvidia/cu13/lib", "venv/\(site)/cusparselt/lib", "base/\(site)/torch/lib",
    ]
    for package in packages { try folder.write("", to: package + "/libcudart.so.13") }
    try FileManager.default.createDirectory(
      atPath: folder["venv/bin"], withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: folder["venv/bin/python3"], withDestinationPath: folder["base/bin/python3"])
    let found = LibrarySearch { $0 == "PATH" ? folder["venv/bin"] : nil }
      .candidates(for: .runtime).filter { $0.hasPrefix(folder.path) }
    #expect(found == packages.map { folder[$0 + "/libcudart.so.13"] })
  }

  @Test("Folders are ordered by their version as a number")
  func folderVersions() throws {
    let folder = try TemporaryFolder()
    for name in ["cuda-9.2", "cuda-13", "cuda-12.8", "cuda-12.10", "other"] {
      try folder.write("", to: name + "/x")
    }
    #expect(
      LibrarySearch.versioned(folder.path, prefix: "cuda-")
        == ["cuda-13", "cuda-12.10", "cuda-12.8", "cuda-9.2"].map { folder[$0] })
  }

  @Test("The driver's release is read from what the kernel says")
  func release() throws {
    let folder = try TemporaryFolder()
    let text =
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\nGCC version:  gcc 12.2.0\n"
    #expect(driverRelease(from: try folder.write(text, to: "version")) == "550.54.15")
    #expect(driverRelease(from: try folder.write("nothing", to: "other")) == nil)
    #expect(driverRelease(from: folder["none"]) == nil)
  }

  @Test("Of several versions in a folder the newest comes first, and each file once")
  func versions() throws {
    let folder = try TemporaryFolder()
    let names = [
      "libcudart.so.9.2", "libcudart.so.12.4.127", "libcudart.so.12.4.99", "libcudart_static.a",
      "libcudart.so.x", "libcudartx.so",
    ]
    for name in names { try folder.write(name, to: name) }
    try FileManager.default.createSymbolicLink(
      atPath: folder["libcudart.so.12"], withDestinationPath: "libcudart.so.12.4.127")
    try FileManager.default.createSymbolicLink(
      atPath: folder["libcudart.so"], withDestinationPath: "libcudart.so.12")
    let found = LibrarySearch(folders: [folder.path, folder["none"], folder.path])
      .candidates(for: .runtime)
    #expect(
      found.map { $0.dropFirst(folder.path.count + 1) } == [
        "libcudart.so.12.4.127", "libcudart.so.12.4.99", "libcudart.so.9.2",
      ])
  }

  @Test("Without a library the error names every place, and why files there cannot be opened")
  func missing() throws {
    let folder = try TemporaryFolder()
    try folder.write("no library at all", to: "libcusparseLt.so.0")
    let search = LibrarySearch(folders: ["/no/such/folder", folder.path])
    let error = #expect(throws: CUDAError.self) { try CuSPARSELt(search) }
    let text = try #require(error).description
    #expect(text.contains("cuSPARSELt was not found"))
    #expect(text.contains("opened in /no/such/folder, \(folder.path), where the system's"))
    #expect(text.contains("; \(folder["libcusparseLt.so.0"]): "))
  }

  private static let anyLibrary = [
    "/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6", "/lib64/libm.so.6",
  ].first(where: FileManager.default.fileExists)

  @Test(
    "A library that is another one is named with the function that it lacks",
    .enabled(if: anyLibrary != nil))
  func wrongLibrary() throws {
    let folder = try TemporaryFolder()
    let other = try #require(Self.anyLibrary)
    try FileManager.default.createSymbolicLink(
      atPath: folder["libcudart.so.12"], withDestinationPath: other)
    #expect(
      throws: CUDAError.symbolMissing(
        name: "cudaGetDeviceCount", path: folder["libcudart.so.12"])
    ) { try CUDARuntime(LibrarySearch(folders: [folder.path])) }
  }
}
