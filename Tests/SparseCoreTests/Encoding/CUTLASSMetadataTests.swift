import SparseCore
import TestSupport
import Testing

/// Metadata against that of PyTorch's `sparse_semi_structured_from_dense_cutlass`.
@Suite(.enabled(if: Shared.exists)) struct CUTLASSMetadataTests {
  static let names = [
    "fp16_32x64_exact2", "fp16_32x64_lt2", "bf16_32x64_exact2", "bf16_32x64_lt2",
    "int8_16x64_exact2", "int8_16x64_lt2", "int8_32x128_exact2", "int8_32x128_lt2",
  ]

  @Test(arguments: names) func theMetadataIsThatOfPyTorch(name: String) throws {
    let golden = try Golden(name)
    let compressed = try Compressed24(exactly: golden.weight, filler: .pyTorch)
    let metadata = try MetadataLayout.cutlass.encoded(compressed)
    #expect(metadata.array == golden.reordered)
    let logical = try MetadataLayout.logical.encoded(compressed)
    #expect(logical.array == golden.logical)
  }

  @Test(arguments: names) func theMaskOfPyTorchsMetadataKeepsItsValues(name: String) throws {
    let golden = try Golden(name)
    let weight = golden.weight
    let (rows, columns, type) = (weight.rows, weight.columns, weight.type)
    let mask = try MetadataLayout.cutlass.mask(
      from: ByteView(copying: golden.reordered), rows: rows, columns: columns, type: type)
    #expect(
      try MetadataLayout.logical.mask(
        from: ByteView(copying: golden.logical), rows: rows, columns: columns, type: type) == mask)
    // Where a zero is kept, PyTorch keeps its sign, too.
    let dense = weight.bytes.array
    let kept = mask.kept.enumerated().filter(\.element).map(\.offset)
    let values = kept.flatMap { dense[$0 * type.byteCount..<($0 + 1) * type.byteCount] }
    #expect(values == golden.values)
  }

  /// The offsets to which upstream scatters the words, for masks that upstream has not seen.
  @Test(arguments: names) func wordsGoWhereUpstreamScattersThem(name: String) throws {
    let golden = try Golden(name)
    let (weight, type) = (golden.weight, golden.weight.type)
    let size = MetadataLayout.cutlassWordBytes(for: type)
    for seed in 0..<4 as Range<UInt64> {
      let mask = try Mask24.random(rows: weight.rows, columns: weight.columns, seed: seed)
      let logical = try MetadataLayout.logical.encoded(mask, for: type).array
      var scattered = [UInt8](repeating: 0, count: logical.count)
      for (word, offset) in golden.offsets.enumerated() {
        for byte in 0..<size { scattered[offset * size + byte] = logical[word * size + byte] }
      }
      #expect(try MetadataLayout.cutlass.encoded(mask, for: type).array == scattered)
    }
  }

  @Test(arguments: names) func pyTorchsOwnRulesAreStricter(name: String) throws {
    let golden = try Golden(name)
    let (weight, layout) = (golden.weight, MetadataLayout.pyTorch)
    let compressed = try Compressed24(exactly: weight, filler: layout.filler)
    if name.hasPrefix("int8_16x64") {
      let error = MetadataError.shape(
        rows: 16, columns: 64, rowMultiple: 16, columnMultiple: 128, layout: "pytorch")
      #expect(throws: error) { try layout.encoded(compressed) }
    } else {
      #expect(try layout.encoded(compressed).array == golden.reordered)
    }
  }

  /// PyTorch accepts these and then scatters out of bounds.
  @Test(arguments: [
    (ScalarType.float16, 16), (.float16, 48), (.bfloat16, 80), (.int8, 32), (.int8, 96),
    (.int8, 160),
  ]) func anOddNumberOfWordColumnsIsRefused(type: ScalarType, columns: Int) throws {
    let mask = try Mask24.random(rows: 32, columns: columns, seed: 1)
    let error = MetadataError.shape(
      rows: 32, columns: columns, rowMultiple: type == .int8 ? 16 : 32,
      columnMultiple: type == .int8 ? 64 : 32, layout: "cutlass")
    #expect(throws: error) { try MetadataLayout.cutlass.encoded(mask, for: type) }
  }
}

private struct Golden {
  let weight: StoredMatrix
  let values: [UInt8]
  let reordered: [UInt8]
  let logical: [UInt8]
  let offsets: [Int]

  init(_ name: String) throws {
    let file = try SafetensorsFile(
      path: Shared.path("golden/formats/cutlass_\(name).safetensors"))
    let shape = try #require(file["dense"]).shape
    weight =
      name.hasPrefix("int8")
      ? StoredMatrix(
        codes: try file.bytes(of: "dense"), on: .ones(rows: shape[0], columns: shape[1]))
      : try file.matrix("dense")
    values = try file.bytes(of: "values").array
    reordered = try file.bytes(of: "meta_reordered").array
    logical = try file.bytes(of: "meta_rowmajor").array
    offsets = try file.integers("scatter_offsets")
  }
}
