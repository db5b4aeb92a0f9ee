import SparseCore
import Testing

@testable import sparsify

@Suite struct BenchTableTests {
  private func result(_ form: Benchmark.Product.Form, rows: Int, seconds: Double)
    -> Benchmark.Result
  {
    Benchmark.Result(
      name: "linear", shape: "", kernel: "scalar", threads: 1, best: seconds, median: 9,
      limit: .read, product: Benchmark.Product(form: form, rows: rows))
  }

  @Test func productsAreComparedWithDenseFloat16OfTheSameRows() {
    let results = [
      result(.float16, rows: 1, seconds: 0.003), result(.sparseInt8, rows: 1, seconds: 0.00075),
      result(.float32, rows: 16, seconds: 0.02), result(.float16, rows: 16, seconds: 0.01),
    ]
    let lines = BenchCommand.products(results).split(separator: "\n").map(String.init)
    #expect(
      lines.dropFirst() == [
        "rows       dense f32       dense f16  dense INT8  2:4 f16       2:4 INT8",
        "   1               –   3.00 ms 1.00×           –        –  0.75 ms 4.00×",
        "  16  20.00 ms 0.50×  10.00 ms 1.00×           –        –              –",
      ])
  }

  @Test func withoutProductsThereIsNoTable() {
    var other = result(.float16, rows: 1, seconds: 1)
    other.product = nil
    #expect(BenchCommand.products([other]).isEmpty)
    #expect(BenchCommand.products([]).isEmpty)
  }
}
