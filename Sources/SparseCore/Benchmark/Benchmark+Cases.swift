extension Benchmark {
  /// All cases, those that set the limits first.
  static let cases: [Case] =
    [peak, read, copy]
    + [(2048, 2048, 2048), (2016, 576, 576), (2016, 576, 1536), (2016, 1536, 576)].map(gemm)
    + [(2048, 2048, 2048), (2016, 576, 1536)].map(int8Gemm)
    + [pack, rankUpdate(2048, 576), rankUpdate(2048, 1536), cholesky, solve, sparseGPT]
    + [weightGradient(2048, 576, 1536), weightGradient(384, 49152, 576)]
    + [attention(512), attention(2048), attentionGradient(512)] + singles + linears

  private static let singles = [
    decodeAttention, linearRow, norms, magnitude, selectByNorms, check, widen, narrow, fingerprint,
    silu, assignment, permutation,
  ]

  /// The loop that a limit is measured with.
  static func limitCase(_ limit: Limit) -> Case {
    switch limit {
    case .peak: peak
    case .read: read
    case .copy: copy
    case .product: gemm(2048, 2048, 2048)
    }
  }
}

/// Floats of no meaning, between −1 and 1.
private func someFloats(_ count: Int) -> AlignedFloats {
  let floats = AlignedFloats(count: count)
  for index in 0..<count {
    floats.pointer[index] = Float(index &* 7919 & 1023) * (1 / 512) - 1
  }
  return floats
}

func someMatrix(_ rows: Int, _ columns: Int) -> Matrix {
  let floats = someFloats(rows * columns)
  return Matrix(rows: rows, columns: columns) {
    $0.start.update(from: floats.pointer, count: $0.count)
  }
}

/// 32 million bfloat16 weights, 64 MB: more than most caches hold.
private let weights = 32 << 20

private func bfloats(_ compute: Compute) -> AlignedFloats {
  let stored = AlignedFloats(count: weights / 2)
  let wide = someFloats(weights)
  compute.kernels.convert(weights, wide.pointer, to: stored.pointer, .bfloat16)
  return stored
}

/// Values per piece of the memory cases.
private let piece = 1 << 20

// MARK: - What the machine can do

extension Benchmark {
  private static let peak = Case(name: "fma-peak", shape: "registers", limit: .peak) { compute in
    let steps = 200_000
    let flops = compute.kernels.runPeak(steps: steps) * Double(compute.threads)
    return Work(flops: flops) {
      Parallel.forEach(compute.threads, threads: compute.threads) { _ in
        _ = compute.kernels.runPeak(steps: steps)
      }
    }
  }

  private static let read = Case(name: "read", shape: "128 MB", limit: .read) { compute in
    let memory = someFloats(weights)
    return Work(bytes: Double(4 * weights)) {
      Parallel.forEachRange(of: weights, size: piece, threads: compute.threads) {
        _ = compute.kernels.readAll(4 * $0.count, memory.pointer + $0.lowerBound)
      }
    }
  }

  private static let copy = Case(name: "memcpy", shape: "64 MB", limit: .copy) { compute in
    let (from, to) = (bfloats(compute), bfloats(compute))
    return Work(bytes: Double(4 * weights)) {
      Parallel.forEachRange(of: weights / 2, size: piece, threads: compute.threads) {
        UnsafeMutableRawPointer(to.pointer + $0.lowerBound)
          .copyMemory(from: from.pointer + $0.lowerBound, byteCount: 4 * $0.count)
      }
    }
  }
}

// MARK: - Products

extension Benchmark {
  private static func gemm(_ tokens: Int, _ inputs: Int, _ outputs: Int) -> Case {
    Case(
      name: "gemm", shape: "\(tokens) tokens, \(inputs) -> \(outputs)", limit: .peak
    ) { compute in
      let x = someMatrix(tokens, inputs)
      let weight = PackedWeight(someMatrix(outputs, inputs), on: compute)
      var y = Matrix(rows: tokens, columns: outputs)
      return Work(flops: 2 * Double(tokens * inputs * outputs)) {
        addLinear(x, weight, to: &y, on: compute)
      }
    }
  }

  /// The rounding of the activations included; the operations are those of integers.
  private static func int8Gemm(_ tokens: Int, _ inputs: Int, _ outputs: Int) -> Case {
    Case(
      name: "int8-gemm", shape: "\(tokens) tokens, \(inputs) -> \(outputs)", limit: .peak
    ) { compute in
      let x = someMatrix(tokens, inputs)
      let weight = someMatrix(outputs, inputs)
      let grid = Int8Grid(
        rows: outputs, columns: inputs, scales: [Float](repeating: 1.0 / 127, count: outputs))
      let packed = PackedInt8Weight(
        StoredMatrix(quantizing: weight, on: grid, on: compute), on: compute)
      return Work(flops: 2 * Double(tokens * inputs * outputs)) {
        _ = linear(x, packed, on: compute)
      }
    }
  }

