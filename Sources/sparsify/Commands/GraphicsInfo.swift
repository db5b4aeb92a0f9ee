internal import SparseCUDA
internal import SparseCore

/// What `info` says of GPUs and of NVIDIA's libraries.
struct GraphicsInfo {
  private let inventory: CUDAInventory

  init(_ inventory: CUDAInventory) { self.inventory = inventory }

  /// A row for each library and each GPU; one for all where there is nothing at all.
  var rows: [[String]] {
    let found = inventory.libraries.compactMap { library in
      (try? library.found.get()).map {
        [library.library.title, "\($0.version) (\($0.path.printable))"]
      }
    }
    if found.isEmpty {
      return [["CUDA", "not found ('sparsify bench --device cuda' tells where it was looked for)"]]
    }
    let missing = inventory.libraries.filter { (try? $0.found.get()) == nil }.map {
      [$0.library.title, "not found"]
    }
    return found + missing + [["driver", inventory.driver.map { "CUDA \($0)" } ?? "none"]] + devices
  }

  private var devices: [[String]] {
    switch inventory.devices {
    case .success(let devices):
      if devices.isEmpty { return [["GPU", "none"]] }
      return devices.enumerated().map { index, device in
        let tensorCores = device.capability >= .firstSparse ? "sparse" : "no sparse"
        return [
          "GPU \(index)",
          "\(device.name.printable), compute capability \(device.capability), "
            + "\(Format.bytes(device.memoryBytes)), \(tensorCores) tensor cores",
        ]
      }
    case .failure(let error): return [["GPU", "\(error)".errorLine]]
    }
  }

  /// The same for programs.
  var json: JSON {
    let libraries = inventory.libraries.map { library in
      let found = try? library.found.get()
      return JSON.Member(
        key: library.library.rawValue,
        value: found.map { ["path": .string($0.path), "version": .string($0.version)] } ?? .null)
    }
    let devices = (try? inventory.devices.get()) ?? []
    return [
      "libraries": .object(libraries),
      "driver": inventory.driver.map(JSON.string) ?? .null,
      "devices": .array(
        devices.map { device in
          [
            "name": .string(device.name),
            "computeCapability": .string("\(device.capability)"),
            "memoryBytes": .integer(device.memoryBytes),
            "sparseTensorCores": .bool(device.capability >= .firstSparse),
          ]
        }),
    ]
  }
}
