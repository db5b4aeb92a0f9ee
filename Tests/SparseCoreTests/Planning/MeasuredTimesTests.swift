import SparseCore
import TestSupport
import Testing

@Suite struct MeasuredTimesTests {
  /// 2:4 INT8 of 4096 × 11008 at 16, 256 and 1024 rows in 8, 32 and 200 µs, and dense fp16 at 16 rows in 20 µs.
  private static let entries =
    [(1024, 200e-6), (16, 8e-6), (256, 32e-6)].map { rows, seconds in
      MeasuredTimes.Entry(
        form: .sparseInt8, rows: rows, outputs: 4096, inputs: 11008, seconds: seconds,
        bestSeconds: seconds * 0.9, share: 0.5)
    } + [.init(form: .denseHalf, rows: 16, outputs: 4096, inputs: 11008, seconds: 20e-6)]

  private static func object(_ times: [JSON]) -> JSON {
    [
      "schema": 1, "version": "1.0", "device": "cuda",
      "gpu": ["name": "NVIDIA H100 80GB HBM3", "computeCapability": "9.0"],
      "times": .array(times),
    ]
  }

  /// A good element of `times`, changed; nil takes a member away.
  private static func element(_ changes: [String: JSON?] = [:]) -> JSON {
    var members = entries[0].json.object ?? []
    for (key, value) in changes {
      members.removeAll { $0.key == key }
      if let value { members.append(.init(key: key, value: value)) }
    }
    return .object(members)
  }

