internal import SparseCUDA
internal import SparseCore

/// What `info` says of GPUs and of NVIDIA's libraries.
struct GraphicsInfo {
  private let inventory: CUDAInventory

  init(_ inventory: CUDAInventory) { self.inventory = inventory }

  /// A row for each library and each GPU; one for all where there is nothing at all.
  var rows: [[String]] {
    let libraries = inventory.libraries.map { library in
      switch library.found {
      case .success(let found):
        [library.library.title, "\(found.version) (\(found.path.printable))"]
      case .failure(.libraryMissing(_, _, failures: [])): [library.library.title, "not found"]
      case .failure(let error): [library.library.title, "\(error)".errorLine]
      }
    }
    if libraries.allSatisfy({ $0[1] == "not found" }) {
      return [["CUDA", "not found ('sparsify bench --device cuda' tells where it was looked for)"]]
    }
    let driver = [inventory.driverRelease, inventory.driver.map { "for CUDA up to \($0)" }]
      .compactMap(\.self)
    return libraries
      + [["driver", driver.isEmpty ? "none" : driver.joined(separator: ", ")]] + devices
  }

  private var devices: [[String]] {
    switch inventory.devices {
    case .success(let devices) where devices.isEmpty: [["GPU", "none"]]
    case .success(let devices):
      devices.enumerated().map { index, device in
        switch device {
        case .success(let device): ["GPU \(index)", Self.text(device)]
        case .failure(let error): ["GPU \(index)", "\(error)".errorLine]
        }
      }
    case .failure(.libraryMissing): []
    case .failure(let error): [["GPU", "\(error)".errorLine]]
    }
  }

  private static func text(_ device: CUDAInventory.Device) -> String {
    let tensorCores = device.capability >= .firstSparse ? "sparse" : "no sparse"
    return "\(device.name.printable), compute capability \(device.capability), "
      + "\(Format.bytes(device.memoryBytes)), \(tensorCores) tensor cores"
  }

  /// The same for programs.
  var json: JSON {
    let libraries = inventory.libraries.map { library in
      let value: JSON =
        switch library.found {
        case .success(let found): ["path": .string(found.path), "version": .string(found.version)]
        case .failure(let error): ["error": .string("\(error)")]
        }
      return JSON.Member(key: library.library.rawValue, value: value)
    }
    let devices = (try? inventory.devices.get()) ?? []
    return [
      "libraries": .object(libraries),
      "driver": [
        "release": inventory.driverRelease.map(JSON.string) ?? .null,
        "cuda": inventory.driver.map(JSON.string) ?? .null,
      ],
      "devices": .array(devices.map(Self.json)),
    ]
  }

  private static func json(_ device: Result<CUDAInventory.Device, CUDAError>) -> JSON {
    switch device {
    case .success(let device):
      [
        "name": .string(device.name), "computeCapability": .string("\(device.capability)"),
        "memoryBytes": .integer(device.memoryBytes),
        "sparseTensorCores": .bool(device.capability >= .firstSparse),
      ]
    case .failure(let error): ["error": .string("\(error)")]
    }
  }
}
