import SparseCore
import Testing

@Suite struct RooflineTests {
  /// The seven linears of a Llama-7B block, outputs × inputs.
  private static let llama7B =
    Array(repeating: (4096, 4096), count: 4) + [(11008, 4096), (11008, 4096), (4096, 11008)]

  private static func h100() throws -> Roofline {
    Roofline(gpu: try #require(GPU.named("h100-sxm")))
  }

  /// How many times as fast as dense float16 all seven together are.
  private func speedup(_ form: LinearForm, rows: Int) throws -> Double {
    let roofline = try Self.h100()
    func seconds(_ form: LinearForm) -> Double {
      Self.llama7B.reduce(0) {
        $0 + roofline.time(form, rows: rows, outputs: $1.0, inputs: $1.1).seconds
      }
    }
    return seconds(.denseHalf) / seconds(form)
  }

  @Test(arguments: [(16, 1.9), (128, 1.8), (1024, 2.4), (8192, 3.1)])
  func sparseINT8OnAnH100IsWithinAQuarterOfWhatWasMeasured(rows: Int, measured: Double) throws {
    let predicted = try speedup(.sparseInt8, rows: rows)
    #expect(abs(predicted / measured - 1) < 0.25, "\(predicted)")
  }

  @Test(arguments: [16, 128, 1024, 8192])
  func sparseHalfAndDenseINT8OnAnH100AreInTheMeasuredRanges(rows: Int) throws {
    let half = try speedup(.sparseHalf, rows: rows)
    let int8 = try speedup(.denseInt8, rows: rows)
    #expect(1.4 <= half && half <= 1.6, "\(half)")
    #expect(1.2 <= int8 && int8 <= 2.0, "\(int8)")
  }

  @Test func aProductThatWaitsForMemoryTakesItsBytesByTheBandwidth() throws {
    // 1 row of 1024 × 4096 in float16: 8388608 bytes of weights, 8192 of input, 2048 of output at 80 % of 3350 GB/s.
    let time = try Self.h100().time(.denseHalf, rows: 1, outputs: 1024, inputs: 4096)
    let expected = 8_398_848.0 / (0.8 * 3350e9) + 3e-6
    #expect(abs(time.seconds / expected - 1) < 1e-12)
    #expect(time.bound == .memory)
    #expect(time.fixedSeconds == 3e-6)
  }

  @Test func sparseINT8CountsHalfOfTheWeightsMetadataScalesAndRowsInSixteens() throws {
    // 1 row counts as 16. Weights: 1024 rows of 2048 bytes, 512 of metadata and 4 of scale; activations of 4096 + 4
    // bytes a row, results of 2048.
    let time = try Self.h100().time(.sparseInt8, rows: 1, outputs: 1024, inputs: 4096)
    let bytes = 1024.0 * (2048 + 512 + 4) + 16 * (4100 + 2048)
    let expected = bytes / (0.7 * 3350e9) + 5e-6
    #expect(abs(time.seconds / expected - 1) < 1e-12)
    #expect(
      try Self.h100().time(.sparseInt8, rows: 16, outputs: 1024, inputs: 4096) == time)
  }

  @Test func aProductThatWaitsForTensorCoresTakesItsOperationsByTheirRate() throws {
    let time = try Self.h100().time(.sparseHalf, rows: 8192, outputs: 8192, inputs: 8192)
    let operations = 2.0 * 8192 * 8192 * 8192
    let expected = operations / (0.55 * 2 * 989.5e12) + 4e-6
    #expect(abs(time.seconds / expected - 1) < 1e-12)
    #expect(time.bound == .compute)
  }

  @Test(arguments: GPU.all) func moreRowsNeverTakeLessTime(gpu: GPU) {
    let roofline = Roofline(gpu: gpu)
    for form in LinearForm.allCases {
      let times = (0...14).map {
        roofline.time(form, rows: 1 << $0, outputs: 4096, inputs: 4096).seconds
      }
      #expect(times == times.sorted())
    }
  }