  private static let pack = Case(name: "pack", shape: "4096 × 4096 bf16", limit: .copy) { compute in
    let stored = StoredMatrix(
      rows: 4096, columns: 4096, type: .bfloat16,
      bytes: ByteView(copying: someMatrix(4096, 4096).storedBytes(as: .bfloat16, on: compute)))
    return Work(bytes: 6 * 4096 * 4096) { _ = PackedWeight(stored, on: compute) }
  }

  /// Counts only the half that must be computed.
  private static func rankUpdate(_ tokens: Int, _ inputs: Int) -> Case {
    Case(name: "rank-k", shape: "\(tokens) tokens, \(inputs)²", limit: .peak) { compute in
      let x = someMatrix(tokens, inputs)
      var gram = Gram(inputs: inputs)
      return Work(flops: Double(tokens * inputs * (inputs + 1))) { gram.add(x, on: compute) }
    }
  }

  /// A gram of 4096 inputs that can be factored: the diagonal outweighs the rest.
  private static func someGram() -> Matrix {
    var matrix = someMatrix(4096, 4096)
    for index in 0..<4096 { matrix[index, index] = 4096 }
    return matrix
  }

  /// Counts n³ / 3 and, besides, reads the matrix.
  private static let cholesky = Case(
    name: "cholesky", shape: "4096²", limit: .peak
  ) { compute in
    let matrix = someGram()
    return Work(flops: 4096 * 4096 * 4096 / 3) { _ = try? Cholesky(matrix, on: compute) }
  }

  /// Both triangles.
  private static let solve = Case(
    name: "solve", shape: "4096², 1024 right-hand sides", limit: .peak
  ) { compute in
    let factor = try? Cholesky(someGram(), on: compute)
    let sides = someMatrix(1024, 4096)
    return Work(flops: 2 * 1024 * 4096 * 4096) { _ = factor?.solve(sides, on: compute) }
  }

  /// A layer with a gram of its own: the factor, n³ / 3, and the sweep, rows · n².
  private static let sparseGPT = Case(
    name: "sparsegpt", shape: "4096 × 4096", limit: .peak
  ) { compute in
    let gram = Gram(someGram(), tokens: 1)
    let weight = someMatrix(4096, 4096)
    return Work(flops: 4096 * 4096 * 4096 * 4 / 3) {
      _ = try? SparseGPT().prune(weight, inputs: .gram(gram), on: compute)
    }
  }

  /// One product of a single row with a weight as stored: one step of one sequence's generation.
  private static let linearRow = Case(
    name: "linear-row", shape: "1 token, 4096 -> 8192 bf16", limit: .read
  ) { compute in
    let stored = bfloats(compute)
    let bytes = ByteView(
      UnsafeRawBufferPointer(start: stored.pointer, count: 2 * weights), owner: stored)
    let weight = StoredMatrix(rows: weights / 4096, columns: 4096, type: .bfloat16, bytes: bytes)
    let x = someMatrix(1, 4096)
    return Work(flops: 2 * Double(weights), bytes: 2 * Double(weights)) {
      _ = linear(x, weight, on: compute)
    }
  }
}

// MARK: - Decoder

extension Benchmark {
  /// Counts the multiply-adds on and below the diagonal, not the exponentials.
  private static func attention(_ length: Int) -> Case {
    Case(
      name: "attention", shape: "2048 tokens in sequences of \(length), 9/3 heads of 64",
      limit: .peak
    ) { compute in
      let (q, k, v) = (someMatrix(2048, 576), someMatrix(2048, 192), someMatrix(2048, 192))
      return Work(flops: 2 * 2 * Double(2048 * (length + 1) / 2 * 576)) {
        _ = causalAttention(
          queries: q, keys: k, values: v, sequenceLength: length, heads: 9, keyValueHeads: 3,
          headWidth: 64, on: compute)
      }
    }
  }

  private static let decodeAttention = Case(
    name: "decode-attention", shape: "64 sequences of 1024, 9/3 heads of 64", limit: .read
  ) { compute in
    let rows = 64 * 1024
    let (keys, values) = (someFloats(rows * 192), someFloats(rows * 192))
    let queries = someMatrix(64, 576)
    let caches = (0..<64).map {
      CachedRows(
        keys: keys.pointer + $0 * 1024 * 192, values: values.pointer + $0 * 1024 * 192, count: 1024)
    }
    return Work(bytes: Double(2 * 4 * rows * 192)) {
      withExtendedLifetime((keys, values)) {
        _ = SparseCore.decodeAttention(
          queries: queries, caches: caches, stride: 192, heads: 9, keyValueHeads: 3, headWidth: 64,
          on: compute)
      }
    }
  }

  private static let silu = Case(
    name: "silu", shape: "2048 × 1536 f32", limit: .copy
  ) { compute in
    let count = 2048 * 1536
    let (gate, up, out) = (someFloats(count), someFloats(count), someFloats(count))
    return Work(bytes: Double(12 * count)) {
      Parallel.forEachRange(of: count, size: piece / 32, threads: compute.threads) {
        let start = $0.lowerBound
        compute.kernels.siluMultiply(
          $0.count, gate: gate.pointer + start, up: up.pointer + start, into: out.pointer + start)
      }
    }
  }
}

