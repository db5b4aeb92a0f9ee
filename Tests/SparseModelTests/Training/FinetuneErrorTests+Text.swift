internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Texts that cannot be trained on.
extension FinetuneErrorTests {
  @Test func windowsHaveToHoldATokenToPredict() throws {
    let place = try TrainingPlace()
    for options in [
      place.options { $0.data.length = 1 }, place.blockOptions { $0.data.length = 1 },
    ] {
      try expectRefusal(
        TrainingError.self, place, options,
        says: "windows of 1 token have nothing to predict: at least 2 are needed")
    }
  }

  @Test func aStepTakesSoManyWindows() throws {
    let place = try TrainingPlace()
    let path = place.folder["text.safetensors"]
    try expectRefusal(
      TrainingError.self, place, place.options { $0.training.batch = 9 },
      says: "\(path): 9 windows, and one step takes 9 besides 1 set aside to measure on")
    try expectRefusal(
      TrainingError.self, place,
      place.options {
        ($0.training.batch, $0.training.accumulation, $0.heldOutWindows) = (2, 4, 2)
      })
    try expectRefusal(
      TrainingError.self, place,
      place.options { $0.data = CalibrationOptions(samples: 4, length: 8) },
      says: "self: 4 windows, and one step takes 4 besides 1 set aside to measure on")
    // What is enough is enough.
    _ = try FinetuneRun(place.sparse, place.options { $0.training.batch = 8 })
    _ = try FinetuneRun(
      place.sparse, place.options { ($0.training.batch, $0.heldOutWindows) = (9, 0) })
  }

  @Test func aTextThatIsShorterThanAWindowIsRefused() throws {
    let place = try TrainingPlace(.tiny)
    let path = try place.folder.write("Ada wrote a letter.", to: "short.txt")
    let error = try expectRefusal(
      CalibrationError.self, place,
      place.options { $0.data = CalibrationOptions(source: .text(path: path), length: 64) })
    guard case .tooLittleText(path, let tokens, 1, 64)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(tokens > 0 && tokens < 64)
    // And a window that is longer than what the model can take.
    try expectRefusal(
      ModelError.self, place,
      place.options { $0.data = CalibrationOptions(source: .text(path: path), length: 4096) })
  }

  @Test func textNeedsATokenizer() throws {
    let place = try TrainingPlace()
    let path = try place.folder.write("Ada wrote a letter.", to: "text.txt")
    try expectRefusal(
      ModelError.self, place,
      place.options(.crossEntropy) { $0.data = CalibrationOptions(source: .text(path: path)) },
      says: "no tokenizer.json in \(place.sparse), which reading text needs")
  }

  @Test func tokensOutsideTheVocabularyAreRefused() throws {
    let place = try TrainingPlace()
    try place.write(
      TokenWindows(count: 9, length: 4, ids: (0..<36).map { 2 * $0 }), to: "far.safetensors")
    try expectRefusal(
      ModelError.self, place,
      place.options {
        $0.data = CalibrationOptions(source: .tokens(path: place.folder["far.safetensors"]))
      })
  }

  /// Also where nothing but the weights in training would embed them.
  @Test(arguments: [TrainingObjective.distill, .crossEntropy])
  func tokensThatTheTokenizerMakesUpAreRefused(_ objective: TrainingObjective) throws {
    let place = try TrainingPlace(.tiny)
    let far = #"{"id": 9000, "content": "<far>", "special": true},"#
    for name in ["model", "sparse"] {
      let json = String(
        decoding: try place.folder.read("\(name)/tokenizer.json"), as: UTF8.self)
      let start = try #require(json.range(of: #""added_tokens": ["#))
      try place.folder.write(
        json.replacingCharacters(in: start, with: #""added_tokens": [\#(far)"#),
        to: "\(name)/tokenizer.json")
    }
    let path = try place.folder.write(
      String(repeating: "Ada wrote a <far> letter. ", count: 40), to: "far.txt")
    try expectRefusal(
      ModelError.self, place,
      place.options(objective) {
        $0.data = CalibrationOptions(source: .text(path: path), length: 8)
      },
      // tokenizers numbers a new token on, whatever id the file gives it: 512 follows the vocabulary.
      says: "\(path): the token '<far>' has id 512 in "
        + "\(place.folder[objective == .distill ? "model" : "sparse"])/tokenizer.json, "
        + "and the model's embedding has 512 rows: it was never resized")
    try expectRefusal(
      ModelError.self, place,
      place.options(objective) {
        $0.heldOut = TokenWindows(count: 1, length: 2, ids: [1, 512])
      })
  }

  @Test func aTextThatNoMachineHoldsIsRefused() throws {
    let place = try TrainingPlace()
    for options in [place.options(), place.blockOptions()] {
      var options = options
      options.data = CalibrationOptions(samples: 1 << 40, length: 12)
      try expectRefusal(MemoryError.self, place, options)
    }
    // More windows together than there are take no more than these.
    _ = try place.run(
      place.blockOptions(ReconstructionOptions(epochs: 1, batch: Int(Int32.max))))
  }

  @Test func tooLittleMemoryIsFoundBeforeTheModelWritesItsText() throws {
    let place = try TrainingPlace()
    let run = try FinetuneRun(
      place.sparse,
      place.blockOptions {
        $0.data = CalibrationOptions(samples: 4, length: 12)
        $0.memory = 1 << 20
      })
    #expect(throws: MemoryBudgetError.self) {
      try run.run { Issue.record("\($0.step) is begun") }
    }
    #expect(!FileSystem.isTaken(place.folder["out.partial"]))
  }
}
