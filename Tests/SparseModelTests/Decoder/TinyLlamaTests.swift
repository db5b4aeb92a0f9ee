import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// The trained model of the repository against what PyTorch computes from it.
@Suite struct TinyLlamaTests {
  /// Float32 sums of at most 352 terms err by about √352 · 2⁻²⁴ of their size, and 25 of them come one
  /// after the other: in shares of the largest logit.
  static let tolerance = 25 * 19 * 0x1p-24
  let model: LanguageModel
  let golden: JSON

  init() throws {
    model = try ModelFixture.tiny.decoder()
    golden = try ModelFixture.tiny.golden()
  }

  @Test(arguments: KernelSet.available)
  func logitsEqualTheReference(kernels: KernelSet) throws {
    let ids = golden["logits"]?["ids"]?.ids ?? []
    let logits = try model.logits(of: ids, on: Compute(kernels: kernels, threads: 2))
    let rows = (0..<ids.count).map { Array(logits.values[$0 * 512..<($0 + 1) * 512]) }
    let best = rows.map { row in row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 } }
    #expect(best == golden["logits"]?["argmax"]?.ids.map { Int($0) })
    let maxima = golden["logits"]?["max"]?.doubles ?? []
    let last = golden["logits"]?["last"]?.doubles ?? []
    #expect(maxima.count == ids.count && last.count == 512 && ids.count == 16)
    for (row, expected) in zip(rows, maxima) {
      #expect(abs(Double(row.max() ?? 0) - expected) <= Self.tolerance * logits.largest)
    }
    for (value, expected) in zip(rows[15], last) {
      #expect(abs(Double(value) - expected) <= Self.tolerance * logits.largest)
    }
  }

  @Test(arguments: KernelSet.available)
  func greedyContinuationEqualsTheReference(kernels: KernelSet) throws {
    let prompt = golden["greedy"]?["promptIds"]?.ids ?? []
    var heard: [Int32] = []
    let ids = try model.generate(
      after: prompt, count: 32, sampling: Sampling(temperature: 0),
      on: Compute(kernels: kernels, threads: 2), onToken: { heard.append($0) })
    #expect(ids == golden["greedy"]?["ids"]?.ids)
    #expect(heard == ids)
    let tokenizer = try Tokenizer(for: model.checkpoint)
    #expect(
      String(decoding: tokenizer.decode(ids), as: UTF8.self) == golden["greedy"]?["text"]?.string)
  }

  /// The first windows of the held-out text: PyTorch's numbers, from log-softmax in float64.
  @Test(arguments: KernelSet.available)
  func perplexityOfTheFirstWindowsEqualsTheReference(kernels: KernelSet) throws {
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 128, count: 4)
    let result = try model.perplexity(of: windows, on: Compute(kernels: kernels, threads: 2))
    #expect(abs(result.meanNegativeLogLikelihood - 0.322974875) < 1e-5)
    #expect(abs(result.perplexity - 1.38123065) < 2e-5)
    #expect((result.windows, result.tokens, result.length) == (4, 512, 128))
  }

  @Test(.enabled(if: isOptimized)) func perplexityOfTheWholeTextEqualsTheReference() throws {
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 128)
    let result = try model.perplexity(of: windows)
    let expected = golden["perplexity"]
    #expect(result.windows == expected?["windows"]?.int)
    #expect(result.tokens - result.windows == expected?["tokens"]?.int)
    #expect(abs(result.meanNegativeLogLikelihood - (expected?["nll"]?.double ?? 0)) < 1e-5)
    #expect(abs(result.perplexity - (expected?["perplexity"]?.double ?? 0)) < 2e-5)
  }

  @Test(arguments: [1, 3, 7])
  func threadsChangeNoBit(threads: Int) throws {
    let (one, many) = (Compute(threads: 1), Compute(threads: threads == 1 ? 2 : threads))
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 32, count: 5)
    let ids = Array(windows[0])
    #expect(try model.logits(of: ids, on: one) == model.logits(of: ids, on: many))
    #expect(try model.perplexity(of: windows, on: one) == model.perplexity(of: windows, on: many))
    let sampling = Sampling(temperature: 0.8, seed: 3)
    #expect(
      try model.generate(after: ids, count: 12, sampling: sampling, on: one)
        == model.generate(after: ids, count: 12, sampling: sampling, on: many))
  }

  /// Chunks of one window, of two, and of all; groups of the residual stream likewise.
  @Test(arguments: [(1, 1), (40, 1), (1, 40 * 512), (70, 70 * 512), (1000, 1)])
  func thePerplexityDoesNotDependOnHowTheTokensAreSplit(chunk: Int, hiddenBytes: Int) throws {
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 32, count: 5)
    let whole = try model.perplexity(of: windows)
    let split = try model.perplexity(
      of: windows, batch: BatchSize(chunkTokens: chunk, hiddenBytes: hiddenBytes), on: .automatic,
      progress: { _ in })
    #expect(split == whole)
  }

  /// By hand, in float64, from the logits of each window.
  @Test func thePerplexityIsThatOfTheLogits() throws {
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 24, count: 3)
    var total = 0.0
    for window in 0..<windows.count {
      let ids = Array(windows[window])
      let logits = try model.logits(of: ids)
      for position in 0..<ids.count - 1 {
        let row = logits.values[position * 512..<(position + 1) * 512].map(Double.init)
        let sum = row.reduce(0) { $0 + Math.exponential($1 - row[0]) }
        total += row[0] + Math.logarithm(sum) - row[Int(ids[position + 1])]
      }
    }
    let result = try model.perplexity(of: windows)
    #expect(abs(result.meanNegativeLogLikelihood - total / (3 * 23)) < 1e-5)
  }

  @Test func progressOfAnEvaluationOnlyGrowsAndReachesTheEnd() throws {
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 16, count: 3)
    var seen: [RunProgress] = []
    _ = try model.perplexity(
      of: windows, batch: BatchSize(chunkTokens: 16, hiddenBytes: 1), on: .automatic
    ) { seen.append($0) }
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.done <= $1.done && $0.total == $1.total })
    #expect(seen.last.map { $0.done == $0.total } == true)
    #expect(throws: CancellationError.self) {
      try model.perplexity(of: windows) { _ in throw CancellationError() }
    }
  }
}
