import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Which layers stay dense.
@Suite struct SelectionTests {
  private static func part(
    _ name: String, weights: Int = 100, divergence: Double? = nil, increase: Double? = nil,
    blockError: Double = 0
  ) -> Sensitivity {
    Sensitivity(
      name: name, block: 0, layers: [name], weights: weights, relativeError: 0.1,
      blockError: blockError, divergence: divergence, lossIncrease: increase ?? divergence)
  }

  private static func ranking(_ parts: [Sensitivity]) throws -> SensitivityRanking {
    let folder = try TemporaryFolder()
    let json: JSON = ["schema": 1, "parts": .array(parts.map(\.json))]
    try folder.write(Array(json.text().utf8), to: "s.json")
    return try SensitivityRanking(contentsOf: folder["s.json"])
  }

  private static let parts = [
    part("a", weights: 100, divergence: 0.5), part("b", weights: 400, divergence: 0.9),
    part("c", weights: 100, divergence: 0.1), part("d", weights: 400, divergence: 0.2),
  ]

  @Test(arguments: [
    (DenseChoice.count(1), ["b"]), (.count(2), ["a", "b"]), (.share(0.1), ["a"]),
    // The most sensitivity for each weight comes first; what does not fit is passed over.
    (.share(0.2), ["a", "c"]), (.share(0.5), ["a", "b"]), (.share(0.05), []),
    (.above(0.2), ["a", "b"]), (.above(0.19), ["a", "b", "d"]), (.above(1), []),
  ])
  func theMostSensitiveStayDense(choice: DenseChoice, expected: [String]) throws {
    let names = try choice.weights(
      Self.ranking(Self.parts), of: ["a", "b", "c", "d"], in: "model")
    #expect(names == expected)
  }

