internal import SparseCore
internal import SparseModel

/// `sparsify info`: what this build is and what it runs on.
enum InfoCommand: Command {
  static let spec = CommandSpec(
    "info", "Show the version, the kernels in use and the machine",
    parameters: [Common.threads, Common.json],
    examples: [
      .init("Show which instruction set is used", "sparsify info"),
      .init("Try another one", "SPARSIFY_KERNEL=scalar sparsify info"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let machine = Machine.current()
    if arguments[Common.json] {
      try context.print(json(machine))
    } else {
      try context.print(text(machine))
    }
    return .done
  }

  private static func text(_ machine: Machine) -> String {
    var table = Table([("", .left), ("", .left)])
    table.append(["version", Tool.version])
    table.append(["system", machine.system])
    table.append(["processor", machine.processor ?? "unknown"])
    table.append(["processors", "\(machine.processors)"])
    table.append(["memory", machine.memoryBytes.map(Format.bytes) ?? "unknown"])
    table.append(["page", Format.bytes(machine.pageBytes)])
    if let hugePages = machine.hugePages { table.append(["huge pages", hugePages]) }
    return table.text
  }

  private static func json(_ machine: Machine) -> JSON {
    [
      "schema": 1,
      "version": .string(Tool.version),
      "system": .string(machine.system),
      "processor": machine.processor.map(JSON.string) ?? .null,
      "processors": .integer(machine.processors),
      "memoryBytes": machine.memoryBytes.map(JSON.integer) ?? .null,
      "pageBytes": .integer(machine.pageBytes),
      "hugePages": machine.hugePages.map(JSON.string) ?? .null,
    ]
  }
}
