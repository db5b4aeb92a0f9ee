public import SparseCore

/// How much of a plan's times of linears was measured, and what the roofline model had to give.
public struct PlanMeasurement: Sendable, Equatable {
  /// Linears of one shape with forms that were not measured.
  public struct Gap: Sendable, Equatable {
    /// The last parts of their names, each once.
    public let names: [String]
    /// How many they are.
    public let count: Int
    /// Their outputs.
    public let outputs: Int
    /// Their inputs.
    public let inputs: Int
    /// The forms whose times are the model's.
    public let forms: [LinearForm]
  }

  /// The name of the GPU that was measured.
  public let gpu: String
  /// The file of the measurement; nil where there is none.
  public let path: String?
  /// The fewest and the most rows that were measured.
  public let rows: ClosedRange<Int>
  /// The form asked for.
  public let form: LinearForm
  /// The model's linears.
  public let all: Int
  /// The linears whose times are measured in dense float16 and in the form asked for.
  public let linears: Int
  /// The linears whose times are measured, for each form.
  public let linearsOfForm: [LinearForm: Int]
  /// What was not measured, in the checkpoint's order.
  public let gaps: [Gap]

  /// The linears that were measured in some of the forms and not in all.
  public var partlyMeasured: Int {
    gaps.reduce(0) { $0 + ($1.forms.count < LinearForm.allCases.count ? $1.count : 0) }
  }
}

extension PlanMeasurement {
  /// What of `layers`, each linear at one and the same number of rows, `roofline` knows from measurements; nil where it
  /// has none.
  init?(_ layers: [ModelPlan.Layer], _ roofline: Roofline, form: LinearForm) {
    guard let measured = roofline.measured else { return nil }
    var linearsOfForm: [LinearForm: Int] = [:]
    var gaps: [Gap] = []
    for group in PlanGroup.groups(layers) {
      let layer = group.layer
      let missing = LinearForm.allCases.filter {
        !roofline.time($0, rows: layer.rows, outputs: layer.outputs, inputs: layer.inputs)
          .isMeasured
      }
      for form in LinearForm.allCases where !missing.contains(form) {
        linearsOfForm[form, default: 0] += group.count
      }
      if !missing.isEmpty {
        gaps.append(
          Gap(
            names: group.names, count: group.count, outputs: layer.outputs, inputs: layer.inputs,
            forms: missing))
      }
    }
    gpu = measured.gpu
    path = measured.path
    rows = measured.rows
    self.form = form
    all = layers.count
    linears = layers.count(where: \.isMeasured)
    self.linearsOfForm = linearsOfForm
    self.gaps = gaps
  }
}

/// What text and page share.
extension PlanMeasurement {
  /// What was measured and where, without a full stop.
  package var summary: String {
    "\(linears) of \(all.counting("linear")) in dense fp16 and \(form.rawValue), on \(gpu.printable)"
      + (path.map { " (\($0.printable))" } ?? "")
  }

  /// What was not, a line for each shape, without full stops.
  package var gapLines: [String] {
    gaps.map { gap in
      let forms =
        gap.forms.count == LinearForm.allCases.count
        ? "all forms" : gap.forms.map(\.rawValue).joined(separator: ", ")
      return
        "\(gap.count) × \(gap.names.joined(separator: ", ")) of \(Format.shape([gap.outputs, gap.inputs])): \(forms)"
    }
  }

  /// How times come about between the measured numbers of rows and beyond them, without a full stop.
  package var rule: String {
    "at \(rows.lowerBound) to \(rows.upperBound.counting("row")): between those measured times are interpolated, below they stay, above they grow with the rows"
  }
}

extension ModelPlan.Layer {
  /// Which of the two times were measured, in a word or two.
  package func measuredText(_ form: LinearForm) -> String {
    switch (dense.isMeasured, sparse.isMeasured) {
    case (true, true): "yes"
    case (true, false): "\(LinearForm.denseHalf.rawValue) only"
    case (false, true): "\(form.rawValue) only"
    case (false, false): "no"
    }
  }
}
