internal import TestSupport
internal import Testing

@testable internal import SparseCore

@Suite struct SafetensorsRoundTripTests {
  /// Tensors of every type and many shapes under names that need escapes.
  private func randomTensors(_ random: inout SplitMix64) -> [TensorSpec] {
    var names: Set<ExactString> = [
      ExactString(""), ExactString("é"), ExactString("e\u{301}"), ExactString("a\"\\/\u{1}\n\0"),
      ExactString("🦙"), ExactString("../x"),
    ]
    while names.count < 20 {
      let scalars = (0..<Int.random(in: 1..<20, using: &random)).compactMap { _ in
        Unicode.Scalar(UInt32.random(in: 0..<0x3000, using: &random))
      }
      names.insert(ExactString(String(String.UnicodeScalarView(scalars))))
    }
    // Set order differs from run to run, so the names are sorted before they are shuffled by seed.
    return names.sorted().shuffled(using: &random).prefix(Int.random(in: 0...20, using: &random))
      .map { name in
        let dtype = DType.allCases.randomElement(using: &random) ?? .f32
        var shape = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
          Int.random(in: 0..<6, using: &random)
        }
        if dtype.bits < 8 { shape.append(4) }
        return TensorSpec(name: name.string, dtype: dtype, shape: shape)
      }
  }

  @Test(arguments: UInt64(0)..<96)
  func whatIsWrittenIsReadBackBitForBit(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let specs = randomTensors(&random)
    var metadata: SafetensorsMetadata = seed % 3 == 0 ? [:] : ["format": "pt", "é\n": "\0\"🦙"]
    let folder = try TemporaryFolder()
    let writer = try SafetensorsWriter(
      path: folder["a"], tensors: specs, metadata: metadata)
    var contents: [ExactString: [UInt8]] = [:]
    for tensor in writer.header.tensors.shuffled(using: &random) {
      let bytes = (0..<tensor.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
      contents[ExactString(tensor.name)] = bytes
      try writer.write(ByteView(copying: bytes), as: tensor.name)
    }
    if !metadata.isEmpty { metadata["format"] = "np" }
    try writer.commit(metadata: metadata)

    let file = try SafetensorsFile(path: folder["a"], duplicates: .reject)
    #expect(try folder.contents() == ["a"], "seed \(seed)")
    #expect(file.metadata == metadata, "seed \(seed)")
    #expect(file.header == writer.header.with(metadata), "seed \(seed)")
    #expect(file.header.dataOffset % 8 == 0, "seed \(seed)")
    #expect(file.tensors.count == specs.count, "seed \(seed)")
    for spec in specs {
      #expect(file[spec.name]?.spec == spec, "seed \(seed)")
      let bytes = try file.bytes(of: spec.name)
      #expect(Array(bytes.bytes) == contents[ExactString(spec.name)], "seed \(seed)")
    }
    for tensor in file.tensors where tensor.dtype.bits >= 8 {
      let place = file.header.dataOffset + tensor.range.lowerBound
      #expect(place % (tensor.dtype.bits / 8) == 0, "seed \(seed): \(tensor.name) is not aligned")
    }
  }

  @Test(arguments: UInt64(0)..<16)
  func everyCutAndManyFlipsAreRefusedOrRead(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let header = try SafetensorsHeader(
      layingOut: randomTensors(&random), metadata: ["format": "pt"])
    let whole = try header.encoded() + [UInt8](repeating: 7, count: header.dataByteCount)
    let view = ByteView(copying: whole)
    for size in 0..<whole.count {
      #expect(throws: SafetensorsError.self, "seed \(seed), cut to \(size)") {
        try SafetensorsHeader(parsing: view[0..<size])
      }
    }
    for _ in 0..<100 {
      var bytes = whole
      let place = Int.random(in: 0..<header.dataOffset, using: &random)
      bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      let file = ByteView(copying: bytes)
      // Either verdict may be right; what is accepted must lie within the file.
      if let damaged = try? SafetensorsHeader(parsing: file) {
        #expect(damaged.fileByteCount == bytes.count, "seed \(seed), byte \(place)")
      }
    }
  }
}

extension SafetensorsHeader {
  fileprivate func with(_ metadata: SafetensorsMetadata) -> SafetensorsHeader {
    var header = self
    header.metadata = metadata
    return header
  }
}
