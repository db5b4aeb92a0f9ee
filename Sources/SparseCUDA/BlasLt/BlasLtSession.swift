/// cuBLASLt on one GPU, for the thread that made this.
public final class BlasLtSession {
  /// The GPU.
  public let device: CUDADevice
  /// The library.
  public let library: CuBLASLt
  let handle: BlasLtObject

  /// Initialises the library on the thread's GPU.
  public init(_ library: CuBLASLt, on device: CUDADevice) throws(CUDAError) {
    self.device = device
    self.library = library
    handle = try BlasLtObject("cublasLtCreate", library, destroy: library.destroy) {
      library.create($0)
    }
  }
}

/// Something that cuBLASLt made and destroys.
struct BlasLtObject: ~Copyable {
  let address: UnsafeMutableRawPointer
  private let destroy: @convention(c) (UnsafeMutableRawPointer) -> Int32

  /// - Parameter call: the name of the function that `create` calls.
  init(
    _ call: String, _ library: CuBLASLt,
    destroy: @escaping @convention(c) (UnsafeMutableRawPointer) -> Int32,
    create: (UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Int32
  ) throws(CUDAError) {
    var address: UnsafeMutableRawPointer?
    try library.check(call, create(&address))
    guard let address else {
      throw .callFailed(call: call, status: 0, name: "success", message: "it gave no address")
    }
    self.address = address
    self.destroy = destroy
  }

  deinit { _ = destroy(address) }
}
