internal import SparseCore
internal import TestSupport
internal import Testing

/// Files of other kinds, told by the bytes that their formats begin with.
@Suite struct ForeignFileTests {
  /// The start of a zip file with one entry of that name.
  static func zip(_ name: String) -> [UInt8] {
    [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [UInt8(name.utf8.count), 0, 0, 0]
      + Array(name.utf8) + [UInt8](repeating: 7, count: 40)
  }

  static let lfs =
    "version https://git-lfs.github.com/spec/v1\noid sha256:0f0f\nsize 269060552\n"

  @Test(
    arguments: [
      (Array(lfs.utf8), ForeignFile.lfsPointer),
      (Array("<!DOCTYPE html><html></html>".utf8), .webPage),
      (Array("\u{FEFF}\n <HTML lang=\"en\">".utf8), .webPage),
      (zip("archive/data.pkl"), .pytorch), (zip("model/version"), .pytorch),
      (zip("weights/a.npy"), .numpyArchive), (zip("a.txt"), .archive),
      // torch.save(..., _use_new_zipfile_serialization=False), and pickle.dumps([], 4).
      (
        [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E],
        .pytorch
      ),
      ([0x80, 4, 0x5D, 0x94, 0x2E], .pickle),
      (Array("GGUF".utf8) + [3, 0, 0, 0], .gguf), (Array("tjgg".utf8) + [3, 0, 0, 0], .ggml),
      (Array("PAR1".utf8) + [0x15, 4], .parquet), ([0x93] + Array("NUMPY".utf8) + [1, 0], .numpy),
      ([0x89] + Array("HDF\r\n".utf8), .hdf5), ([0x1F, 0x8B, 8, 0], .archive),
      ([0x1C, 0, 0, 0] + Array("TFL3".utf8) + [0], .tensorFlowLite),
      (Array("%PDF-1.7".utf8), .pdf), ([UInt8](repeating: 0, count: 64), .zeros),
    ] as [([UInt8], ForeignFile)])
  func isToldByItsStart(bytes: [UInt8], kind: ForeignFile) throws {
    #expect(ForeignFile(ByteView(copying: bytes)) == kind)
    let folder = try TemporaryFolder()
    let path = try folder.write(bytes, to: "model.safetensors")
    #expect(throws: SafetensorsFileError(path: path, reason: .foreign(kind))) {
      try SafetensorsFile(path: path)
    }
    let error = #expect(throws: JSONError.self) {
      try JSON(parsing: MappedFile(path: path).bytes)
    }
    #expect(error?.description == "not JSON but \(kind)")
  }

  @Test(arguments: ["{\"a\": 1}", "Ada has 3 apples.", "", "versions of GGUF", "<3 apples"])
  func textIsNone(text: String) {
    #expect(ForeignFile(ByteView(copying: Array(text.utf8))) == nil)
  }

  @Test func aSafetensorsFileIsOneInPlaceOfText() {
    let bytes: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8)
    #expect(ForeignFile(ByteView(copying: bytes)) == .safetensors)
  }

  @Test(arguments: [
    ("pytorch_model.bin", ForeignFile.pytorch), ("a.GGUF", .gguf), ("weights.npz", .numpyArchive),
  ])
  func aNameTellsWhatBytesDoNot(name: String, kind: ForeignFile) {
    #expect(ForeignFile(ByteView(copying: [1, 2, 3]), name: name) == kind)
  }
}
