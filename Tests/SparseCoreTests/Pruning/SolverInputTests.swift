import SparseCore
import TestSupport
import Testing

/// Layers that are out of the ordinary, for every method that solves for weights, alone and together with INT8.
@Suite struct SolverInputTests {
  /// A method, and whether its weights go onto an INT8 grid at the same time.
  struct Solver: Sendable, CustomTestStringConvertible {
    let method: PruningMethod
    let effort: Effort
    let isInt8: Bool

    var testDescription: String { "\(method) \(effort)\(isInt8 ? " INT8" : "")" }

    func prune(_ weight: Matrix, _ inputs: InputStatistics) throws -> PrunedWeight {
      let rule = Int8Rule(groupSize: nil, scaleType: .bfloat16)
      let pruner = StagePruner(
        method.pruner(effort: effort), quantization: isInt8 ? (rule, .joint) : nil)
      return try pruner.prune([weight], inputs: inputs)[0]
    }
  }

  static let solvers = [false, true].flatMap { isInt8 in
    [Solver(method: .sparseGPT, effort: .standard, isInt8: isInt8)]
      + Effort.allCases.map { Solver(method: .admm, effort: $0, isInt8: isInt8) }
  }

  private func isFiniteAnd24(_ pruned: PrunedWeight) -> Bool {
    pruned.mask.violations(in: pruned.weight) == 0
      && pruned.weight.values.allSatisfy(\.isFinite)
  }

  /// Rows in batches of any size, also some of one layer with some of another, are what they are together.
  @Test(arguments: solvers, [nil, 12]) func rowsMayComeInBatches(solver: Solver, group: Int?) throws
  {
    let (weight, inputs) = Reference.layer(rows: 120, columns: 60, tokens: 150, seed: 5)
    let statistics = gramStatistics(of: inputs, on: .automatic)
    for order in solver.isInt8 ? QuantizationOrder.allCases : [.joint] {
      let rule = Int8Rule(groupSize: group, scaleType: .bfloat16)
      let pruner = StagePruner(
        solver.method.pruner(effort: solver.effort),
        quantization: solver.isInt8 ? (rule, order) : nil)
      let whole = try pruner.prune([weight], inputs: statistics)[0]
      var batches = try pruner.solver(for: statistics, on: .automatic)
      for parts in [[0..<48], [48..<49, 60..<108], [49..<60, 0..<0, 108..<120]] {
        let pruned = try batches.prune(parts.map { rows(weight, $0) }, on: .automatic)
        for (part, result) in zip(parts, pruned) {
          #expect(result.weight == rows(whole.weight, part))
          #expect(result.dampening == whole.dampening)
          #expect(
            result.grid?.scales ?? [] == whole.grid.map {
              Array($0.scales[part.lowerBound * $0.groups..<part.upperBound * $0.groups])
            } ?? [])
        }
      }
    }
  }

  @Test(arguments: Effort.allCases, [nil, Int8Rule()])
  func refittedRowsMayComeInBatches(effort: Effort, rule: Int8Rule?) throws {
    let (dense, inputs) = Reference.layer(rows: 120, columns: 60, tokens: 150, seed: 5)
    let statistics = gramStatistics(of: inputs, on: .automatic)
    let pruned = try Magnitude().prune(dense, inputs: .none, on: .automatic).weight
    let refit = Refit(effort: effort)
    let whole = try refit.refit([pruned], to: [dense], inputs: statistics, onto: rule)[0]
    let solver = try refit.solver(for: statistics, onto: rule, on: .automatic)
    for part in [0..<50, 50..<120] {
      let result = try solver.refit([rows(pruned, part)], to: [rows(dense, part)], on: .automatic)
      #expect(result[0].weight == rows(whole.weight, part))
    }
  }

  @Test(arguments: solvers) func zeroRowsStayAndConstantRowsStayEqual(solver: Solver) throws {
    var (weight, inputs) = Reference.layer(rows: 6, columns: 100, tokens: 150, seed: 7)
    for column in 0..<100 {
      weight[1, column] = 0
      weight[3, column] = 0.25
      weight[5, column] = 0.25
    }
    let pruned = try solver.prune(weight, gramStatistics(of: inputs, on: .automatic))
    #expect(isFiniteAnd24(pruned))
    for column in 0..<100 {
      #expect(pruned.weight[1, column] == 0)
      #expect(pruned.weight[3, column] == pruned.weight[5, column])
    }
    #expect((0..<100).contains { pruned.weight[3, $0] != 0 })
  }

  @Test(arguments: solvers) func fewerTokensThanInputsAreEnough(solver: Solver) throws {
    let (weight, inputs) = Reference.layer(rows: 9, columns: 132, tokens: 20, seed: 8)
    let pruned = try solver.prune(weight, gramStatistics(of: inputs, on: .automatic))
    #expect(isFiniteAnd24(pruned))
    let gram = DoubleMatrix(gramOf: inputs)
    // Worse than nothing would be 1.
    #expect(Reference.relativeError(of: pruned.weight, for: weight, gram: gram) < 0.9)
  }

  @Test(arguments: solvers, [4, 8, 44, 48, 52, 100])
  func anyMultipleOfFourWillDo(solver: Solver, columns: Int) throws {
    let (weight, inputs) = Reference.layer(rows: 3, columns: columns, tokens: 200, seed: 9)
    let pruned = try solver.prune(weight, gramStatistics(of: inputs, on: .automatic))
    #expect(isFiniteAnd24(pruned))
    #expect((0..<columns).contains { pruned.weight[0, $0] != 0 })
  }

  @Test(arguments: solvers) func inputsOfNothingButZerosLeaveNothing(solver: Solver) throws {
    var gram = Gram(inputs: 52)
    gram.add(Matrix(rows: 7, columns: 52))
    let pruned = try solver.prune(randomMatrix(5, 52, seed: 6), .gram(gram))
    #expect(pruned.weight == Matrix(rows: 5, columns: 52))
  }

  @Test(arguments: solvers) func whatCannotBeSolvedFallsBackAndSaysSo(solver: Solver) throws {
    var matrix = Matrix(rows: 8, columns: 8)
    for index in 0..<8 { matrix[index, index] = 1 }
    (matrix[1, 6], matrix[6, 1]) = (40, 40)  // more than any inputs could share
    let pruned = try solver.prune(
      randomMatrix(3, 8, seed: 9), .gram(Gram(matrix, tokens: 10)))
    #expect(pruned.fallback != nil)
    #expect(isFiniteAnd24(pruned))
  }

  @Test(arguments: solvers) func whatIsNoNumberIsNamed(solver: Solver) throws {
    var inputs = randomMatrix(20, 60, seed: 2)
    let good = gramStatistics(of: inputs, on: .automatic)
    inputs[4, 50] = .nan
    let bad = gramStatistics(of: inputs, on: .automatic)
    var weight = randomMatrix(2, 60, seed: 1)
    func reason(_ statistics: InputStatistics) -> PruningError? {
      do {
        _ = try solver.prune(weight, statistics)
        return nil
      } catch {
        return (error as? LayerPruningError)?.reason
      }
    }
    #expect(reason(bad) == .nonFiniteInputs(count: 60))
    weight[1, 3] = .infinity
    #expect(reason(good) == .nonFiniteWeights(count: 1))
    #expect(
      reason(gramStatistics(of: randomMatrix(9, 8, seed: 1), on: .automatic))
        == .statisticsMismatch(columns: 60, features: 8))
  }
}
