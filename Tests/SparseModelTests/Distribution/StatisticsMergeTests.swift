import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Statistics in parts are, added up, the bytes of one run.
@Suite struct StatisticsMergeTests {
  /// Parts as rectangles of blocks and samples that cover 4 blocks and 5 samples.
  private static let splits: [[(blocks: Range<Int>, samples: Range<Int>)]] = [
    [(0..<4, 0..<5)],
    [(0..<4, 0..<1), (0..<4, 1..<2), (0..<4, 2..<3), (0..<4, 3..<4), (0..<4, 4..<5)],
    [(0..<4, 0..<4), (0..<4, 4..<5)],
    [(0..<1, 0..<5), (1..<4, 0..<5)],
    [(0..<2, 0..<3), (0..<2, 3..<5), (2..<3, 0..<5), (3..<4, 0..<2), (3..<4, 2..<5)],
  ]

  @Test(arguments: [StatisticsKind.norms, .gram], splits.indices)
  func anySplitAddsUpToTheBytesOfOneRun(kind: StatisticsKind, split: Int) throws {
    let place = try StatisticsPlace()
    let whole = try place.folder.read(Path.name(of: place.collect("whole", kind, threads: 1)))
    var random = SplitMix64(seed: UInt64(split))
    let parts = try Self.splits[split].enumerated().map { index, part in
      try place.collect(
        "part-\(index)", kind, samples: .range(part.samples), blocks: part.blocks,
        threads: index % 3 + 1)
    }
    #expect(try place.merged(parts.shuffled(using: &random)) == whole)
    #expect(try place.merged(parts.reversed()) == whole)
  }

  @Test func partsOfTheModelsOwnTextAddUpToo() throws {
    let place = try StatisticsPlace(source: .selfWritten)
    let whole = try place.folder.read(Path.name(of: place.collect("whole", .norms)))
    let parts = try (0..<3).map { index in
      let part = try #require(WorkPart(index, of: 3))
      return try place.collect("part-\(index)", .norms, samples: .part(part))
    }
    #expect(try place.merged(parts) == whole)
    // A split by blocks and samples, where one part knows the whole text and the others do not.
    let mixed = [
      try place.collect("a", .norms, samples: .range(0..<2), blocks: 0..<3),
      try place.collect("b", .norms, samples: .range(2..<5), blocks: 0..<3),
      try place.collect("c", .norms, blocks: 3..<4),
    ]
    #expect(try place.merged(mixed) == whole)
  }

  @Test func theSumsAreThoseOfTheDenseModelsInputs() throws {
    let place = try StatisticsPlace(samples: 3)
    let grams = try StatisticsFile(path: place.collect("grams"))
    let norms = try StatisticsFile(path: place.collect("norms", .norms))
    let model = try ModelFixture.tiny.decoder()
    let windows = try #require(try place.calibration.readTokens(for: model))
    #expect(grams.manifest.stages.count == 16)
    var state = BlockState(
      hidden: try model.embed(windows.ids, source: ""),
      positions: .sequences(length: windows.length))
    var keys = grams.manifest.stages[...]
    for block in model.blocks {
      for stage in type(of: block).stages {
        let key = keys.removeFirst()
        let input = block.input(of: stage, from: state, on: .automatic)
        try expect(grams, norms, key, are: input)
        let outputs = block.outputs(of: stage, for: input) { linear($1, $0.stored) }
        block.finish(stage, outputs: outputs, state: &state, on: .automatic)
      }
    }
  }

  private func expect(
    _ grams: StatisticsFile, _ norms: StatisticsFile, _ key: StatisticsManifest.StageKey,
    are input: Matrix
  ) throws {
    var reference = Gram(inputs: input.columns)
    reference.add(input)
    let triangle = try grams.bytes(key.name + ".gram", 0..<Gram.triangleCount(inputs: key.inputs))
    let gram = Gram(inputs: key.inputs, tokens: input.rows, triangle: triangle)
    #expect(gram.matrix.distance(to: reference.matrix) < 1e-5 * reference.matrix.largest)
    let squares = try norms.bytes(key.name + ".squares", 0..<key.inputs)
    for (index, norm) in reference.norms.enumerated() {
      let square = squares.bytes.loadUnaligned(fromByteOffset: 8 * index, as: Double.self)
      #expect(abs(square.squareRoot() - Double(norm)) <= 1e-5 * Double(norm))
    }
    let maxima = (0..<input.columns).map { column in
      (0..<input.rows).reduce(Float(0)) { max($0, abs(input[$1, column])) }
    }
    // The weights are multiplied by another kernel here.
    for found in [try grams.maxima(key), try norms.maxima(key)] {
      for (a, b) in zip(maxima, found) { #expect(abs(a - b) <= 1e-4 * a) }
    }
  }
}
