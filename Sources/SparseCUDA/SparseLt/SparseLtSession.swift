/// cuSPARSELt on one GPU, for the thread that made this.
///
/// Everything that is made with it keeps it alive.
public final class SparseLtSession {
  /// The GPU.
  public let device: CUDADevice
  /// The library.
  public let library: CuSPARSELt
  let handle: SparseLtHandle

  /// Initialises the library on a GPU.
  ///
  /// - Throws: ``CUDAError`` for a GPU without sparse tensor cores, and for calls that fail.
  public init(_ library: CuSPARSELt, on device: CUDADevice) throws(CUDAError) {
    guard device.capability >= .firstSparse else {
      throw .notSparse(device: device.name, capability: device.capability)
    }
    self.device = device
    self.library = library
    handle = try SparseLtHandle(library)
  }
}

/// The library's own state, at one address.
struct SparseLtHandle: ~Copyable {
  private let library: CuSPARSELt
  private let storage: OpaqueStorage

  init(_ library: CuSPARSELt) throws(CUDAError) {
    let storage = OpaqueStorage()
    try library.check("cusparseLtInit", library.initialize(storage.address))
    self.library = library
    self.storage = storage
  }

  deinit { _ = library.destroy(storage.address) }

  var address: UnsafeMutableRawPointer { storage.address }
}
