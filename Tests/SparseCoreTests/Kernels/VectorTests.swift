import SparseCore
import TestSupport
import Testing

@Suite struct VectorTests {
  static let lengths = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 1000]

  @Test(arguments: KernelSet.available, lengths)
  func dotMatchesReference(kernels: KernelSet, count: Int) {
    let (x, y) = (randomFloats(count, seed: 1), randomFloats(count, seed: 2))
    expectClose([kernels.dot(count, x, y)], [exactDot(x, y)], "\(count)")
  }

  @Test(arguments: KernelSet.available, lengths)
  func scaledSumsMatchReference(kernels: KernelSet, count: Int) {
    let (x, y) = (randomFloats(count, seed: 3), randomFloats(count, seed: 4))
    var sum = y
    kernels.axpy(count, 0.3, x, &sum)
    expectClose(sum, zip(x, y).map { exactDot([0.3, 1], [$0, $1]) }, "axpy \(count)")
    sum = y
    kernels.scaledAdd(count, 0.3, x, -0.7, &sum)
    expectClose(sum, zip(x, y).map { exactDot([0.3, -0.7], [$0, $1]) }, "scaledAdd \(count)")
  }
}
