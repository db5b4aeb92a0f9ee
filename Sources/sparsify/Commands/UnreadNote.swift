internal import SparseCore
internal import SparseModel

extension Context {
  /// Says which tensors of a model take no part in its forward pass, where there are any.
  func noteUnread(in model: LanguageModel) {
    let names = model.unreadTensors
    guard !names.isEmpty else { return }
    let shown = names.prefix(3).map { "'\($0)'".printable }.joined(separator: ", ")
    progressLine.note(
      "Note: \(model.checkpoint.path.printable): \(names.count.counting("tensor"))"
        + " without a part in the forward pass that config.json describes:"
        + " \(shown)\(names.count > 3 ? ", …" : "")")
  }

  /// Says it of the model in a checkpoint, unless that cannot be run at all.
  func noteUnread(in checkpoint: Checkpoint) {
    // What stands against running it is told by whoever runs it.
    if let model = try? LanguageModel(checkpoint, positions: 1) { noteUnread(in: model) }
  }
}