  @Test func errorsOfBlocksRankWhereNothingElseWasMeasured() throws {
    let ranking = try Self.ranking([
      Self.part("a", blockError: 0.1), Self.part("b", blockError: 0.3),
      Self.part("c", blockError: 0.2),
    ])
    #expect(
      try DenseChoice.count(2).weights(ranking, of: ["a", "b", "c"], in: "model") == ["b", "c"])
  }

  @Test func onlyTheWeightsThatAreWorkedOnCount() throws {
    let ranking = try Self.ranking(Self.parts)
    #expect(try DenseChoice.count(1).weights(ranking, of: ["c", "d"], in: "model") == ["d"])
    #expect(
      throws: SensitivityError.unknownWeight(name: "e", source: ranking.source, model: "model")
    ) {
      try DenseChoice.count(1).weights(ranking, of: ["d", "e"], in: "model")
    }
    #expect(throws: SensitivityError.tooManyDense(asked: 2, parts: 2)) {
      try DenseChoice.count(2).weights(ranking, of: ["c", "d"], in: "model")
    }
  }

  @Test(arguments: [
    "", "[]", "{\"schema\":1}", "{\"schema\":2,\"parts\":[]}", "{\"schema\":1,\"parts\":[{}]}",
  ])
  func whatIsNoReportIsRefused(text: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(Array(text.utf8), to: "s.json")
    #expect(throws: SensitivityError.self) {
      try SensitivityRanking(contentsOf: folder["s.json"])
    }
  }

  @Test func whatWasMeasuredOfAnotherModelIsRefused() throws {
    let (place, targets, ranking) = try Self.model()  // with 100 weights in each layer
    let checkpoint = try Checkpoint(path: place.input)
    let size = checkpoint[targets[0]]?.shape.reduce(1, *) ?? 0
    #expect(
      throws: SensitivityError.otherSize(
        name: targets[0], source: ranking.source, found: 100, model: place.input, expected: size)
    ) { try ranking.check(isOf: checkpoint) }
    let report = try SensitivityRun(
      place.input,
      SensitivityOptions(
        pruning: PruneOptions(method: .magnitude), unit: .block, isFast: true,
        heldOut: CalibrationOptions(samples: 1, length: 8))
    ).run()
    try SensitivityRanking(report).check(isOf: checkpoint)
  }

  private static func model() throws -> (PrunedFolder, targets: [String], SensitivityRanking) {
    let place = try PrunedFolder(EditedModel(ModelFixture(name: "architectures/qwen2")))
    let targets = try PruneOptions(method: .magnitude).weights(of: Checkpoint(path: place.input))
    // Each layer costs more than the one before.
    let parts = targets.enumerated().map { index, name in
      part(name, divergence: 0.01 * Double(index + 1))
    }
    return (place, targets, try ranking(parts))
  }

  @Test func aSpeedupTakesNoMoreThanItNeeds() throws {
    let (place, targets, ranking) = try Self.model()
    let times = try LinearTimes(bytesOf: Checkpoint(path: place.input), isQuantized: false)
    let most = times.speedup(sparse: targets)
    #expect(abs(most - 16.0 / 9) < 0.2)
    #expect(times.speedup(sparse: []) == 1)
    var before = targets.count + 1
    for asked in [1.05, 1.2, 1.4, most] {
      let dense = try SparsityTarget.speedup(asked).denseWeights(
        ranking, times, of: targets, in: "model")
      let sparse = targets.filter { !dense.contains($0) }
      #expect(times.speedup(sparse: sparse) >= asked)
      #expect(times.speedup(sparse: Array(sparse.dropLast())) < asked)
      #expect(dense.count < before)
      before = dense.count
    }
    #expect(before == 0)
    #expect(throws: SensitivityError.speedupOutOfReach(asked: 3, most: most)) {
      try SparsityTarget.speedup(3).denseWeights(ranking, times, of: targets, in: "model")
    }
  }

  @Test func lossesAddUpToWhatIsAllowed() throws {
    let (place, targets, ranking) = try Self.model()
    let times = try LinearTimes(bytesOf: Checkpoint(path: place.input), isQuantized: true)
    let losses = Dictionary(
      uniqueKeysWithValues: ranking.parts.map { ($0.name, $0.lossIncrease ?? 0) })
    for allowed in [0.0, 0.05, 0.3, 2] {
      let dense = try SparsityTarget.lossIncrease(allowed).denseWeights(
        ranking, times, of: targets, in: "model")
      let sparse = targets.filter { !dense.contains($0) }
      let sum = sparse.reduce(0) { $0 + (losses[$1] ?? 0) }
      #expect(sum <= allowed + 1e-12)
      // None that is left would have fitted.
      #expect(dense.allSatisfy { sum + (losses[$0] ?? 0) > allowed - 1e-12 })
    }
    let fast = try Self.ranking(targets.map { Self.part($0, blockError: 0.1) })
    #expect(throws: SensitivityError.noLosses(source: fast.source)) {
      try SparsityTarget.lossIncrease(1).denseWeights(fast, times, of: targets, in: "model")
    }
  }

  @Test(arguments: [PruningMethod.magnitude, .wanda, .admm], [false, true])
  func denseWeightsStayAsTheyAreOrBecomeInt8(method: PruningMethod, int8: Bool) throws {
    let (place, targets, _) = try Self.model()
    let tokens = try place.tokens(samples: 5, length: 21, vocabulary: 64)
    // One of each kind: read by a reordered stage, reordered itself, and of a stage with others.
    let kept = [targets[0], targets[2], targets[6], targets[10], targets[11]]
    let options = PruneOptions(
      method: method, permutes: false, quantization: int8 ? QuantizationOptions() : nil,
      calibration: method == .magnitude ? nil : tokens, keptDense: kept,
      output: place.folder["out"])
    let report = try PruneRun(place.input, options).run()
    #expect(Set(report.layers.filter(\.isDense).map(\.name)) == (int8 ? Set(kept) : []))
    #expect(report.layers.count == (int8 ? 14 : 9))
    let (before, after) = try (
      Checkpoint(path: place.input), Checkpoint(path: place.folder["out"])
    )
    let check = try after.check()
    #expect(check.passed)
    #expect(check.count(.sparse) == 9)
    #expect(Set(check.tensors.filter { $0.status == .dense }.map(\.name)).isSuperset(of: kept))
    for name in kept {
      #expect(after[name]?.dtype == (int8 ? .i8 : before[name]?.dtype))
      let (old, new) = try (
        Matrix(before.matrix(name)), Matrix(after.weight(name))
      )
      let step = try Int8Grid(for: old).scales.max() ?? 0
      #expect(zip(old.values, new.values).allSatisfy { abs($0 - $1) <= (int8 ? step : 0) })
    }
  }

  @Test(arguments: [false, true])
  func denseWeightsFollowTheOrderOfSparseOnes(int8: Bool) throws {
    let (place, targets, _) = try Self.model()
    let tokens = try place.tokens(samples: 5, length: 21, vocabulary: 64)
    let ids = (0..<20).map { Int32($0 * 3 % 64) }
    let dense = try LanguageModel(Checkpoint(path: place.input)).logits(of: ids)
    // What is read in another order is pruned, what gives it stays dense.
    let readers = targets.filter { $0.contains("o_proj") || $0.contains("down_proj") }
    let errors = try [false, true].map { permutes in
      let output = place.folder["out-\(permutes)"]
      let options = PruneOptions(
        method: .wanda, permutes: permutes, quantization: int8 ? QuantizationOptions() : nil,
        calibration: tokens, keptDense: targets.filter { !readers.contains($0) }, output: output)
      let report = try PruneRun(place.input, options).run()
      #expect(report.layers.contains { ($0.permutationGain ?? 0) > 0 } == permutes)
      let pruned = try LanguageModel(Checkpoint(path: output)).logits(of: ids)
      return zip(dense.values, pruned.values).reduce(0.0) {
        $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
      }
    }
    // Rows in an order that nobody knows of would give anything.
    #expect(errors[1] <= 1.5 * errors[0])
    #expect(errors[1] > 0)
  }

  @Test func somethingMustBePruned() throws {
    let (place, targets, _) = try Self.model()
    #expect(throws: SelectionError.nothingSparse(path: place.input)) {
      try PruneRun(place.input, PruneOptions(method: .magnitude, keptDense: targets))
    }
    #expect(throws: SelectionError.notSelected(name: "x", path: place.input)) {
      try PruneRun(place.input, PruneOptions(method: .magnitude, keptDense: ["x"]))
    }
  }
}