// MARK: - Memory

extension Benchmark {
  private static let norms = Case(name: "norms", shape: "4096 × 1536 f32", limit: .read) {
    compute in
    let x = someMatrix(4096, 1536)
    var norms = InputNorms(inputs: 1536)
    return Work(bytes: 4 * 4096 * 1536) { norms.add(x, on: compute) }
  }

  private static let magnitude = Case(
    name: "magnitude", shape: "64 MB bf16", limit: .copy
  ) { compute in
    let (from, to) = (bfloats(compute), bfloats(compute))
    return Work(bytes: Double(4 * weights)) {
      Parallel.forEachRange(of: weights, size: 2 * piece, threads: compute.threads) {
        let start = $0.lowerBound / 2
        compute.kernels.magnitude24(
          $0.count, .bfloat16, from.pointer + start, into: to.pointer + start, mask: nil)
      }
    }
  }

  private static let selectByNorms = Case(
    name: "select", shape: "64 MB bf16 by norms", limit: .read
  ) { compute in
    let stored = bfloats(compute)
    let norms = someFloats(4096)
    let masks = AlignedFloats(count: weights / 32)
    return Work(bytes: Double(2 * weights)) {
      let mask = UnsafeMutableRawPointer(masks.pointer).assumingMemoryBound(to: UInt8.self)
      nonisolated(unsafe) let bits = mask
      Parallel.forEachRange(of: weights / 4096, size: 64, threads: compute.threads) {
        for row in $0 {
          compute.kernels.select24(
            4096, .bfloat16, stored.pointer + row * 2048, norms: norms.pointer,
            mask: bits + row * 512)
        }
      }
    }
  }

  private static let check = Case(name: "check", shape: "64 MB bf16", limit: .read) { compute in
    let stored = bfloats(compute)
    return Work(bytes: Double(2 * weights)) {
      Parallel.forEachRange(of: weights, size: 2 * piece, threads: compute.threads) {
        _ = compute.kernels.check24($0.count, .bfloat16, stored.pointer + $0.lowerBound / 2)
      }
    }
  }

  private static let widen = Case(name: "convert", shape: "bf16 to f32", limit: .copy) { compute in
    let (from, to) = (bfloats(compute), someFloats(weights))
    return Work(bytes: Double(6 * weights)) {
      Parallel.forEachRange(of: weights, size: piece, threads: compute.threads) {
        compute.kernels.convert(
          $0.count, .bfloat16, from.pointer + $0.lowerBound / 2, to: to.pointer + $0.lowerBound)
      }
    }
  }

  private static let narrow = Case(name: "convert", shape: "f32 to bf16", limit: .copy) { compute in
    let (from, to) = (someFloats(weights), bfloats(compute))
    return Work(bytes: Double(6 * weights)) {
      Parallel.forEachRange(of: weights, size: piece, threads: compute.threads) {
        compute.kernels.convert(
          $0.count, from.pointer + $0.lowerBound, to: to.pointer + $0.lowerBound / 2, .bfloat16)
      }
    }
  }

  /// One thread, whatever is asked for: the fingerprint is one chain.
  private static let fingerprint = Case(
    name: "fingerprint", shape: "64 MB, one thread", limit: .read
  ) { compute in
    let stored = bfloats(compute)
    return Work(bytes: Double(2 * weights)) {
      _ = fingerprint64(UnsafeRawBufferPointer(start: stored.pointer, count: 2 * weights))
    }
  }
}

// MARK: - Permutation

extension Benchmark {
  /// Products of sizes, where paths are about as long as they get.
  ///
  /// Counts the subtractions and additions of n² / 2 passes over a row.
  ///
  /// One thread, whatever is asked for.
  private static let assignment = Case(
    name: "assignment", shape: "1536², one thread", limit: .peak
  ) { compute in
    let sizes = someFloats(2 * 1536)
    let costs = Matrix(
      rows: 1536, columns: 1536,
      (0..<1536 * 1536).map { sizes.pointer[$0 / 1536] * sizes.pointer[1536 + $0 % 1536] })
    return Work(flops: 1536 * 1536 * 1536) { _ = LinearAssignment(minimizing: costs, on: compute) }
  }

  /// The whole search for an order; counts the maxima and additions that score 8 exchanges.
  private static let permutation = Case(
    name: "permutation", shape: "576 × 1536", limit: .peak
  ) { compute in
    var random = SplitMix64(seed: 1)
    let norms = (0..<1536).map { _ in Float(Math.exponential(3 * random.uniform())) }
    let weight = Matrix(
      rows: 576, columns: 1536,
      (0..<576 * 1536).map { _ in
        Float(random.uniform() + random.uniform() + random.uniform() - 1.5)
      })
    let domain = ChannelDomain(channels: 1536, columns: [0], row: 0)
    return Work(flops: 8 * 2 * 384 * 384 * 576) {
      _ = ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: [domain], on: compute)
    }
  }
}
