#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// A library that was opened, for as long as the process runs: NVIDIA's do not bear being closed.
final class DynamicLibrary: @unchecked Sendable {
  /// The file, or the name that the system's loader knew.
  let path: String
  private let handle: UnsafeMutableRawPointer

  private init(path: String, handle: UnsafeMutableRawPointer) {
    self.path = path
    self.handle = handle
  }

  /// Opens the first that can be opened.
  ///
  /// - Throws: ``CUDAError/libraryMissing(_:places:failures:)``.
  static func open(
    _ library: CUDALibrary, in search: LibrarySearch
  ) throws(CUDAError) -> DynamicLibrary {
    var failures: [String] = []
    let files = search.candidates(for: library)
    for path in files + library.systemNames {
      if let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) {
        return DynamicLibrary(path: path, handle: handle)
      }
      // That the loader knows no such name is what the list of places says.
      if files.contains(path), let reason = dlerror() { failures.append(String(cString: reason)) }
    }
    throw .libraryMissing(
      library, places: search.folders + ["where the system's loader looks"], failures: failures)
  }

  /// A function of the library, whose type must be what NVIDIA's header says.
  ///
  /// - Throws: ``CUDAError/symbolMissing(name:path:)``.
  func function<Function>(_ name: String) throws(CUDAError) -> Function {
    guard let function: Function = optionalFunction(name) else {
      throw .symbolMissing(name: name, path: path)
    }
    return function
  }

  /// A function that not all versions have.
  func optionalFunction<Function>(_ name: String) -> Function? {
    dlsym(handle, name).map { unsafeBitCast($0, to: Function.self) }
  }
}
