internal import SparseCore
internal import SparseModel

/// What a run would do and take, as `--dry-run` shows it.
struct DryRun {
  private let plan: RunPlan
  private let lines: [(label: String, text: String)]
  private let members: [JSON.Member]

  /// Shows a plan.
  ///
  /// - Parameters:
  ///   - lines: what would be done, each with a label.
  ///   - members: what the object has of its own.
  init(
    _ plan: RunPlan, lines: [(label: String, text: String)], members: [(key: String, value: JSON)]
  ) {
    self.plan = plan
    self.lines = lines
    self.members = members.map { JSON.Member(key: $0.key, value: $0.value) }
  }

  /// Measures for about a second how fast this machine is.
  static func speed(
    reading checkpoint: Checkpoint, writingBeside path: String?, in context: Context
  ) -> MachineSpeed {
    MachineSpeed(
      reading: checkpoint, writingBeside: path ?? checkpoint.path, on: context.compute)
  }

  /// Prints it as text, or as the object that `--json` asks for.
  func print(_ arguments: Arguments, in context: Context) throws {
    if arguments[Common.json] {
      try context.print(json)
    } else {
      try context.print(text)
    }
  }

  /// A row for each step: what it takes of memory and of time.
  static func table(_ steps: [RunPlan.Step]) -> String {
    var table = Table([("step", .left), ("memory", .right), ("time", .right)])
    for step in steps {
      table.append([step.name, Format.bytes(step.bytes), "~" + Format.duration(step.seconds)])
    }
    return table.text
  }

  /// What writing calibration text takes of a run, and what saves it; nil where none is written.
  static func writingLine(_ steps: [RunPlan.Step]) -> String? {
    let all = steps.reduce(0) { $0 + $1.seconds }
    guard let writing = steps.first(where: { $0.name == MemoryPlan.nameOfWriting }), all > 0
    else { return nil }
    return "about \(Format.percent(writing.seconds / all)) of it writes the calibration text; "
      + "--calibration FILE saves that"
  }

  /// The steps as the object has them.
  static func json(_ steps: [RunPlan.Step]) -> JSON {
    .array(
      steps.map {
        [
          "name": .string($0.name), "bytes": .integer($0.bytes),
          "estimatedSeconds": .number($0.seconds),
        ]
      })
  }

  private var text: String {
    var lines = lines
    lines.append(
      (
        "memory",
        "\(Format.bytes(plan.peakBytes)) at most, of \(Format.bytes(plan.budget)) that may be taken"
      ))
    lines.append(
      (
        "scratch",
        plan.scratchBytes == 0
          ? "none" : Format.bytes(plan.scratchBytes) + " of disk beside the output"
      ))
    lines.append(
      ("time", "about \(Format.duration(plan.seconds)), an estimate from a probe of a second"))
    if let line = Self.writingLine(plan.steps) { lines.append(("", line)) }
    let rows = lines.map {
      $0.label + String(repeating: " ", count: max(1, 13 - $0.label.count)) + $0.text + "\n"
    }
    return Self.table(plan.steps) + "\n" + rows.joined() + "Nothing has been written.\n"
  }

  private var json: JSON {
    .object(
      [
        JSON.Member(key: "schema", value: 1), JSON.Member(key: "dryRun", value: true),
      ] + members + [
        JSON.Member(
          key: "memory",
          value: [
            "budgetBytes": .integer(plan.budget), "peakBytes": .integer(plan.peakBytes),
            "scratchBytes": .integer(plan.scratchBytes),
          ]),
        JSON.Member(key: "estimatedSeconds", value: .number(plan.seconds)),
        JSON.Member(key: "steps", value: Self.json(plan.steps)),
      ])
  }
}
