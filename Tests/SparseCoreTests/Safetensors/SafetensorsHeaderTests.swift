@testable internal import SparseCore
internal import TestSupport
internal import Testing

@Suite struct SafetensorsHeaderTests {
  /// A whole file: the header's length, the header, then `data` zeros.
  private func file(_ header: String, data: Int) -> ByteView {
    let text = Array(header.utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return ByteView(copying: length + text + [UInt8](repeating: 0, count: data))
  }

  private func refusal(_ header: String, data: Int) -> SafetensorsError? {
    do throws(SafetensorsError) {
      _ = try SafetensorsHeader(parsing: file(header, data: data))
      return nil
    } catch {
      return error
    }
  }

  @Test func allTypesAreKnownBySizeAndName() {
    let names =
      "BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ I16 U16 F16 "
      + "BF16 I32 U32 F32 C64 F64 I64 U64"
    #expect(DType.allCases.map(\.rawValue) == names.split(separator: " ").map(String.init))
    #expect(
      DType.allCases.map(\.bits)
        == [8, 4, 6, 6, 8, 8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 64, 64, 64, 64])
  }

  @Test(arguments: 0..<8) func aFileShorterThanTheLengthIsRefused(size: Int) {
    #expect(throws: SafetensorsError.tooShort(fileBytes: size)) {
      try SafetensorsHeader(parsing: ByteView(copying: [UInt8](repeating: 1, count: size)))
    }
  }

  @Test func aHeaderAtTheLimitMayBeAndAboveItNot() {
    let limit = SafetensorsHeader.limit
    for (length, expected) in [
      (limit, SafetensorsError.headerTruncated(bytes: limit, fileBytes: 8)),
      (limit + 1, .headerTooLarge(bytes: UInt64(limit) + 1, limit: limit)),
    ] {
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
      #expect(throws: expected) { try SafetensorsHeader(parsing: ByteView(copying: bytes)) }
    }
  }

  @Test func overlappingTensorsAreRefused() {
    // Ten names for the same bytes: 100 bytes of file that claim to be a thousand.
    let entries = (0..<10).map { #""t\#($0)":{"dtype":"U8","shape":[100],"data_offsets":[0,100]}"# }
    #expect(
      refusal("{" + entries.joined(separator: ",") + "}", data: 100)
        == .notContiguous(tensor: "t1", begin: 0, expected: 100))
  }

  @Test func gapsAndTrailingBytesAreRefused() {
    let tensor = #"{"a":{"dtype":"U8","shape":[2],"data_offsets":"#
    #expect(
      refusal(tensor + "[1,3]}}", data: 3) == .notContiguous(tensor: "a", begin: 1, expected: 0))
    #expect(
      refusal(tensor + "[0,2]}}", data: 3) == .dataLength(tensorBytes: 2, fileBytes: 3))
    #expect(
      refusal(
        tensor + #"[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}"#, data: 4)
        == .notContiguous(tensor: "b", begin: 3, expected: 2))
  }

  @Test func offsetsMustSpanWhatTheShapeNeeds() {
    #expect(
      refusal(#"{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,23]}}"#, data: 23)
        == .sizeMismatch(tensor: "a", dtype: .f32, shape: [2, 3], needed: 24, found: 23))
    #expect(
      refusal(#"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,0]}}"#, data: 0)
        == .sizeMismatch(tensor: "a", dtype: .f32, shape: [], needed: 4, found: 0))
    #expect(
      refusal(
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,18446744073709551615]}}"#,
        data: 0) == .notContiguous(tensor: "a", begin: .max, expected: 0))
    #expect(
      refusal(
        #"{"a":{"dtype":"U8","shape":[18446744073709551608],"data_offsets":[0,18446744073709551608]}}"#,
        data: 0) == .sizeOverflow(tensor: "a", dtype: .u8, shape: [18446744073709551608]))
    #expect(
      refusal(
        #"{"a":{"dtype":"U8","shape":[2305843009213693951],"data_offsets":[0,2305843009213693951]}}"#,
        data: 0) == .dataLength(tensorBytes: 2305843009213693951, fileBytes: 0))
  }

  /// They take no bytes, so nothing else would hold them to what is there.
  @Test(
    arguments: [
      [0, .max], [1 << 62, 0], [0, (1 << 24) + 1], [1 << 24, 2, 0], [1 << 20, 1 << 20, 1 << 20, 0],
    ] as [[UInt64]])
  func tensorsWithoutElementsMustNotClaimMuch(shape: [UInt64]) {
    #expect(
      refusal(#"{"a":{"dtype":"U64","shape":\#(shape),"data_offsets":[0,0]}}"#, data: 0)
        == .emptyTensorTooLarge(tensor: "a", shape: shape, limit: 1 << 24))
  }

  @Test(arguments: [[0], [0, 0], [1 << 24, 0], [0, 4096], [1 << 12, 1 << 12, 0]] as [[UInt64]])
  func tensorsWithoutElementsAreRead(shape: [UInt64]) {
    #expect(
      refusal(#"{"a":{"dtype":"U64","shape":\#(shape),"data_offsets":[0,0]}}"#, data: 0) == nil)
  }

  @Test func entriesAreCheckedFieldByField() {
    let other = #"{"x":1,"dtype":"U8","x":{},"shape":[],"data_offsets":[0,1]}"#
    #expect(refusal(#"{"a":\#(other)}"#, data: 1) == nil)
    #expect(refusal(#"{"a":7}"#, data: 0) == .entryNotObject(tensor: "a", found: "an integer"))
    #expect(
      refusal(#"{"a":["U8",[],[0,1],1]}"#, data: 1)
        == .entryNotObject(tensor: "a", found: "an array"))
    #expect(refusal(#"{"a":{}}"#, data: 0) == .missingField(tensor: "a", field: "dtype"))
    #expect(
      refusal(#"{"a":{"dtype":"U8","shape":[1]}}"#, data: 1)
        == .missingField(tensor: "a", field: "data_offsets"))
    #expect(
      refusal(#"{"__metadata__":null,"__metadata__":{}}"#, data: 0) == .metadataTwice)
  }

  @Test func composedAndDecomposedNamesAreTwoTensors() throws {
    let header = try SafetensorsHeader(
      parsing: file(
        #"{"é":["U8",[1],[0,1]],"e\u0301":["U8",[1],[1,2]]}"#, data: 2), duplicates: .reject)
    #expect(header.tensors.map { Array($0.name.utf8).count } == [2, 3])
  }

  @Test func tensorsAreLaidOutByDescendingTypeThenByTheBytesOfTheirNames() throws {
    let header = try SafetensorsHeader(
      layingOut: [
        TensorSpec(name: "b", dtype: .bool, shape: [3]),
        TensorSpec(name: "é", dtype: .f32, shape: [1]),
        TensorSpec(name: "z", dtype: .f32, shape: [2]),
        TensorSpec(name: "a", dtype: .i8, shape: [5]),
        TensorSpec(name: "s", dtype: .u64, shape: []),
        TensorSpec(name: "e", dtype: .f16, shape: [0, 7]),
      ], metadata: [:])
    #expect(header.tensors.map(\.name) == ["s", "z", "é", "e", "a", "b"])
    #expect(header.tensors.map(\.range) == [0..<8, 8..<16, 16..<20, 20..<20, 20..<25, 25..<28])
    #expect(header.dataOffset % 8 == 0)
  }

  @Test func theHeaderIsWrittenAsTheReferenceWritesIt() throws {
    var header = try SafetensorsHeader(
      layingOut: [TensorSpec(name: "a", dtype: .f32, shape: [1, 2])],
      metadata: ["format": "pt", "k": "\"\n"])
    let text =
      #"{"__metadata__":{"format":"pt","k":"\"\n"},"#
      + #""a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}      "#
    #expect(try header.encoded() == [104, 0, 0, 0, 0, 0, 0, 0] + Array(text.utf8))
    header.metadata["k"] = "xy"
    #expect(try header.encoded().count == 112)
    header.metadata["k"] = "12345678901"
    #expect(throws: SafetensorsError.headerGrew(bytes: 105, reserved: 104)) {
      try header.encoded()
    }
  }

  @Test func layoutsThatTheFormatForbidsAreRefused() {
    func refusal(_ specs: [TensorSpec]) -> SafetensorsError? {
      do throws(SafetensorsError) {
        _ = try SafetensorsHeader(layingOut: specs, metadata: [:])
        return nil
      } catch {
        return error
      }
    }
    let a = TensorSpec(name: "a", dtype: .u8, shape: [1])
    #expect(refusal([a, a]) == .duplicateTensor("a"))
    #expect(
      refusal([TensorSpec(name: "__metadata__", dtype: .u8, shape: [1])])
        == .reservedName("__metadata__"))
    #expect(
      refusal([TensorSpec(name: "a", dtype: .f4, shape: [3])])
        == .partialByte(tensor: "a", dtype: .f4, bits: 12))
    #expect(
      refusal([TensorSpec(name: "a", dtype: .f64, shape: [.max, 2])])
        == .sizeOverflow(tensor: "a", dtype: .f64, shape: [UInt64(Int.max), 2]))
  }

  @Test func aHeaderAboveTheLimitIsNotWritten() throws {
    let tensors = [TensorSpec(name: "a", dtype: .u8, shape: [1])]  // 53 bytes of JSON
    #expect(try SafetensorsHeader(layingOut: tensors, metadata: [:], limit: 56).dataOffset == 64)
    #expect(throws: SafetensorsError.headerTooLarge(bytes: 56, limit: 55)) {
      try SafetensorsHeader(layingOut: tensors, metadata: [:], limit: 55)
    }
  }

  @Test func metadataMayHaveManyEntries() throws {
    let entries = (0..<100_000).map { #""\#($0)":"""# }.joined(separator: ",")
    var header = try SafetensorsHeader(
      parsing: file(#"{"__metadata__":{\#(entries),"7":"again"}}"#, data: 0))
    #expect(header.metadata.entries.count == 100_000)
    #expect(header.metadata["7"] == "again")
    header.metadata["0"] = nil
    #expect(header.metadata["7"] == "again" && header.metadata["99999"] == "")
    #expect(header.metadata.entries.first?.key == "1")
  }

  @Test func messagesStayOnOneShortLine() {
    let error = SafetensorsError.noSuchTensor("a\n" + String(repeating: "b", count: 10_000))
    #expect(error.description.hasPrefix(#"no tensor "a\nbbb"#))
    #expect(error.description.count < 250)
  }
}
