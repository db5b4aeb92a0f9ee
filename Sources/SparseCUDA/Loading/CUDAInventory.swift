/// What there is on this machine to run 2:4 weights on a GPU.
public struct CUDAInventory: Sendable {
  /// A library that was looked for.
  public struct Library: Sendable {
    /// Which one.
    public let library: CUDALibrary
    /// Its file and its version, or why there is none.
    public let found: Result<(path: String, version: String), CUDAError>
  }

  /// A GPU.
  public struct Device: Sendable {
    /// Such as "NVIDIA H100 80GB HBM3".
    public let name: String
    /// Its generation.
    public let capability: ComputeCapability
    /// All of its memory in bytes.
    public let memoryBytes: Int
  }

  /// Every library, found or not.
  public let libraries: [Library]
  /// The newest CUDA version that the driver can run; nil without a driver.
  public let driver: String?
  /// The release of the driver, such as "550.54.15"; nil where the system does not say.
  public let driverRelease: String?
  /// The GPUs, each of which may refuse to be asked, or why the driver cannot be asked for them.
  public let devices: Result<[Result<Device, CUDAError>], CUDAError>

  /// Looks for the libraries and asks the driver for its GPUs.
  public init(_ search: LibrarySearch) {
    func library(
      _ library: CUDALibrary, _ open: () throws(CUDAError) -> (path: String, version: String)
    ) -> Library { Library(library: library, found: Result(catching: open)) }
    let runtime = Result { () throws(CUDAError) in try CUDARuntime(search) }
    libraries = [
      Library(
        library: .runtime,
        found: runtime.map { ($0.path, CUDARuntime.text(ofVersion: $0.version)) }),
      library(.sparseLt) { () throws(CUDAError) in
        let found = try CuSPARSELt(search)
        return (found.path, found.version)
      },
      library(.blasLt) { () throws(CUDAError) in
        let found = try CuBLASLt(search)
        return (found.path, found.versionText)
      },
    ]
    let driverVersion = (try? runtime.get())?.driverVersion ?? 0
    driver = driverVersion > 0 ? CUDARuntime.text(ofVersion: driverVersion) : nil
    driverRelease = SparseCUDA.driverRelease()
    devices = runtime.flatMap { runtime in
      Result { () throws(CUDAError) in try runtime.devices }.map { count in
        (0..<count).map { index in
          Result { () throws(CUDAError) in
            let device = try CUDADevice(index, of: runtime)
            return Device(
              name: device.name, capability: device.capability, memoryBytes: device.memoryBytes)
          }
        }
      }
    }
  }
}
