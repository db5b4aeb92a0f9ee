@testable internal import SparseCore
internal import TestSupport
internal import Testing

/// The files of `golden/safetensors_cases` and what the format's own reader says of each.
@Suite(.enabled(if: Shared.exists)) struct SafetensorsGoldenTests {
  private static let folder = Shared.path("golden/safetensors_cases/")
  private static let verdicts: [JSON.Member] =
    (try? JSON(parsing: MappedFile(path: Shared.path("golden/safetensors_cases.json")).bytes))?
    .object ?? []

  /// Why we refuse each file that is refused there: a wrong reason is a failure too.
  private static let refusals: [String: SafetensorsError] = [
    "comment_json": notJSON(.unexpectedByte(0x2F, expected: "a value"), 0),
    "deep_nesting": notJSON(.tooDeep(limit: 128), 143),
    "dtype_lowercase": .unknownDType(tensor: "test", dtype: "i32"),
    "dtype_num": invalid("dtype", "a string", "3"),
    "dtype_unknown": .unknownDType(tensor: "test", dtype: "Q8"),
    "dup_field_in_info": .duplicateField(tensor: "test", field: "dtype"),
    "empty_file": .tooShort(fileBytes: 0),
    "f6_1_misaligned": .partialByte(tensor: "test", dtype: .f6e3m2, bits: 6),
    "header_100000000_truncated": .headerTruncated(bytes: 100_000_000, fileBytes: 84),
    "header_array": .headerNotObject(found: "an array"),
    "header_len_only": .headerTruncated(bytes: 60, fileBytes: 8),
    "header_len_zero": notJSON(.unexpectedEnd, 0),
    "header_longer_than_file": .headerTruncated(bytes: 1000, fileBytes: 84),
    "header_non_utf8": .headerNotUTF8,
    "header_null": .headerNotObject(found: "null"),
    "header_string": .headerNotObject(found: "a string"),
    "header_too_large_u64": .headerTooLarge(bytes: 0xFFFF_FF00_0000_003C, limit: 100_000_000),
    "info_missing_shape": .missingField(tensor: "test", field: "shape"),
    "metadata_int_value": .metadataNotString(key: "a", found: "an integer"),
    "metadata_list": .metadataNotObject(found: "an array"),
    "metadata_nested": .metadataNotString(key: "a", found: "an object"),
    "minus_zero": invalid("data_offsets", "two non-negative integers", "[-0.0,16]"),
    "missing_two_bytes": .dataLength(tensorBytes: 16, fileBytes: 14),
    "name_lone_surrogate": notJSON(.loneSurrogate, 3),
    "offsets_negative": invalid("data_offsets", "two non-negative integers", "[-16,0]"),
    "offsets_one": invalid("data_offsets", "two non-negative integers", "[0]"),
    "offsets_reversed": .reversedOffsets(tensor: "test", begin: 16, end: 0),
    "offsets_three": invalid("data_offsets", "two non-negative integers", "[0,16,32]"),
    "overlap_full": .notContiguous(tensor: "b", begin: 0, expected: 16),
    "past_eof": .dataLength(tensorBytes: 16, fileBytes: 0),
    "raw_control_char_in_name": notJSON(.controlCharacter(0x0A), 3),
    "shape_exp": invalid("shape", "a list of non-negative integers", "[2.0,2]"),
    "shape_huge_times_zero_overflow_first":
      .sizeOverflow(tensor: "test", dtype: .i32, shape: [.max, 2, 0]),
    "shape_negative": invalid("shape", "a list of non-negative integers", "[-2,-2]"),
    "shape_overflow_bits":
      .sizeOverflow(tensor: "test", dtype: .i32, shape: [2, UInt64(Int.max)]),
    "shape_overflow_mul": .sizeOverflow(tensor: "test", dtype: .i32, shape: [2, .max - 1]),
    "shape_string": invalid("shape", "a list of non-negative integers", #"["2",2]"#),
    "shape_u64_plus1":
      invalid("shape", "a list of non-negative integers", "[1.8446744073709552e+19]"),
    "trailing_nul": notJSON(.trailingText, 60),
  ]

  private static func notJSON(_ reason: JSONError.Reason, _ offset: Int) -> SafetensorsError {
    // Every header here is one line.
    .headerNotJSON(JSONError(reason: reason, offset: offset, line: 1, column: offset + 1))
  }

  private static func invalid(
    _ field: String, _ expected: String, _ found: String
  ) -> SafetensorsError {
    .invalidField(tensor: "test", field: field, expected: expected, found: found)
  }

  @Test func theTableCoversExactlyTheRefusedFiles() {
    let refused = Self.verdicts.filter { $0.value.string != "accept" }.map(\.key)
    #expect(Self.verdicts.count == 73)
    #expect(refused.sorted() == Self.refusals.keys.sorted())
  }

  @Test(arguments: verdicts.map(\.key))
  func theVerdictIsTheReferences(name: String) throws {
    let path = Self.folder + name + ".safetensors"
    if let reason = Self.refusals[name] {
      let error = #expect(throws: SafetensorsFileError.self) { try SafetensorsFile(path: path) }
      #expect(error?.reason == reason)
      #expect(error?.path == path)
    } else {
      let file = try SafetensorsFile(path: path)
      #expect(file.header.fileByteCount == file.mapping.size)
    }
  }

  @Test func ofTwoTensorsWithOneNameTheLastCounts() throws {
    let path = Self.folder + "dup_tensor_diff.safetensors"
    let file = try SafetensorsFile(path: path)
    #expect(file.tensors.map(\.spec) == [TensorSpec(name: "test", dtype: .f32, shape: [2, 2])])
    #expect(file.tensors[0].range == 0..<16)
    let error = #expect(throws: SafetensorsFileError.self) {
      try SafetensorsFile(path: path, duplicates: .reject)
    }
    #expect(error?.reason == .duplicateTensor("test"))
  }

  @Test func ofTwoTextsWithOneNameTheLastCounts() throws {
    let path = Self.folder + "dup_key_in_metadata.safetensors"
    #expect(try SafetensorsFile(path: path).metadata == ["a": "c"])
    let error = #expect(throws: SafetensorsFileError.self) {
      try SafetensorsFile(path: path, duplicates: .reject)
    }
    #expect(error?.reason == .duplicateMetadata(key: "a"))
  }

  @Test func whatIsAcceptedIsReadRight() throws {
    func file(_ name: String) throws -> SafetensorsFile {
      try SafetensorsFile(path: Self.folder + name + ".safetensors")
    }
    #expect(
      try file("info_as_array").tensors.map(\.spec)
        == [TensorSpec(name: "test", dtype: .i32, shape: [2, 2])])
    #expect(try file("metadata_null").metadata.isEmpty)
    #expect(try file("metadata_only_no_data").metadata == ["a": "b"])
    #expect(try file("empty_name")[""]?.byteCount == 16)
    let middle = try file("zero_sized_mid")
    #expect(middle.tensors.map(\.name) == ["a", "z", "b"])
    #expect(middle["z"]?.elementCount == 0)
    let misaligned = try file("misaligned_tensor_i8_then_i32")
    #expect(misaligned["b"]?.range == 1..<5)
    #expect(try misaligned.integers("b") == [0])
  }

  @Test func calibrationTokensAreIntegers() throws {
    let file = try SafetensorsFile(path: Shared.path("data/smollm2-calibration-64x512.safetensors"))
    let tensor = try #require(file.tensors.first)
    #expect(tensor.shape == [64, 512])
    let tokens = try file.integers(tensor.name)
    #expect(tokens.count == 64 * 512)
    #expect(tokens.allSatisfy { (0..<49152).contains($0) })
  }

  @Test func whatTheReferenceWroteIsWrittenTheSame() throws {
    let temporary = try TemporaryFolder()
    let names = try FileSystem.names(in: Shared.path("golden/formats"))
      .filter { $0.hasSuffix(".safetensors") }
    #expect(!names.isEmpty)
    for name in names {
      let file = try SafetensorsFile(path: Shared.path("golden/formats/\(name)"))
      let writer = try SafetensorsWriter(
        path: temporary[name], tensors: file.tensors.map(\.spec), metadata: file.metadata)
      for tensor in file.tensors { try writer.write(file.bytes(of: tensor), as: tensor.name) }
      try writer.commit()
      #expect(try temporary.read(name) == Array(file.mapping.bytes.bytes), "\(name)")
    }
  }
}
