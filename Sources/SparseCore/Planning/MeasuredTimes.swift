/// What products with a linear layer's weight were measured to take on a GPU.
///
/// ```swift
/// let measured = try MeasuredTimes(contentsOf: "h100.json")
/// // Between the times at 16 and at 32 rows, if those were measured; nil where no 4096 × 4096 was.
/// measured.seconds(.sparseInt8, rows: 24, outputs: 4096, inputs: 4096)
/// ```
///
/// It is read from the table that `sparsify bench --device cuda --json` prints.
public struct MeasuredTimes: Sendable, Equatable {
  /// One product: `rows × inputs` times (`outputs × inputs`)ᵀ.
  public struct Entry: Sendable, Equatable {
    /// How the weight is kept.
    public let form: LinearForm
    /// The rows that are multiplied at once: tokens.
    public let rows: Int
    /// The weight's outputs.
    public let outputs: Int
    /// The weight's inputs.
    public let inputs: Int
    /// The median of its runs.
    public let seconds: Double
    /// The fastest of its runs; nil where that is not known.
    public let bestSeconds: Double?
    /// The share that it reaches of what the card was measured to reach at most; nil where that is not known.
    public let share: Double?

    /// A measured product; ``MeasuredTimes/init(gpu:entries:path:)`` checks its numbers.
    public init(
      form: LinearForm, rows: Int, outputs: Int, inputs: Int, seconds: Double,
      bestSeconds: Double? = nil, share: Double? = nil
    ) {
      self.form = form
      self.rows = rows
      self.outputs = outputs
      self.inputs = inputs
      self.seconds = seconds
      self.bestSeconds = bestSeconds
      self.share = share
    }
  }

  /// A weight in a form.
  private struct Weight: Hashable {
    let form: LinearForm
    let outputs: Int
    let inputs: Int
  }

  /// The name of the GPU, as its driver gives it.
  public let gpu: String
  /// The file that it was read from; nil where there is none.
  public let path: String?
  /// The products in the order given.
  public let entries: [Entry]
  /// The fewest and the most rows of any product.
  public let rows: ClosedRange<Int>
  /// The products with each weight, rows ascending, at least one.
  private let curves: [Weight: [Entry]]

  /// What was measured on a GPU.
  ///
  /// - Throws: ``MeasuredTimesError/empty``, ``MeasuredTimesError/outOfRange(field:entry:found:expected:)`` and
  ///   ``MeasuredTimesError/repeated(_:_:entries:)``.
  public init(
    gpu: String, entries: [Entry], path: String? = nil
  ) throws(MeasuredTimesError) {
    let rows = entries.map(\.rows).sorted()
    guard let fewest = rows.first, let most = rows.last else { throw .empty }
    var places: [Weight: [Int: Int]] = [:]
    for (index, entry) in entries.enumerated() {
      try entry.check(at: index)
      let weight = Weight(form: entry.form, outputs: entry.outputs, inputs: entry.inputs)
      if let first = places[weight, default: [:]].updateValue(index, forKey: entry.rows) {
        throw .repeated(entries[first], entry, entries: [first, index])
      }
    }
    self.gpu = gpu
    self.path = path
    self.entries = entries
    self.rows = fewest...most
    curves = places.mapValues { places in
      places.sorted { $0.key < $1.key }.map { entries[$0.value] }
    }
  }

  /// The seconds of `rows × inputs` times (`outputs × inputs`)ᵀ, at least 1 row; nil where no product with such a
  /// weight was measured.
  ///
  /// Between measured rows the logarithm of the time is interpolated linearly in that of the rows. Below the fewest it
  /// is the time of those, since a launch gets no shorter; above the most it grows in proportion to the rows.
  public func seconds(_ form: LinearForm, rows: Int, outputs: Int, inputs: Int) -> Double? {
    precondition(rows > 0, "MeasuredTimes: \(rows) rows")
    guard let curve = curves[Weight(form: form, outputs: outputs, inputs: inputs)],
      let first = curve.first, let last = curve.last
    else { return nil }
    if rows <= first.rows { return first.seconds }
    guard let next = curve.firstIndex(where: { $0.rows >= rows }) else {
      return last.seconds * (Double(rows) / Double(last.rows))
    }
    let (low, high) = (curve[next - 1], curve[next])
    if rows == high.rows { return high.seconds }
    let share =
      Math.logarithm(Double(rows) / Double(low.rows))
      / Math.logarithm(Double(high.rows) / Double(low.rows))
    return low.seconds * Math.power(high.seconds / low.seconds, share)
  }
}

extension MeasuredTimes.Entry {
  /// What a product can take: less than a cycle of any clock or more than ten days is a mistake.
  private static let plausible = 1e-9...1e6

  fileprivate func check(at index: Int) throws(MeasuredTimesError) {
    for (field, value) in [("rows", rows), ("outputs", outputs), ("inputs", inputs)]
    where value < 1 {
      throw .outOfRange(field: field, entry: index, found: "\(value)", expected: "at least 1")
    }
    for (field, value) in [("seconds", seconds), ("bestSeconds", bestSeconds ?? seconds)]
    where !Self.plausible.contains(value) {
      throw .outOfRange(
        field: field, entry: index, found: "\(value)",
        expected: "from \(Self.plausible.lowerBound) to \(Self.plausible.upperBound)")
    }
    if let share, !(share.isFinite && share >= 0) {
      throw .outOfRange(field: "share", entry: index, found: "\(share)", expected: "at least 0")
    }
  }
}