  @Test func withoutSparseTensorCoresSparseTakesTheTimeOfDense() {
    let gpu = GPU(
      name: "old", halfRate: 65, int8Rate: 130, bandwidth: 320, memory: 16,
      hasSparseTensorCores: false)
    let roofline = Roofline(gpu: gpu)
    #expect(
      roofline.time(.sparseInt8, rows: 16, outputs: 4096, inputs: 4096)
        == roofline.time(.denseInt8, rows: 16, outputs: 4096, inputs: 4096))
    #expect(
      roofline.obstacle(to: .sparseInt8, rows: 16, outputs: 4096, inputs: 4096)
        == .noSparseTensorCores(gpu: "old"))
  }

  @Test(
    arguments: [
      (.sparseHalf, 16, 16, true), (.sparseHalf, 8, 16, false), (.sparseHalf, 16, 24, false),
      (.sparseInt8, 32, 32, true), (.sparseInt8, 16, 32, false), (.sparseInt8, 32, 48, false),
      (.denseHalf, 3, 5, true),
    ] as [(LinearForm, Int, Int, Bool)])
  func sparseKernelsTakeMultiplesOf16And32(
    form: LinearForm, outputs: Int, inputs: Int, fits: Bool
  ) throws {
    let obstacle = try Self.h100().obstacle(to: form, outputs: outputs, inputs: inputs)
    #expect((obstacle == nil) == fits)
  }

  @Test(
    arguments: [
      (.sparseHalf, 32, 64, true), (.sparseHalf, 32, 32, false), (.sparseHalf, 16, 64, false),
      (.sparseInt8, 16, 128, true), (.sparseInt8, 16, 64, false),
    ] as [(LinearForm, Int, Int, Bool)])
  func pyTorchTakesFewerShapes(form: LinearForm, outputs: Int, inputs: Int, fits: Bool) {
    #expect(form.fitsPyTorch(outputs: outputs, inputs: inputs) == fits)
  }

  @Test func aMeasuredTimeTakesTheModelsPlaceAndLeavesTheBound() throws {
    let measured = try MeasuredTimes(
      gpu: "mine",
      entries: [
        .init(form: .sparseInt8, rows: 16, outputs: 4096, inputs: 4096, seconds: 1e-3),
        .init(form: .denseHalf, rows: 16, outputs: 24, inputs: 24, seconds: 2e-3),
      ])
    let model = try Self.h100()
    let roofline = Roofline(gpu: model.gpu, measured: measured)
    let time = roofline.time(.sparseInt8, rows: 16, outputs: 4096, inputs: 4096)
    let modelled = model.time(.sparseInt8, rows: 16, outputs: 4096, inputs: 4096)
    #expect(time.seconds == 1e-3 && time.isMeasured && !modelled.isMeasured)
    #expect(time.bound == modelled.bound && time.fixedSeconds == modelled.fixedSeconds)
    // What was not measured is the model's.
    #expect(
      roofline.time(.denseInt8, rows: 16, outputs: 4096, inputs: 4096)
        == model.time(.denseInt8, rows: 16, outputs: 4096, inputs: 4096))
    // Of a measured time no more is known than that it is no shorter.
    #expect(
      roofline.obstacle(to: .sparseInt8, rows: 16, outputs: 4096, inputs: 4096)
        == .efficiency(rows: 16))
    // What no sparse kernel takes runs dense, as measured.
    #expect(roofline.time(.sparseHalf, rows: 16, outputs: 24, inputs: 24).seconds == 2e-3)
  }

  @Test func aSmallWeightAtFewRowsDoesNotPay() throws {
    let obstacle = try Self.h100().obstacle(
      to: .sparseHalf, rows: 1, outputs: 576, inputs: 576)
    #expect(obstacle == .fixedCost(rows: 1))
    #expect(try Self.h100().obstacle(to: .sparseHalf, rows: 1, outputs: 8192, inputs: 8192) == nil)
  }

  @Test func aNarrowWeightAtManyRowsIsLostAmongActivations() throws {
    let obstacle = try Self.h100().obstacle(
      to: .sparseHalf, rows: 1 << 20, outputs: 64, inputs: 64)
    #expect(obstacle == .activations(rows: 1 << 20))
  }

  @Test func aWideWeightAtManyRowsPays() throws {
    #expect(
      try Self.h100().obstacle(to: .sparseHalf, rows: 8192, outputs: 8192, inputs: 8192) == nil)
  }
}
