import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// `check` holds a file to its manifest, or to the default rule.
@Suite struct CheckTests {
  static let weight = "model.layers.0.mlp.up_proj.weight"
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A checkpoint of these tensors and what they hold, with a manifest of these names.
  private func checkpoint(
    _ tensors: [(name: String, dtype: DType, shape: [Int], values: [Float])],
    promising names: [String]? = nil
  ) throws -> Checkpoint {
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.tensors = []
    for tensor in tensors {
      if tensor.dtype == .i8 {
        model.put(
          tensor.name, .i8, tensor.shape, tensor.values.map { UInt8(bitPattern: Int8($0)) })
      } else {
        let matrix = Matrix(rows: 1, columns: tensor.values.count, tensor.values)
        let type = try #require(tensor.dtype.scalarType)
        model.put(
          tensor.name, tensor.dtype, tensor.shape, StoredMatrix(matrix, as: type).bytes.array)
      }
    }
    if let names {
      let manifest: JSON = ["schema": 1, "pruned": .array(names.map(JSON.string))]
      model.metadata[Manifest.key] = manifest.text()
    }
    return try Checkpoint(path: model.write(to: folder))
  }

  // MARK: NaN and infinity

  /// The bits of the first value that is no number in each type: IEEE 754, OCP 8-bit floating point 1.0.
  @Test(
    arguments: [
      (.f32, [0, 0, 0xC0, 0x7F]), (.f16, [0, 0x7C]), (.bf16, [0x80, 0xFF]),
      (.f64, [0, 0, 0, 0, 0, 0, 0xF0, 0x7F]), (.c64, [0, 0, 0, 0, 0, 0, 0x80, 0x7F]),
      (.f8e4m3, [0xFF]), (.f8e5m2, [0x7C]), (.f8e8m0, [0xFF]), (.f8e4m3fnuz, [0x80]),
      (.f8e5m2fnuz, [0x80]),
    ] as [(DType, [UInt8])])
  func everyTensorIsSearched(dtype: DType, bits: [UInt8]) throws {
    for name in [
      "model.norm.weight", "model.embed_tokens.weight", "model.layers.0.mlp.up_proj.bias",
    ] {
      var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
      model.tensors = []
      model.put(
        Self.weight, .f32, [2, 4],
        StoredMatrix(Matrix(rows: 2, columns: 4, sparse)).bytes.array)
      // 1.0 or a small number everywhere but at [1, 2] and [2, 0] of 3 × 5.
      var bytes = [UInt8](repeating: 0x3C, count: 15 * bits.count)
      for index in [7, 10] {
        bytes.replaceSubrange(index * bits.count..<(index + 1) * bits.count, with: bits)
      }
      model.put(name, dtype, [3, 5], bytes)
      let checkpoint = try Checkpoint(path: model.write(to: folder))
      let report = try checkpoint.check()
      #expect(!report.passed)
      #expect(
        report.nonFinite == [
          NonFiniteTensor(
            name: name, dtype: dtype.rawValue, shape: [3, 5], count: 2, first: [1, 2])
        ])
      #expect(report.json["nonFinite"]?.array?.first?["first"] == [1, 2])
      #expect(try checkpoint.check(finite: .weights).passed)
      bytes = [UInt8](repeating: 0x3C, count: 15 * bits.count)
      model.put(name, dtype, [3, 5], bytes)
      #expect(try Checkpoint(path: model.write(to: folder, "finite")).check().passed)
    }
  }

  /// The largest finite code of each 8-bit type, and integers, are no fault.
  @Test(
    arguments: [
      (.f8e4m3, 0x7E), (.f8e5m2, 0x7B), (.f8e8m0, 0xFE), (.f8e4m3fnuz, 0xFF), (.f8e5m2fnuz, 0xFF),
      (.i8, 0x80), (.u8, 0xFF), (.f4, 0xFF),
    ] as [(DType, UInt8)])
  func theLargestNumbersAreFinite(dtype: DType, code: UInt8) throws {
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.tensors = []
    model.put(
      Self.weight, .f32, [2, 4], StoredMatrix(Matrix(rows: 2, columns: 4, sparse)).bytes.array)
    model.put("other", dtype, [dtype == .f4 ? 8 : 4], [code, code, code, code])
    #expect(try Checkpoint(path: model.write(to: folder)).check().nonFinite == [])
  }

  @Test func aWeightWithNaNIsCountedToo() throws {
    let report = try checkpoint([
      (Self.weight, .bf16, [2, 4], [1, 0, 0, 0, 0, .nan, 0, -.infinity])
    ]).check()
    #expect(report.nonFinite.map(\.count) == [2] && report.nonFinite.map(\.first) == [[1, 1]])
  }

  private let sparse: [Float] = [1, 0, -0.0, 2, 0, 0, 0, 5]
  private let dense: [Float] = [1, 0, 3, 2, 0, 0, 0, 5]

  private func status(_ values: [Float], _ dtype: DType = .f32) throws -> CheckReport.Tensor? {
    try checkpoint([(Self.weight, dtype, [2, 4], values)]).check().tensors.first
  }

  @Test func withoutAManifestTheWeightsOfTheBlocksCount() throws {
    let report = try checkpoint([
      (Self.weight, .f32, [2, 4], sparse),
      ("model.layers.1.mlp.up_proj.weight", .f32, [2, 4], dense),
      ("model.embed_tokens.weight", .f32, [2, 4], dense), ("lm_head.weight", .f32, [2, 4], dense),
      ("model.layers.0.q_norm.weight", .f32, [2, 4], dense),
      ("model.norm.weight", .f32, [8], dense),
    ]).check()
    #expect(!report.passed)
    #expect(
      [report.count(.sparse), report.count(.violating), report.count(.dense)] == [1, 1, 3])
    let found = report.tensors.first { $0.status == .violating }
    #expect(found?.name == "model.layers.1.mlp.up_proj.weight")
    #expect(found?.groups == 2)
    #expect(found?.violations == 1)
  }

  @Test func aFileWithoutBlocksIsCheckedButForEmbeddingsAndHeads() throws {
    let report = try checkpoint([
      ("fc1.weight", .f32, [2, 4], sparse), ("lm_head.weight", .f32, [2, 4], dense),
    ]).check()
    #expect(report.passed)
    #expect(report.count(.dense) == 1)
  }

  @Test(
    arguments: [
      ([0, 0, 0, 0, 0, 0, 0, 0], 0), ([1, 2, 0, 0, 0, 0, 3, 4], 0), ([1, 2, 3, 4, 5, 6, 7, 8], 2),
      ([.nan, 0, 0, 0, 0, 0, 0, 0], 1), ([0, 0, 0, 0, 0, .infinity, 0, 1], 1),
      ([-0.0, 1, -0.0, 2, 0, 3, -0.0, 4], 0), ([.leastNonzeroMagnitude, 1, 1, 0, 0, 0, 0, 0], 1),
    ] as [([Float], Int)])
  func groupsAreJudgedByTheirNonZeros(values: [Float], violations: Int) throws {
    let found = try status(values)
    #expect(found?.violations == violations)
    #expect(found?.status == (violations == 0 ? .sparse : .violating))
  }

  @Test(
    arguments: [([-128, 0, 127, 0, 0, 1, 0, -1], 0), ([1, 1, 1, 0, 0, 0, 0, 0], 1)]
      as [([Float], Int)])
  func signedBytesAreJudgedAlike(values: [Float], violations: Int) throws {
    let found = try status(values, .i8)
    #expect(found?.dtype == "I8")
    #expect(found?.violations == violations)
  }

  @Test func rowsThatGroupsDoNotDivideViolate() throws {
    let report = try checkpoint([(Self.weight, .f32, [2, 6], [Float](repeating: 0, count: 12))])
      .check()
    #expect(report.tensors.first?.violations == 2)
    #expect(!report.passed)
  }

  @Test func aManifestThatLiesIsFoundOut() throws {
    let names = [Self.weight, "model.layers.1.mlp.up_proj.weight"]
    let report = try checkpoint(
      [
        (names[0], .f32, [2, 4], sparse), (names[1], .f32, [2, 4], dense),
        ("model.layers.2.mlp.up_proj.weight", .f32, [2, 4], dense),
      ], promising: names
    ).check()
    #expect(!report.passed)
    #expect(report.count(.violating) == 1)
    #expect(report.count(.dense) == 1, "what is not promised may be dense")
  }

  @Test func aManifestMayPromiseWhatTheDefaultRuleLeavesOut() throws {
    let tensors: [(name: String, dtype: DType, shape: [Int], values: [Float])] = [
      ("lm_head.weight", .f32, [2, 4], dense), ("flat", .f32, [8], dense),
      (Self.weight, .f32, [2, 4], sparse),
    ]
    for name in ["lm_head.weight", "flat"] {
      let report = try checkpoint(tensors, promising: [name, Self.weight]).check()
      #expect(report.tensors.first { $0.name == name }?.status == .violating, "\(name)")
    }
  }

  @Test func aPrunedWeightMadeDenseAgainIsFoundOut() throws {
    let place = try PrunedFolder(EditedModel(ModelFixture(name: "architectures/qwen2")))
    try place.prune(.magnitude, to: "out")
    let pruned = try Checkpoint(path: place.folder["out"])
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    let original = try #require(model.tensors.first { $0.spec.name == Self.weight }).bytes
    model.tensors = try pruned.tensors.map { tensor in
      EditedModel.Tensor(
        spec: tensor.info.spec, bytes: try pruned.bytes(of: tensor.name).array)
    }
    model.metadata = pruned.files[0].metadata
    model.put(Self.weight, .bf16, [40, 48], original)
    let report = try Checkpoint(path: model.write(to: folder)).check()
    #expect(report.tensors.filter { $0.status == .violating }.map(\.name) == [Self.weight])
    #expect(report.count(.sparse) == 13)
  }

  @Test func globsTakeThePlaceOfTheManifest() throws {
    let checkpoint = try checkpoint(
      [
        (Self.weight, .f32, [2, 4], sparse),
        ("model.layers.1.mlp.up_proj.weight", .f32, [2, 4], dense),
      ], promising: [Self.weight])
    #expect(try checkpoint.check().passed)
    #expect(try !checkpoint.check(WeightSelection(only: ["*layers.1*"])).passed)
    #expect(try checkpoint.check(WeightSelection(skip: ["*layers.1*"])).passed)
    #expect(throws: SelectionError.matchesNothing(glob: "*x*", candidates: 2)) {
      try checkpoint.check(WeightSelection(only: ["*x*"]))
    }
  }

  @Test func nothingPromisedIsNothingPassed() throws {
    #expect(try !checkpoint([(Self.weight, .f32, [2, 4], sparse)], promising: []).check().passed)
  }

  @Test(arguments: [
    (#"{"schema":1,"pruned":["gone"]}"#, "it promises tensor 'gone', which is not there"),
    (#"{"pruned":[]}"#, "it has no schema number"),
    (#"{"schema":1,"pruned":[1]}"#, "'pruned' is not a list of tensor names"),
  ])
  func aMalformedManifestIsAnError(text: String, reason: String) throws {
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.metadata[Manifest.key] = text
    let checkpoint = try Checkpoint(path: model.write(to: folder))
    let error = #expect(throws: ManifestError.self) { try checkpoint.check() }
    #expect(error?.description.hasSuffix("the sparsify manifest is malformed: \(reason)") == true)
  }

  @Test func aManifestOfALaterVersionIsRefused() throws {
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.metadata[Manifest.key] = #"{"schema":2,"pruned":[]}"#
    let path = try model.write(to: folder)
    #expect(
      throws: ManifestError.newer(path: "\(path)/model.safetensors", schema: 2, supported: 1)
    ) { try Checkpoint(path: path).check() }
  }

  @Test func theReportIsTheContracts() throws {
    let json = try checkpoint([(Self.weight, .f32, [2, 4], dense)]).check().json
    #expect(
      json == [
        "passed": false, "sparse": 0, "violating": 1, "dense": 0,
        "nonFinite": [], "required": [],
        "tensors": [
          [
            "name": .string(Self.weight), "shape": [2, 4], "dtype": "F32", "status": "violating",
            "groups": 2, "violations": 1,
            "first": [
              "row": 0, "group": 0, "nonZeros": 3, "finite": true, "reason": "3 non-zeros",
            ],
          ]
        ],
      ])
  }

  @Test(arguments: [1, 2, 3, 7])
  func threadsChangeNothing(threads: Int) throws {
    let checkpoint = try ModelFixture.tiny.checkpoint()
    let compute = Compute(threads: threads)
    #expect(try checkpoint.check(on: compute).json == checkpoint.check().json)
    #expect(try checkpoint.inspect(on: compute).json == checkpoint.inspect().json)
  }
}
