import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// What is said on standard error about a model that works.
@Suite struct NoteTests {
  /// The last block counts as one that predicts further ahead: its nine tensors are read by nothing.
  @Test(arguments: [
    ["eval", "--text", TinyModel.text("heldout.txt"), "--length", "16", "--windows", "1"],
    ["generate", "--prompt", "Ada has", "--tokens", "1"],
    ["prune", "--method", "magnitude", "-o", "OUT"],
  ])
  func tensorsThatNothingReadsAreMentionedOnce(words: [String]) throws {
    let model = try TinyModel()
    try model.configure("num_hidden_layers", 3)
    try model.configure("num_nextn_predict_layers", 1)
    let words = words.map { $0 == "OUT" ? model.folder["out"] : $0 }
    let run = try ToolRun([words[0], model.path] + words.dropFirst() + ["--quiet"])
    #expect(run.status == 0)
    // Pruning says besides that it leaves them as they are.
    #expect(run.errors.contains("Note: left as they are") == (words[0] == "prune"))
    #expect(
      run.errors.hasSuffix(
        """
        Note: \(model.path): 9 tensors without a part in the forward pass that config.json describes: \
        'model.layers.3.input_layernorm.weight', 'model.layers.3.mlp.down_proj.weight', \
        'model.layers.3.mlp.gate_proj.weight', …

        """))
    let whole = try ToolRun([words[0], TinyModel().path] + words.dropFirst() + ["--quiet"])
    #expect(!whole.errors.contains("Note: "))
  }
}
