public import SparseCore

/// How fast this machine is, from a probe of about a second: good for an estimate and no more.
public struct MachineSpeed: Sendable, Equatable {
  /// Floating-point operations a second in matrix products.
  public let products: Double
  /// The same in factoring grams and solving with them.
  public let solving: Double
  /// Bytes a second from the checkpoint, which the system may have in memory.
  public let reading: Double
  /// Bytes a second to the disk of the output; as from the checkpoint where that disk cannot be written to.
  public let writing: Double

  /// A machine of these rates.
  init(products: Double, solving: Double, reading: Double, writing: Double) {
    self.products = products
    self.solving = solving
    self.reading = reading
    self.writing = writing
  }

  /// Measures.
  ///
  /// - Parameters:
  ///   - checkpoint: read a little of.
  ///   - path: of the output; a file without a name is written beside it.
  public init(
    reading checkpoint: Checkpoint, writingBeside path: String, on compute: Compute = .automatic
  ) {
    products = Self.productRate(on: compute)
    solving = Self.solvingRate(on: compute)
    reading = Self.readingRate(of: checkpoint, on: compute)
    writing = (try? Self.writingRate(beside: path)) ?? reading
  }

  private static func productRate(on compute: Compute) -> Double {
    let size = 768
    let x = noise(512, size)
    let weight = PackedWeight(noise(size, size), on: compute)
    let flops = 2 * Double(x.rows) * Double(size * size)
    _ = linear(x, weight, on: compute)  // threads and pages are there afterwards
    return flops / (0..<3).map { _ in seconds { _ = linear(x, weight, on: compute) } }.min(or: 1)
  }

  private static func solvingRate(on compute: Compute) -> Double {
    let (rows, inputs) = (480, 768)
    var gram = Gram(inputs: inputs)
    gram.add(noise(inputs + 64, inputs), on: compute)
    let weight = noise(rows, inputs)
    let flops = WorkEstimate.solving(
      rows: rows, inputs: inputs, search: SearchCost(iterations: 12, sweeps: 1), batches: 1)
    let time = seconds {
      _ = try? ADMM().prune(weight, inputs: .gram(gram), on: compute)
    }
    return flops / max(time, 1e-6)
  }

  private static func readingRate(of checkpoint: Checkpoint, on compute: Compute) -> Double {
    guard let tensor = checkpoint.tensors.max(by: { $0.byteCount < $1.byteCount }) else { return 1 }
    let pieces = (0..<min(64, TensorPiece.count(of: tensor))).map {
      checkpoint.piece($0, of: tensor)
    }
    let bytes = pieces.reduce(0) { $0 + $1.bytes.count }
    let time = seconds {
      Parallel.forEach(pieces.count, threads: compute.threads) {
        _ = fingerprint64(pieces[$0].bytes.bytes)
      }
    }
    checkpoint.release(tensor.name)
    return Double(max(1, bytes)) / max(time, 1e-6)
  }

  private static func writingRate(beside path: String) throws -> Double {
    let values = [Float](repeating: 1, count: 4 << 20)
    let file = try ScratchFile(beside: path, size: 4 * values.count)
    var failure: (any Error)?
    let time = seconds {
      do {
        try file.write(values, at: 0)
        try file.synchronize()
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return Double(4 * values.count) / max(time, 1e-6)
  }

  private static func noise(_ rows: Int, _ columns: Int) -> Matrix {
    var random = SplitMix64(seed: 1)
    return Matrix(
      rows: rows, columns: columns,
      (0..<rows * columns).map { _ in Float(random.uniform()) - 0.5 })
  }

  private static func seconds(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    body()
    return (clock.now - start).seconds
  }
}

extension [Double] {
  fileprivate func min(or other: Double) -> Double { Swift.max(self.min() ?? other, 1e-9) }
}
