/// What a method takes of memory for layers that share their inputs, beside the gram: upper bounds in bytes.
public struct SolverBytes: Sendable, Equatable {
  /// Whatever the number of rows: factors and the gram in other shapes.
  public var fixed = 0
  /// For each panel of 48 rows that are solved together.
  public var perPanel: Int
  /// For each thread.
  public var perThread: Int
  /// Whether every batch of rows costs as much as the first for what the inputs alone ask for.
  public var repeatsForBatches = false

  /// The bytes of a method that holds each weight several times as float32: as it was, as it becomes, as it is
  /// handed on, and what a search keeps besides.
  ///
  /// - Parameters:
  ///   - valuesPerWeight: how many float32 values the method holds for each weight.
  ///   - inputs: the width of the rows.
  ///   - isInt8: whether the weights are there three times more, on their INT8 grid and as codes.
  public init(valuesPerWeight: Int, inputs: Int, isInt8: Bool) {
    let width = KernelSet.panels(for: inputs) * KernelSet.panelWidth
    let values = valuesPerWeight + (isInt8 ? 3 : 0)
    perPanel = KernelSet.panelWidth * (4 * values * width + width)
    // Sums and changes of the rows of a piece, and what passes over rows work in.
    perThread = 4 * KernelSet.panelWidth * width * 10
  }

  /// The inverses of the tiles on the diagonal of a factor.
  static func inverses(panels: Int) -> Int { 2 * 4 * TilePanels.tileSize * panels }
}
