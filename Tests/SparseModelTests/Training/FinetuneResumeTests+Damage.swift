internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Work that is not as an earlier run has left it.
extension FinetuneResumeTests {
  /// What a training is gone on from is checked before it is believed, and made anew where it is not what was written.
  @Test(arguments: ["state", "best"], ["empty", "short", "header", "missing", "a bit", "the log"])
  func damagedWorkIsDoneAnew(file: String, damage: String) throws {
    let what = Self.cases[0]
    try place.run(options(what, to: "whole"))
    _ = try leave(what, at: "copy the rest")
    let name = "cut.partial/training/\(file).safetensors"
    var bytes = try place.folder.read(name)
    switch damage {
    case "empty": bytes = []
    case "short": bytes.removeLast(5)
    case "header": for index in 8..<200 { bytes[index] ^= 0x15 }
    case "a bit": bytes[bytes.count - 3] ^= 1
    case "the log":
      // Of the state it is one digit of a number, the same file otherwise.
      let text = Array((file == "state" ? #""learningRate\":"# : #""fingerprint":"#).utf8)
      let place = try #require(bytes.firstRange(of: text)).upperBound
      bytes[place] = bytes[place] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
    default: break
    }
    if damage == "missing" {
      try FileManager.default.removeItem(atPath: place.folder[name])
    } else {
      try place.folder.write(bytes, to: name)
    }
    var isBegunAnew = false
    try place.run(options(what, to: "cut", resumes: true)) {
      if $0.step.hasPrefix("step 1 of 4") { isBegunAnew = true }
    }
    #expect(isBegunAnew)
    #expect(try place.bytes("cut") == place.bytes("whole"))
  }

  @Test func damagedBlocksAreTrainedAnew() throws {
    let blocks = Self.cases[5]
    try place.run(options(blocks, to: "whole"))
    _ = try leave(blocks, at: "copy the rest")
    var bytes = try place.folder.read("cut.partial/output/model.safetensors")
    for index in stride(from: bytes.count / 4, to: bytes.count, by: 61) { bytes[index] ^= 0x55 }
    try place.folder.write(bytes, to: "cut.partial/output/model.safetensors")
    _ = try resume(blocks)
    #expect(try place.bytes("cut") == place.bytes("whole"))
  }

  /// A block that was trained anew is as good as any other when the run is cut once more.
  @Test func blocksThatWereTrainedAnewAreKept() throws {
    let blocks = Self.cases[5]
    _ = try leave(blocks, at: "copy the rest")
    var bytes = try place.folder.read("cut.partial/output/model.safetensors")
    let file = try SafetensorsFile(path: place.folder["cut.partial/output/model.safetensors"])
    let start = bytes.count - (file.tensors.map(\.range.upperBound).max() ?? 0)
    let first = try #require(file["model.layers.0.mlp.up_proj.weight"])
    bytes[start + first.range.lowerBound] ^= 1
    try place.folder.write(bytes, to: "cut.partial/output/model.safetensors")
    /// The reports until the copying begins, where the run is cut.
    func reports() -> Int {
      var count = 0
      #expect(throws: UnfinishedRun.self) {
        try place.run(options(blocks, to: "cut", resumes: true)) {
          if $0.step == "copy the rest" { throw Cut() }
          count += 1
        }
      }
      return count
    }
    let (anew, passed) = (reports(), reports())
    #expect(passed < anew)
    #expect(reports() == passed)
    _ = try resume(blocks)
    try place.run(options(blocks, to: "whole"))
    #expect(try place.bytes("cut") == place.bytes("whole"))
  }
}
