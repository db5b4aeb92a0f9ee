/// What a file is that stands in the place of another kind, told by its first bytes.
///
/// Its description says what the file is and what to do about it.
public enum ForeignFile: String, Sendable, Equatable, CaseIterable {
  /// The three lines that stand for a large file in a repository without it.
  case lfsPointer = "a git-LFS pointer, not the file itself: run 'git lfs pull' in its folder"
  /// HTML, such as the page of a login in place of a download.
  case webPage = "a web page, not the file itself: the download needs a login or an access token"
  /// Weights that PyTorch has saved, as a zip file or an older pickle.
  case pytorch = "a PyTorch file: load it where it comes from and save it as safetensors"
  /// Any other Python pickle.
  case pickle = "a Python pickle: load it where it comes from and save its tensors as safetensors"
  /// Weights for llama.cpp.
  case gguf = "a GGUF file of llama.cpp: start from the safetensors that it was made of"
  /// Weights for llama.cpp before GGUF.
  case ggml = "a GGML file of llama.cpp: start from the safetensors that it was made of"
  /// One array of NumPy.
  case numpy = "a NumPy array: save it as safetensors"
  /// Several arrays of NumPy, as MLX also writes weights.
  case numpyArchive = "a NumPy archive (.npz): save its arrays as safetensors"
  /// A table of a data set.
  case parquet = "a Parquet table: write its text column to a plain text file"
  /// A table of a data set in memory layout.
  case arrow = "an Arrow table: write its text column to a plain text file"
  /// Weights of Keras.
  case hdf5 = "an HDF5 file of Keras: save the model as safetensors"
  /// A graph for ONNX Runtime.
  case onnx = "an ONNX graph: start from the safetensors that it was made of"
  /// Weights of Flax.
  case flax = "a Flax file: load it where it comes from and save it as safetensors"
  /// A graph for TensorFlow Lite.
  case tensorFlowLite = "a TensorFlow Lite graph: start from the safetensors that it was made of"
  /// Tensors.
  case safetensors = "a safetensors file"
  /// A document.
  case pdf = "a PDF document: save its text as plain text"
  /// Files packed into one, or compressed.
  case archive = "an archive or compressed file: unpack it first"
  /// Zeros alone.
  case zeros = "nothing but zeros, as a download leaves that did not end: download it again"

  /// The kind of a file by its first bytes, or else by its name; nil for any other.
  ///
  /// - Parameters:
  ///   - file: all of its bytes.
  ///   - name: its name, where that may tell.
  package init?(_ file: ByteView, name: String = "") {
    guard let kind = Self.kind(of: file) ?? Self.kind(named: name) else { return nil }
    self = kind
  }

  /// The kind that the end of a name tells; nil for any other.
  package static func kind(named name: String) -> ForeignFile? {
    let name = name.lowercased()
    return endings.first { ending, _ in name.hasSuffix(ending) }?.kind
  }

  private static let endings: [(ending: String, kind: ForeignFile)] = [
    (".bin", .pytorch), (".pt", .pytorch), (".pth", .pytorch), (".ckpt", .pytorch),
    (".ptl", .pytorch), (".distcp", .pytorch), (".pkl", .pickle), (".pickle", .pickle),
    (".gguf", .gguf), (".ggml", .ggml), (".npz", .numpyArchive), (".npy", .numpy),
    (".parquet", .parquet), (".arrow", .arrow), (".h5", .hdf5), (".onnx", .onnx),
    (".msgpack", .flax), (".tflite", .tensorFlowLite),
  ]

  private static let starts: [(bytes: [UInt8], kind: ForeignFile)] = [
    (Array("version https://git-lfs".utf8), .lfsPointer), (Array("GGUF".utf8), .gguf),
    (Array("lmgg".utf8), .ggml), (Array("fmgg".utf8), .ggml), (Array("tjgg".utf8), .ggml),
    (Array("PAR1".utf8), .parquet), (Array("ARROW1".utf8), .arrow),
    ([0x93] + Array("NUMPY".utf8), .numpy), ([0x89] + Array("HDF".utf8), .hdf5),
    (Array("%PDF".utf8), .pdf), ([0x1F, 0x8B], .archive), ([0x28, 0xB5, 0x2F, 0xFD], .archive),
    ([0xFD] + Array("7zXZ".utf8), .archive), (Array("BZh".utf8), .archive),
    ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], .archive),
  ]

  private static func kind(of file: ByteView) -> ForeignFile? {
    let head = Array(file.bytes.prefix(4096))
    if let start = starts.first(where: { head.starts(with: $0.bytes) }) { return start.kind }
    if head.count >= 10, head[8] == UInt8(ascii: "{"), head[4..<8].allSatisfy({ $0 == 0 }) {
      return .safetensors
    }
    if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return kind(ofZip: head) }
    // Protocols 2 to 5; protocol 0 is text that nothing tells from other text.
    if head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) {
      // The number that PyTorch's older files begin with, 0x1950a86a20f9469cfc6c.
      let torch: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
      return head.dropFirst(2).starts(with: torch) ? .pytorch : .pickle
    }
    if head.count > 8, Array(head[4..<8]) == Array("TFL3".utf8) { return .tensorFlowLite }
    if head.count > 262, Array(head[257..<262]) == Array("ustar".utf8) { return .archive }
    if isWebPage(head) { return .webPage }
    return head.count >= 64 && head.allSatisfy { $0 == 0 } ? .zeros : nil
  }

  /// The kind of a zip file by the name of its first entry.
  private static func kind(ofZip head: [UInt8]) -> ForeignFile {
    guard head.count > 30 else { return .archive }
    let length = Int(head[26]) | Int(head[27]) << 8
    let name = String(decoding: head[30...].prefix(length), as: UTF8.self)
    if name.hasSuffix(".npy") { return .numpyArchive }
    let isTorch = ["/data.pkl", "/version", "/byteorder", "/.format_version"].contains {
      name.hasSuffix($0)
    }
    return isTorch ? .pytorch : .archive
  }

  private static func isWebPage(_ head: [UInt8]) -> Bool {
    var text = head[...]
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
    text = text.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    let start = String(decoding: text.prefix(16), as: UTF8.self).lowercased()
    return ["<!doctype html", "<html", "<head"].contains(where: start.hasPrefix)
  }
}

extension ForeignFile: CustomStringConvertible {
  /// A few words: what the file is, and what to do.
  public var description: String { rawValue }
}
