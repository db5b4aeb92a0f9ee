import SparseCUDA
import TestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#endif

/// The stub of NVIDIA's libraries as a test sees it: what was called, what lives, what is to fail.
///
/// It is one for the whole process: whoever makes this starts from nothing.
struct Stub {
  /// Where it has the names of NVIDIA's libraries.
  let libraries: StubLibraries
  private let handle: UnsafeMutableRawPointer

  init() throws {
    libraries = try StubLibraries()
    guard let handle = dlopen(StubLibraries.path, RTLD_NOW | RTLD_LOCAL) else {
      throw StubError(reason: dlerror().map { String(cString: $0) } ?? "no reason")
    }
    self.handle = handle
    let reset: @convention(c) () -> Void = function("cudaStubReset")
    reset()
  }

  /// A search that finds it.
  var search: LibrarySearch { LibrarySearch(folders: [libraries.folder.path]) }

  func session() throws -> CUDASession { try CUDASession(search) }

  // MARK: What was called

  var calls: [String] {
    let count: @convention(c) () -> Int64 = function("cudaStubCallCount")
    let call: @convention(c) (Int64) -> UnsafePointer<CChar> = function("cudaStubCall")
    return (0..<count()).map { String(cString: call($0)) }
  }

  /// The names of the functions that were called, in order.
  var callNames: [String] { calls.map { String($0.prefix { $0 != " " }) } }

  func count(of name: String) -> Int { callNames.count { $0 == name } }

  // MARK: What is left

  /// How many objects of a kind live; nil for all.
  func live(_ kind: String? = nil) -> Int {
    let live: @convention(c) (UnsafePointer<CChar>?) -> Int64 = function("cudaStubLive")
    return Int(live(kind))
  }

  /// What was done that the libraries forbid.
  var violations: [String] {
    let count: @convention(c) () -> Int64 = function("cudaStubViolationCount")
    let violation: @convention(c) (Int64) -> UnsafePointer<CChar> = function("cudaStubViolation")
    return (0..<count()).map { String(cString: violation($0)) }
  }

  // MARK: What it is to do

  /// Lets the n-th call from now on of a function fail; 0 stands for each.
  func fail(_ name: String, at call: Int = 1, status: Int) {
    let fail: @convention(c) (UnsafePointer<CChar>, Int64, Int32) -> Int32 =
      function("cudaStubFail")
    precondition(fail(name, Int64(call), Int32(status)) == 1, "the stub has no function \(name)")
  }

  func set(_ setting: String, _ value: Int) {
    let set: @convention(c) (UnsafePointer<CChar>, Int64) -> Int32 = function("cudaStubSet")
    precondition(set(setting, Int64(value)) == 1, "the stub has no setting \(setting)")
  }

  private func function<Function>(_ name: String) -> Function {
    guard let symbol = dlsym(handle, name) else { preconditionFailure("the stub has no \(name)") }
    return unsafeBitCast(symbol, to: Function.self)
  }
}

/// The stub was not built beside the tests.
struct StubError: Error { let reason: String }
