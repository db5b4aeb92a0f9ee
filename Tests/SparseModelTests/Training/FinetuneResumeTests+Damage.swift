internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Work that is not as an earlier run has left it.
extension FinetuneResumeTests {
  /// What a training is gone on from is checked before it is believed, and its steps are not lost without a word.
  @Test(arguments: ["state", "best"], ["empty", "short", "header", "missing", "a bit", "the log"])
  func damagedWorkIsNamedAndKept(file: String, damage: String) throws {
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
    let before = try place.folder.contents()
    let error = #expect(throws: TrainingError.self) { try resume(what) }
    guard case .badState(let path, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(path == place.folder[name])
    #expect(reason.hasPrefix(damage == "missing" ? "it is gone" : "it is "), "\(reason)")
    #expect(
      "\(TrainingError.badState(path: path, reason: reason))"
        == "\(path): the training cannot go on from it: \(reason); once the folder \(partial)/training is removed it begins anew"
    )
    #expect(try place.folder.contents() == before)
    // Without the folder there is nothing to be believed.
    try FileManager.default.removeItem(atPath: partial + "/training")
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
    var notes: [String] = []
    try place.run(options(blocks, to: "cut", resumes: true)) {
      if let note = $0.note { notes.append(note) }
    }
    #expect(
      notes == [
        "\(partial)/output: is not what the earlier run has written: of 2 trained blocks 0 can be used,"
          + " and the rest is trained anew"
      ])
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
