import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What `check` requires besides what the manifest promises, and what it says of the first violation.
@Suite struct CheckRequirementTests {
  static let (up, down) = (
    "model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.down_proj.weight"
  )
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let sparse: [Float] = [1, 0, -0.0, 2, 0, 0, 0, 5]
  private static let dense: [Float] = [1, 0, 0, 2, 4, 3, 0, 5]

  /// A checkpoint of 2 × 4 matrices, with a manifest of these names.
  private func checkpoint(
    _ tensors: [(name: String, values: [Float])], promising names: [String]? = nil
  ) throws -> Checkpoint {
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.tensors = []
    for tensor in tensors { model.put(tensor.name, [2, 4], tensor.values) }
    if let names {
      let manifest: JSON = ["schema": 1, "pruned": .array(names.map(JSON.string))]
      model.metadata[Manifest.key] = manifest.text()
    }
    return try Checkpoint(path: model.write(to: folder))
  }

  private func requirement(
    _ glob: String, _ matched: Int, sparse: Int, dense: Int
  ) -> CheckReport.Requirement {
    CheckReport.Requirement(glob: glob, matched: matched, sparse: sparse, dense: dense)
  }

  // MARK: Requirements

  @Test func aWeightThatWasSilentlyLeftDenseIsFound() throws {
    let checkpoint = try checkpoint(
      [(Self.up, Self.sparse), (Self.down, Self.dense)], promising: [Self.up])
    #expect(try checkpoint.check().passed)
    let report = try checkpoint.check(requiring: ["*.down_proj.*", "*_proj.weight", "*.up*"])
    #expect(!report.passed)
    #expect(report.count(.violating) == 1 && report.count(.dense) == 0)
    #expect(report.tensors.first { $0.status == .violating }?.first?.row == 1)
    #expect(
      report.requirements == [
        requirement("*.down_proj.*", 1, sparse: 0, dense: 1),
        requirement("*_proj.weight", 2, sparse: 1, dense: 1),
        requirement("*.up*", 1, sparse: 1, dense: 0),
      ])
    #expect(report.requirements.map(\.isMet) == [false, false, true])
  }

  @Test func aPromisedWeightThatIsNotSparseIsNotDenseOnPurpose() throws {
    let report = try checkpoint([(Self.up, Self.dense)], promising: [Self.up])
      .check(requiring: ["*"])
    #expect(report.requirements == [requirement("*", 1, sparse: 0, dense: 0)])
    #expect(!report.passed)
  }

  @Test func aSparseWeightThatNobodyPromisedMeetsARequirement() throws {
    let report = try checkpoint(
      [(Self.up, Self.sparse), ("lm_head.weight", Self.sparse), (Self.down, Self.dense)],
      promising: [Self.up]
    ).check(requiring: ["lm_head.*"])
    #expect(report.passed)
    #expect(report.count(.sparse) == 2 && report.count(.dense) == 1)
  }

  @Test func aGlobThatMatchesNoWeightFails() throws {
    let report = try checkpoint([(Self.up, Self.sparse)]).check(requiring: ["*.q_proj.*"])
    #expect(report.requirements == [requirement("*.q_proj.*", 0, sparse: 0, dense: 0)])
    #expect(!report.passed && report.count(.violating) == 0)
  }

  @Test func requirementsHoldBesidesWhatIsSelected() throws {
    let checkpoint = try checkpoint([(Self.up, Self.sparse), (Self.down, Self.dense)])
    let skip = WeightSelection(skip: ["*down*"])
    #expect(try checkpoint.check(skip).passed)
    #expect(try !checkpoint.check(skip, requiring: ["*down*"]).passed)
    #expect(try checkpoint.check(skip, requiring: ["*up*"]).passed)
  }

  /// Globs are for layers, and what belongs to a layer is no weight.
  @Test func biasesAndScalesAreNoWeights() throws {
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.tensors = []
    model.put(Self.up, .i8, [2, 4], [1, 0, 0, 2, 0, 0, 0, 5])
    model.put(CompressedTensors.scaleName(of: Self.up), [2, 1], [1, 1])
    model.put(CompressedTensors.zeroPointName(of: Self.up), .i8, [2, 1], [0, 0])
    model.put("model.layers.0.mlp.up_proj.bias", [8], Self.dense)
    model.put("model.layers.0.mlp.up_proj.ids", .i32, [1, 1], [1, 2, 3, 4])
    let report = try Checkpoint(path: model.write(to: folder)).check(requiring: ["*.up_proj.*"])
    #expect(report.passed)
    #expect(report.requirements == [requirement("*.up_proj.*", 1, sparse: 1, dense: 0)])
  }

  @Test func aFileWithoutLayersCanBeHeldToARequirement() throws {
    let checkpoint = try checkpoint([("lm_head.weight", Self.sparse)])
    #expect(throws: SelectionError.noCandidates(path: checkpoint.path)) { try checkpoint.check() }
    #expect(try checkpoint.check(requiring: ["lm_head.*"]).passed)
    #expect(try !checkpoint.check(requiring: ["*.q_proj.*"]).passed)
  }

  @Test func theReportListsWhatWasRequired() throws {
    let json = try checkpoint([(Self.up, Self.sparse)]).check(requiring: ["x", "*"]).json
    #expect(
      json["required"] == [
        ["glob": "x", "matched": 0, "sparse": 0, "dense": 0, "met": false],
        ["glob": "*", "matched": 1, "sparse": 1, "dense": 0, "met": true],
      ])
    #expect(json["passed"]?.bool == false)
    #expect(json["tensors"]?.array?.first?["first"]?.isNull == true)
  }

  @Test func aMalformedGlobIsAnError() throws {
    let checkpoint = try checkpoint([(Self.up, Self.sparse)])
    #expect(throws: GlobError.self) { try checkpoint.check(requiring: ["[a"]) }
  }

  // MARK: The first violation

  @Test(arguments: [DType.f32, .f16, .bf16, .i8], [[3, 8], [1, 3, 8], [24]])
  func theFirstViolationIsNamedByRowAndGroup(dtype: DType, shape: [Int]) throws {
    var values = [Float](repeating: 0, count: 24)
    for place in [12, 13, 15, 16, 17, 18, 19] { values[place] = 3 }
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.tensors = []
    let bytes =
      dtype == .i8
      ? values.map { UInt8($0) }
      : StoredMatrix(
        Matrix(rows: 1, columns: 24, values), as: try #require(dtype.scalarType)
      ).bytes.array
    model.put("w", dtype, shape, bytes)
    model.metadata[Manifest.key] = #"{"schema":1,"pruned":["w"]}"#
    let tensor = try #require(Checkpoint(path: model.write(to: folder)).check().tensors.first)
    #expect(tensor.violations == 2)
    #expect(tensor.first?.row == (shape.count == 1 ? 0 : 1))
    #expect(tensor.first?.group == (shape.count == 1 ? 3 : 1))
    #expect(tensor.first?.reason == "3 non-zeros")
  }

  @Test func aWeightThatIsSparseHasNoFirstViolation() throws {
    let report = try checkpoint([(Self.up, Self.sparse), ("lm_head.weight", Self.dense)]).check()
    #expect(report.tensors.allSatisfy { $0.first == nil })
  }
}
