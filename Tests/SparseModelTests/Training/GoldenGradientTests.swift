import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Tests/Fixtures/gradients: the gradients that torch finds of two tiny models in float64, each the other's teacher.
@Suite struct GoldenGradientTests {
  static let names = ["tied", "biases"]
  private let golden: JSON
  private let windows: TokenWindows

  init() throws {
    golden = try JSON(
      parsing: MappedFile(path: Package.path("Tests/Fixtures/gradients/golden.json")).bytes)
    windows = TokenWindows(cutting: golden["ids"]?.ids ?? [], length: golden["length"]?.int ?? 1)
  }

  /// In shares of a tensor's largest gradient, as in ``ModelGradientTests``, and the rounding of what is stored.
  static let tolerance = ModelGradientTests.tolerance + 0x1p-24

  @Test(arguments: names, KernelSet.available)
  func gradientsEqualTorchs(name: String, kernels: KernelSet) throws {
    #expect(windows.count == 3 && windows.length == 7)
    let compute = Compute(kernels: kernels, threads: 2)
    let fixture = ModelFixture(name: "gradients/" + name)
    let other = ModelFixture(name: "gradients/" + (name == "tied" ? "biases" : "tied"))
    let data = try TrainingFixture(fixture, windows: 1, length: 1, noise: 0)
    let states = try TrainingFixture.states(of: other.decoder(), windows, on: compute)
    let file = try SafetensorsFile(path: fixture.file("gradients.safetensors"))
    let pass = TrainingPass(decoder: data.decoder, compute: compute)
    for objective in [TrainingObjective.crossEntropy, .distill] {
      var parameters = data.parameters
      let loss = try pass.gradient(
        of: windows, .init(objective.loss, windows: 3, length: 7),
        teacher: objective.needsTeacher ? states : nil, to: &parameters)
      let expected = golden[name]?[objective.rawValue]?.double ?? .nan
      #expect(
        abs(TrainingLoss(loss).value(objective) - expected) <= Self.tolerance * expected)
      #expect(2 * parameters.names.count == file.tensors.count)
      for (place, tensor) in parameters.names.enumerated() {
        let got = parameters.gradients[place]
        let stored = try #require(file["\(objective.rawValue)/\(tensor)"])
        #expect(stored.dtype == .f32)
        let gradient = Matrix(
          StoredMatrix(
            rows: got.rows, columns: got.columns, type: .float32, bytes: file.bytes(of: stored)))
        #expect(
          got.distance(to: gradient) <= Self.tolerance * gradient.largest,
          "\(objective), \(tensor)")
      }
    }
  }
}
