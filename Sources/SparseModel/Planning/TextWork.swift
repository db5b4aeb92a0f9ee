internal import SparseCore

/// How many sequences of calibration text are written together, and whether weights are let go after every use.
struct TextMemory: Sendable, Equatable {
  var cacheBytes = 2 << 30
  var releasesWeights = false
}

/// What it takes of memory that a model writes text.
struct TextWork: Sendable {
  private let samples: Int
  private let baseBytes: Int
  /// What a sequence takes in all, and of that the keys and values.
  private let sequenceBytes: (all: Int, cache: Int)
  /// The bytes of all weights, and of those that are mapped together at least.
  private let modelBytes: (all: Int, largest: Int)

  /// For so many sequences of `length` tokens.
  init(_ model: LanguageModel, samples: Int, length: Int, threads: Int) {
    self.samples = samples
    let configuration = model.configuration
    let layers = model.blocks.map { block in
      type(of: block).stages.flatMap(\.linears).map { block.linear($0).stored }
    }
    let (vocabulary, width) = (configuration.vocabulary, configuration.width)
    let widest = layers.joined().map(\.columns).max() ?? width
    baseBytes =
      MemoryWork.programBytes(threads: threads) + 16 * samples * length
      + threads * 8 * RowSource.panelRows * widest
    let cache = KeyValueCache.bytesPerSequence(configuration, capacity: length)
    let values = 8 * width + 4 * configuration.mlpWidth + 2 * vocabulary + 2 * length
    sequenceBytes = (all: cache + 4 * values, cache: cache)
    let block = layers.map { $0.reduce(0) { $0 + $1.wholeByteCount } }.max() ?? 0
    let table = max(model.embedding.bytes.count, model.outputProjection.bytes.count)
    modelBytes = (all: model.checkpoint.byteCount, largest: max(block, table) + table)
  }

  /// How many sequences are written together.
  func together(_ memory: TextMemory) -> Int {
    max(1, min(samples, memory.cacheBytes / max(1, sequenceBytes.cache)))
  }

  /// The most that is resident.
  func bytes(_ memory: TextMemory) -> Int {
    baseBytes + together(memory) * sequenceBytes.all
      + (memory.releasesWeights ? modelBytes.largest : modelBytes.all)
  }

  /// As many sequences together as fit, with all weights mapped where that leaves room.
  func memory(within budget: Int) -> TextMemory {
    var memory = TextMemory()
    if bytes(memory) <= budget { return memory }
    memory.releasesWeights = modelBytes.all > modelBytes.largest
    let fixed =
      bytes(TextMemory(cacheBytes: 0, releasesWeights: memory.releasesWeights))
      - sequenceBytes.all
    let together = max(1, (budget - fixed) / max(1, sequenceBytes.all))
    memory.cacheBytes = min(memory.cacheBytes, together * sequenceBytes.cache)
    return memory
  }
}
