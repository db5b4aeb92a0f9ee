internal import SparseCore

/// The tensors of a file with statistics.
///
/// For each stage `blocks.B.STAGE`: `.maxima`, the largest magnitude of each input; and of the sums of
/// squares of each input, `.squares`, or of the products of each two inputs, `.gram`: the triangle on and
/// left of the diagonal, row after row. Of the whole calibration these are numbers, float64 squares and
/// float32 products; of a part they are ``ExactSums``, `.coarse` and `.fine`. Besides there is one fingerprint for each
/// sequence, `sequences`.
extension StatisticsManifest {
  /// The name of the sequences' fingerprints.
  static let sequences = "sequences"

  /// All tensors.
  var tensors: [TensorSpec] {
    let sequences = TensorSpec(name: Self.sequences, dtype: .i64, shape: [samples.count])
    return [sequences] + stages.flatMap(tensors)
  }

  private func tensors(_ stage: StageKey) -> [TensorSpec] {
    let count = sumCount(stage)
    let maxima = TensorSpec(name: stage.maxima, dtype: .f32, shape: [stage.inputs])
    let sums = sumsName(stage)
    guard !hasAllSamples else {
      return [maxima, TensorSpec(name: sums, dtype: kind == .gram ? .f32 : .f64, shape: [count])]
    }
    return [
      maxima, TensorSpec(name: sums + Self.coarse, dtype: .i64, shape: [count]),
      TensorSpec(name: sums + Self.fine, dtype: .i64, shape: [count]),
    ]
  }

  static let coarse = ".coarse"
  static let fine = ".fine"

  /// The name of a stage's sums.
  func sumsName(_ stage: StageKey) -> String {
    stage.name + (kind == .gram ? ".gram" : ".squares")
  }

  /// The number of a stage's sums.
  func sumCount(_ stage: StageKey) -> Int {
    kind == .gram ? Gram.triangleCount(inputs: stage.inputs) : stage.inputs
  }
}

extension StatisticsManifest.StageKey {
  /// The name of the tensor with the inputs' largest magnitudes.
  var maxima: String { name + ".maxima" }
}

extension Fingerprint {
  /// The fingerprint of each of some windows.
  static func sequences(_ windows: TokenWindows) -> [Int] {
    (0..<windows.count).map { window in
      windows[window].map(\.littleEndian).withUnsafeBytes {
        Int(truncatingIfNeeded: fingerprint64($0))
      }
    }
  }

  /// The fingerprint of a whole calibration from those of its sequences.
  static func text(ofSequences sequences: [Int]) -> String {
    sequences.map { Int64($0).littleEndian }.withUnsafeBytes { text(of: $0) }
  }
}

extension ByteView {
  /// A view of numbers as they lie in memory, which is little endian on every machine that this runs on.
  init<Value: BitwiseCopyable>(valuesOf values: [Value]) {
    self.init(count: values.count * MemoryLayout<Value>.stride) { bytes in
      values.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }
}
