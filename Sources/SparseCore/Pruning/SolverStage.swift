/// The rows of all layers that are solved together, in pieces for the threads.
struct SolverStage: Sendable {
  /// All pieces, layer after layer.
  let pieces: [SolverRows]
  private let originals: [Matrix]
  private let deadInputs: [Int]
  private let compute: Compute

  /// The rows as they are: no errors yet, and nothing masked.
  ///
  /// - Parameter deadInputs: columns of weights without influence; they become 0.
  init(_ weights: [Matrix], inputs: Int, deadInputs: [Int], on compute: Compute) {
    self.compute = compute
    self.deadInputs = deadInputs
    originals = weights
    pieces = weights.enumerated().flatMap { layer, weight in
      TilePanels.pieces(of: KernelSet.panels(for: weight.rows), threads: compute.threads).map {
        SolverRows(
          layer: layer, range: $0, rows: weight.rows, columns: inputs, kernels: compute.kernels)
      }
    }
    let stage = self
    forEachPiece { piece in
      stage.readOriginal(of: piece, into: piece.weights)
      piece.errors.clear()
    }
  }

  /// The weights of a piece as they were, without those of dead inputs.
  func readOriginal(of piece: SolverRows, into panels: RowPanels) {
    originals[piece.layer].values.withUnsafeBufferPointer { panels.read($0.start) }
    for input in deadInputs { panels.clear(column: input) }
  }

  /// Gives a piece other weights than its own, those of a matrix of its layer's shape.
  func replaceWeights(of piece: SolverRows, by weights: Matrix) {
    weights.values.withUnsafeBufferPointer { piece.weights.read($0.start) }
  }

  /// Sets the errors of a piece to what its weights are now.
  func updateErrors(of piece: SolverRows) {
    readOriginal(of: piece, into: piece.errors)
    piece.errors.subtract(piece.weights)
  }

  /// Calls `body` with every piece, on all threads.
  func forEachPiece(_ body: @Sendable (SolverRows) -> Void) {
    Parallel.forEach(pieces.count, threads: compute.threads) { body(pieces[$0]) }
  }

  /// The layers' weights as they are now.
  var weights: [Matrix] {
    originals.indices.map { layer in
      Matrix(rows: originals[layer].rows, columns: originals[layer].columns) { out in
        nonisolated(unsafe) let to = out.start
        let own = pieces.filter { $0.layer == layer }
        Parallel.forEach(own.count, threads: compute.threads) { own[$0].weights.write(to) }
      }
    }
  }

  /// The layers' masks.
  var masks: [Mask24] {
    originals.indices.map { layer in
      let (rows, columns) = (originals[layer].rows, originals[layer].columns)
      var bytes = [UInt8](repeating: 0, count: rows * Mask24.rowBytes(columns: columns))
      bytes.withUnsafeMutableBufferPointer { bytes in
        for piece in pieces where piece.layer == layer { piece.writeMask(bytes.start) }
      }
      return Mask24(rows: rows, columns: columns, bytes: bytes)
    }
  }
}
