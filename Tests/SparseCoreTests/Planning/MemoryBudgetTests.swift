import SparseCore
import Testing

@Suite struct MemoryBudgetTests {
  @Test(
    arguments: [
      (.denseHalf, 64 * 2), (.denseInt8, 64 + 4), (.sparseHalf, 32 * 2 + 8),
      (.sparseInt8, 32 + 8 + 4),
    ] as [(LinearForm, Int)])
  func aRowOf64InputsTakes(form: LinearForm, bytes: Int) {
    #expect(form.byteCount(outputs: 1, inputs: 64) == bytes)
    #expect(form.byteCount(outputs: 10, inputs: 64) == 10 * bytes)
  }

  @Test func aWeightWithoutGroupsStaysDense() {
    let linears = [(outputs: 2, inputs: 6), (outputs: 2, inputs: 8)]
    #expect(MemoryBudget.weights(.sparseHalf, linears: linears, others: 100) == 100 + 24 + 18)
    #expect(MemoryBudget.weights(.sparseInt8, linears: linears, others: 0) == 20 + 18)
  }

  @Test func groupedQueryHeadsShareKeysAndValues() {
    let cache = MemoryBudget.Cache(blocks: 80, keyValueHeads: 8, headWidth: 128)
    #expect(cache.bytesPerToken == 327_680)
  }

  @Test(arguments: [(0, 1), (72_000_000_000, 1), (72_000_000_001, 2), (144_000_000_001, 3)])
  func gpusOf80GigabytesGiveNineTenthsOfThem(bytes: Int, gpus: Int) throws {
    let budget = MemoryBudget(weights: bytes, cache: 0, activations: 0)
    #expect(budget.gpus(of: try #require(GPU.named("h100-sxm"))) == gpus)
  }

  @Test func allIsTheSumOfTheParts() {
    #expect(MemoryBudget(weights: 1, cache: 20, activations: 300).total == 321)
  }
}
