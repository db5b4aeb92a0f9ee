internal import SparseCore

/// Which files of a model's folder are weights, in whatever form, or of no use without those.
///
/// Beside changed weights they would be the old ones.
enum CompanionRules {
  /// What the names of files with weights have in them, parts and indices included.
  private static let marks = [".safetensors", ".onnx", ".gguf", ".ggml", ".distcp", ".data-0000"]

  /// What the names of files with weights end with, of unfinished downloads, and of what holds or tells them.
  private static let endings = [
    ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".ptl", ".pte", ".ot", ".nemo", ".npz",
    ".npy", ".h5", ".hdf5", ".keras", ".pb", ".msgpack", ".tflite", ".mlmodel", ".engine", ".plan",
    ".trt", ".pdparams", ".pdiparams", ".pdmodel", ".mar", ".zip", ".tar", ".tar.gz", ".tgz",
    ".index.json", ".aria2", ".incomplete", ".part", ".crdownload", ".download", ".lock",
  ]

  /// Files that tell of weights which are left out.
  private static let names = ["adapter_config.json", "openvino_model.xml"]

  /// What the names of folders begin with that hold weights in another form, or those of another step.
  private static let folderStarts = [
    "pytorch_model_fsdp", "optimizer_", "global_step", "checkpoint-", "models--",
  ]

  /// The names of such folders, or what they end with.
  private static let folders = ["onnx", "openvino", "coreml", "tflite", "gguf", "ggml"]
  private static let folderEndings = [".mlpackage", ".mlmodelc", ".nemo"]

  /// Whether a file of that name stays behind.
  static func leavesOut(file name: String) -> Bool {
    let name = name.lowercased()
    return names.contains(name) || endings.contains(where: name.hasSuffix)
      || marks.contains(where: name.contains)
  }

  /// Whether a folder of that name stays behind, as do version control and caches.
  static func leavesOut(folder name: String) -> Bool {
    if name.hasPrefix(".") { return true }
    let name = name.lowercased()
    return folders.contains(name) || folderStarts.contains(where: name.hasPrefix)
      || folderEndings.contains(where: name.hasSuffix)
  }
}
