internal import SparseCore
internal import SparseModel

/// What a run of quantizing has done, as people read it.
struct QuantizeSummary {
  private let report: QuantizeReport

  init(_ report: QuantizeReport) { self.report = report }

  /// The totals.
  var text: String {
    var lines = "quantized    \(report.layers.count) weights to INT8, \(scales(report.groupSize))\n"
    if let worst = report.layers.max(by: { $0.weightError < $1.weightError }) {
      lines +=
        "rounding     \(Format.fixed(100 * worst.weightError, 2)) % of the weight's norm at most,"
        + " in \(worst.name.printable)\n"
    }
    lines += groupNote(report.groupSize)
    lines += "time         \(Format.duration(report.seconds)), "
    lines += "\(Format.bytes(report.peakResidentBytes)) of memory at most\n"
    return lines + "output       \(report.output.printable)\n"
  }
}

/// What a run of quantizing would do.
struct QuantizePlan {
  private let run: QuantizeRun

  init(_ run: QuantizeRun) { self.run = run }

  private var weights: [Checkpoint.Tensor] { run.targets.compactMap { run.checkpoint[$0] } }

  private var inputBytes: Int { run.checkpoint.tensors.reduce(0) { $0 + $1.byteCount } }

  /// The weights that would become INT8, and where the output would go.
  var text: String {
    var table = Table([
      ("weight", .left), ("shape", .right), ("dtype", .left), ("size", .right),
    ])
    for weight in weights {
      table.append([
        weight.name, Format.shape(weight.shape), weight.dtype.rawValue,
        Format.bytes(weight.byteCount),
      ])
    }
    return table.text + """

      quantizes    \(weights.count) of \(run.checkpoint.tensors.count) tensors to INT8, \
      \(scales(run.options.groupSize))
      \(groupNote(run.options.groupSize))\
      size         \(Format.bytes(inputBytes)) now, \(Format.bytes(run.outputBytes)) then
      output       \(run.output.path.printable)
      Nothing has been written.

      """
  }

  /// The same as an object.
  var json: JSON {
    [
      "schema": 1, "type": "int8", "groupSize": run.options.groupSize.map(JSON.integer) ?? .null,
      "dryRun": true, "output": .string(run.output.path), "outputBytes": .integer(run.outputBytes),
      "layers": .array(
        weights.map {
          [
            "name": .string($0.name), "shape": .array($0.shape.map(JSON.integer)),
            "bytes": .integer($0.byteCount),
          ]
        }),
    ]
  }
}

private func scales(_ groupSize: Int?) -> String {
  groupSize.map { "a scale for every \($0) columns of a row" } ?? "a scale for each output channel"
}

/// Who takes scales for groups and who does not.
private func groupNote(_ groupSize: Int?) -> String {
  groupSize == nil
    ? ""
    : "note         transformers loads scales for groups of columns, vLLM's W8A8 does not take them\n"
}
