internal import SparseCUDA
internal import SparseCore
internal import SparseModel

/// `sparsify info`: what this build is and what it runs on.
enum InfoCommand: Command {
  static let spec = CommandSpec(
    "info", "Show the version, the kernels in use, the machine and its GPUs",
    parameters: [Common.threads, Common.json],
    examples: [
      .init("Show which instruction set is used", "sparsify info"),
      .init("Try another one", "SPARSIFY_KERNEL=scalar sparsify info"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let machine = Machine.current()
    let graphics = GraphicsInfo(CUDAInventory(Environment.cudaLibraries))
    if arguments[Common.json] {
      try context.print(json(machine, graphics, context.compute))
    } else {
      try context.print(text(machine, graphics, context.compute))
    }
    return .done
  }

  private static func text(
    _ machine: Machine, _ graphics: GraphicsInfo, _ compute: Compute
  ) -> String {
    var table = Table([("", .left), ("", .left)])
    table.append(["version", Tool.version])
    let available = KernelSet.available.map(\.name).joined(separator: ", ")
    table.append(["kernels", "\(compute.kernels.name) (available: \(available))"])
    table.append(["threads", "\(compute.threads)"])
    table.append(["system", machine.system])
    table.append(["processor", machine.processor ?? "unknown"])
    table.append(["processors", "\(machine.processors)"])
    table.append(["memory", machine.memoryBytes.map(Format.bytes) ?? "unknown"])
    table.append(["page", Format.bytes(machine.pageBytes)])
    if let hugePages = machine.hugePages { table.append(["huge pages", hugePages]) }
    for row in graphics.rows { table.append(row) }
    return table.text
  }

  private static func json(
    _ machine: Machine, _ graphics: GraphicsInfo, _ compute: Compute
  ) -> JSON {
    [
      "schema": 1,
      "version": .string(Tool.version),
      "kernels": [
        "active": .string(compute.kernels.name),
        "available": .array(KernelSet.available.map { .string($0.name) }),
      ],
      "threads": .integer(compute.threads),
      "system": .string(machine.system),
      "processor": machine.processor.map(JSON.string) ?? .null,
      "processors": .integer(machine.processors),
      "memoryBytes": machine.memoryBytes.map(JSON.integer) ?? .null,
      "pageBytes": .integer(machine.pageBytes),
      "hugePages": machine.hugePages.map(JSON.string) ?? .null,
      "cuda": graphics.json,
    ]
  }
}
