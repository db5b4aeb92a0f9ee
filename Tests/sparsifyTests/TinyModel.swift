import Foundation
import SparseCore
import TestSupport

/// A copy of the trained fixture in a folder of its own, to be worked on and broken.
struct TinyModel {
  /// The folder that everything of a test happens in.
  let folder: TemporaryFolder
  /// The model's folder, called `model`.
  var path: String { folder["model"] }
  /// The file with the weights.
  var weights: String { path + "/model.safetensors" }

  /// The names of the weights that are pruned by default.
  static let linears = (0..<4).flatMap { block in
    ["self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "mlp.gate", "mlp.up", "mlp.down"]
      .map { "model.layers.\(block).\($0)_proj.weight" }
  }

  /// A text of the fixture: `heldout.txt` or `calibration.txt`.
  static func text(_ name: String) -> String { fixture.appending(path: name).path }

  /// What PyTorch computed from the fixture's weights.
  static func golden() throws -> JSON {
    try JSON(parsing: Data(contentsOf: fixture.appending(path: "golden.json")).text)
  }

  private static let fixture = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/tiny-llama")

  /// Copies config, tokenizer and weights.
  init() throws {
    folder = try TemporaryFolder()
    for name in [
      "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
      "tokenizer_config.json",
    ] {
      try folder.write(
        [UInt8](Data(contentsOf: Self.fixture.appending(path: name))), to: "model/\(name)")
    }
  }

  /// What lies beside the model's folder: what runs have made or left.
  func made() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "model" }
      .sorted()
  }

  /// Gives a key of config.json another value, or takes it out.
  func configure(_ key: String, _ value: JSON?) throws {
    let text = String(decoding: try folder.read("model/config.json"), as: UTF8.self)
    var members = try JSON(parsing: text).object ?? []
    members.removeAll { $0.key == key }
    if let value { members.append(JSON.Member(key: key, value: value)) }
    try folder.write(JSON.object(members).text(), to: "model/config.json")
  }

  /// Sets one bfloat16 value of a tensor.
  func set(_ tensor: String, at index: Int, toBits bits: UInt16) throws {
    let file = try SafetensorsFile(path: weights)
    var bytes = try folder.read("model/model.safetensors")
    let dataStart = bytes.count - (file.tensors.map(\.range.upperBound).max() ?? 0)
    let place = dataStart + (file[tensor]?.range.lowerBound ?? 0) + 2 * index
    bytes[place] = UInt8(truncatingIfNeeded: bits)
    bytes[place + 1] = UInt8(truncatingIfNeeded: bits >> 8)
    try folder.write(bytes, to: "model/model.safetensors")
  }

  /// Writes token ids as a file for `--calibration` and `--tokens`; returns its path.
  func writeTokens(_ ids: [Int32], samples: Int, named name: String = "tokens.safetensors") throws
    -> String
  {
    let shape = [samples, ids.count / max(1, samples)]
    let writer = try SafetensorsWriter(
      path: folder[name], tensors: [TensorSpec(name: "tokens", dtype: .i32, shape: shape)])
    let bytes = ids.flatMap { id in (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } }
    try writer.write(ByteView(copying: bytes), as: "tokens", at: 0)
    try writer.commit()
    return folder[name]
  }
}

extension Data {
  fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