  @Test(
    arguments: [
      (16, 8e-6), (256, 32e-6), (1024, 200e-6),
      // Of 16 to 256 rows 64 are half of the way and 32 a quarter: 4 times the time to the power of that.
      (64, 16e-6), (32, 8e-6 * 2.0.squareRoot()), (512, 80e-6),
      // A launch gets no shorter; beyond the most each row takes what it takes there.
      (1, 8e-6), (15, 8e-6), (2048, 400e-6), (1536, 300e-6),
    ] as [(Int, Double)])
  func timesAreInterpolatedBetweenMeasuredRows(rows: Int, seconds: Double) throws {
    let measured = try MeasuredTimes(gpu: "mine", entries: Self.entries)
    let time = try #require(
      measured.seconds(.sparseInt8, rows: rows, outputs: 4096, inputs: 11008))
    #expect(abs(time / seconds - 1) < 1e-12, "\(time)")
  }

  @Test(arguments: Self.entries) func aMeasuredTimeIsGivenAsItIs(entry: MeasuredTimes.Entry) throws
  {
    let measured = try MeasuredTimes(gpu: "mine", entries: Self.entries)
    #expect(
      measured.seconds(
        entry.form, rows: entry.rows, outputs: entry.outputs, inputs: entry.inputs)
        == entry.seconds)
  }

  @Test(
    arguments: [
      (.sparseInt8, 11008, 4096), (.sparseInt8, 4096, 4096), (.sparseHalf, 4096, 11008),
      (.denseInt8, 4096, 11008),
    ] as [(LinearForm, Int, Int)])
  func anotherShapeOrFormHasNoTime(form: LinearForm, outputs: Int, inputs: Int) throws {
    let measured = try MeasuredTimes(gpu: "mine", entries: Self.entries)
    #expect(measured.seconds(form, rows: 16, outputs: outputs, inputs: inputs) == nil)
  }

  @Test func aTableIsReadBackFromItsFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.object(Self.entries.map(\.json)).text(), to: "h100.json")
    let measured = try MeasuredTimes(contentsOf: path)
    #expect(measured.gpu == "NVIDIA H100 80GB HBM3" && measured.path == path)
    #expect(measured.entries == Self.entries && measured.rows == 16...1024)
  }

  @Test func anElementHasTheNamesOfTheContract() {
    #expect(
      Self.entries[1].json == [
        "form": "2:4 INT8", "rows": 16, "outputs": 4096, "inputs": 11008, "seconds": 8e-6,
        "bestSeconds": .number(8e-6 * 0.9), "share": 0.5,
      ])
    #expect(Self.entries[3].json["share"]?.isNull == true)
  }

  @Test func whatIsAddedLaterDoesNoHarm() throws {
    let entry = try MeasuredTimes.Entry(
      Self.element(["algorithm": 7, "share": .some(nil), "bestSeconds": nil]), at: 0)
    #expect(entry.share == nil && entry.bestSeconds == nil && entry.rows == 1024)
  }

  @Test(
    arguments: [
      (
        [],
        "is no table of 'sparsify bench --device cuda --json': 'schema' is missing or something else"
      ),
      (["schema": 2], "has 'schema' 2, not 1"),
      (["schema": 1, "device": "cpu"], "'device' is missing or something else"),
      (["schema": 1, "device": "cuda", "gpu": "h100"], "'gpu.name' is missing or something else"),
      (
        ["schema": 1, "device": "cuda", "gpu": ["name": "h"]],
        "'times' is missing or something else"
      ),
      (["schema": 1, "device": "cuda", "gpu": ["name": "h"], "times": []], "has no times"),
    ] as [(JSON, String)])
  func whatIsNoTableIsRefused(json: JSON, reason: String) {
    let error = #expect(throws: MeasuredTimesError.self) { try MeasuredTimes(json) }
    #expect(error?.description.hasSuffix(reason) == true, "\(String(describing: error))")
  }

  @Test(
    arguments: [
      (["form": nil], "times[1]: 'form' is missing"),
      (["rows": nil], "times[1]: 'rows' is missing"),
      (["seconds": nil], "times[1]: 'seconds' is missing"),
      (["form": 4], "times[1]: 'form' is an integer, not a string"),
      (["inputs": 2.5], "times[1]: 'inputs' is a number, not a whole number"),
      (["seconds": .some(nil)], "times[1]: 'seconds' is null, not a number"),
      (["share": "most"], "times[1]: 'share' is a string, not a number"),
      (
        ["form": "2:4 fp8"],
        "times[1]: there is no form '2:4 fp8', the forms are 'dense fp16', 'dense INT8', '2:4 fp16', '2:4 INT8'"
      ),
      (["rows": 0], "times[1]: 'rows' is 0, not at least 1"),
      (["outputs": -3], "times[1]: 'outputs' is -3, not at least 1"),
      (["inputs": 0], "times[1]: 'inputs' is 0, not at least 1"),
      (["seconds": -1], "times[1]: 'seconds' is -1.0, not from 1e-09 to 1000000.0"),
      (["seconds": 0], "times[1]: 'seconds' is 0.0, not from 1e-09 to 1000000.0"),
      (["seconds": .number(.nan)], "times[1]: 'seconds' is nan, not from 1e-09 to 1000000.0"),
      (
        ["bestSeconds": .number(.infinity)],
        "times[1]: 'bestSeconds' is inf, not from 1e-09 to 1000000.0"
      ),
      (["share": -0.5], "times[1]: 'share' is -0.5, not at least 0"),
      (["share": .number(.nan)], "times[1]: 'share' is nan, not at least 0"),
      (
        ["seconds": 0.25],
        "times[0] and times[1] are both 2:4 INT8 at 1024 rows of 4096 × 11008, with 0.0002 and 0.25 seconds"
      ),
    ] as [([String: JSON?], String)])
  func aBadProductIsRefused(changes: [String: JSON?], reason: String) {
    let json = Self.object([Self.element(), Self.element(changes)])
    let error = #expect(throws: MeasuredTimesError.self) { try MeasuredTimes(json) }
    #expect(error?.description == reason)
  }

  @Test func anErrorInAFileNamesTheFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("{", to: "h100.json")
    let error = #expect(throws: MeasuredTimesFileError.self) { try MeasuredTimes(contentsOf: path) }
    #expect(
      error?.description == "\(path): not JSON: the text ends too early at line 1 column 2")
    #expect(throws: FileError.missing(path: folder["none"])) {
      try MeasuredTimes(contentsOf: folder["none"])
    }
  }
}
