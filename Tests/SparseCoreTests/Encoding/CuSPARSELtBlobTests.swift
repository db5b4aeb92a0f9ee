import SparseCore
import Testing

@Suite struct CuSPARSELtBlobTests {
  let layout = CuSPARSELtBlob.h100

  @Test func itIsNamedAfterWhatItWasMeasuredWith() {
    #expect(layout.gpu == "H100" && layout.version == "0.8.0")
  }

  @Test func theSizesAreThoseThatTheLibraryReported() throws {
    for (type, rows, columns, bytes) in [
      (ScalarType.float16, 32, 64, 2560), (.bfloat16, 96, 96, 10752), (.int8, 32, 32, 1024),
      (.int8, 96, 96, 6656), (.float16, 4096, 4096, 4096 * 4096 * 9 / 8),
      (.int8, 4096, 11008, 4096 * 11008 * 5 / 8), (.float16, 16, 16, 256 + 256),
      (.float16, 96, 32, 3072 + 768),
    ] {
      #expect(try layout.byteCount(rows: rows, columns: columns, type: type) == bytes)
    }
  }

  @Test(arguments: [ScalarType.float16, .bfloat16, .int8], [32, 64, 96, 160])
  func aBlobIsTheValuesAndThenTheMetadata(type: ScalarType, rows: Int) throws {
    for columns in [32, 64, 96, 224] {
      let weight = Matrix.pruned(rows: rows, columns: columns, seed: 2).stored(type)
      let compressed = try Compressed24(exactly: weight, filler: .cuSPARSELt)
      let blob = try layout.bytes(of: compressed)
      #expect(blob.count == (try layout.byteCount(rows: rows, columns: columns, type: type)))
      let metadata = try MetadataLayout.cuSPARSELt.encoded(compressed)
      #expect(blob.array == compressed.values.array + metadata.array)

      let contents = try layout.contents(of: blob, rows: rows, columns: columns, type: type)
      #expect(contents.values.array == compressed.values.array)
      #expect(contents.mask.bytes == compressed.mask.array)
    }
  }

  @Test func groupsWithOneNonZeroAreFilledAsTheLibraryFillsThem() throws {
    var values = Matrix(rows: 16, columns: 16)
    for place in 0..<4 { values[0, 4 * place + place] = 1 }
    let compressed = try Compressed24(exactly: values.stored(.float16), filler: .cuSPARSELt)
    let metadata = try MetadataLayout.cuSPARSELt.encoded(compressed).array
    // Row 0 has group g at nibble 4g; nothing else has a non-zero.
    #expect(
      metadata == [0xEC, 0xEE, 0xED, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE]
        + Array(repeating: 0xEE, count: 248))
  }

  @Test func shapesThatTheLibraryRefusesAreRefused() throws {
    for (type, rows, columns, unit) in [
      (ScalarType.float16, 24, 32, 16), (.bfloat16, 32, 40, 16), (.int8, 48, 64, 32),
      (.int8, 64, 48, 32),
    ] {
      let error = MetadataError.shape(
        rows: rows, columns: columns, rowMultiple: unit, columnMultiple: unit,
        layout: "cusparselt")
      #expect(throws: error) { try layout.byteCount(rows: rows, columns: columns, type: type) }
      let weight = Matrix.pruned(rows: rows, columns: columns, seed: 2).stored(type)
      let compressed = try Compressed24(exactly: weight)
      #expect(throws: error) { try layout.bytes(of: compressed) }
      #expect(throws: error) {
        try layout.contents(of: compressed.values, rows: rows, columns: columns, type: type)
      }
    }
    let float32 = try Compressed24(
      exactly: Matrix.pruned(rows: 64, columns: 64, seed: 2).stored(.float32))
    #expect(throws: MetadataError.type(.float32, layout: "cusparselt")) {
      try layout.bytes(of: float32)
    }
  }

  @Test func blobsThatAreNoneAreRefused() throws {
    let weight = Matrix.pruned(rows: 32, columns: 64, seed: 2).stored(.float16)
    let compressed = try Compressed24(exactly: weight)
    var blob = try layout.bytes(of: compressed).array
    for count in [0, 2048, 2559, 2561] {
      let bytes = ByteView(copying: Array((blob + [0]).prefix(count)))
      #expect(throws: MetadataError.byteCount(count, needed: 2560, layout: "cusparselt")) {
        try layout.contents(of: bytes, rows: 32, columns: 64, type: .float16)
      }
    }
    blob[2048] = blob[2048] & 0xF0 | 0b0101
    #expect(throws: MetadataError.invalidNibble(0b0101, row: 0, group: 0)) {
      try layout.contents(of: ByteView(copying: blob), rows: 32, columns: 64, type: .float16)
    }
  }
}
