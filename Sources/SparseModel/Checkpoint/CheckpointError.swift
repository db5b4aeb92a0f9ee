public import SparseCore

/// What is wrong with a checkpoint beyond its single files: one case for each check.
public enum CheckpointError: Error, Equatable, Sendable {
  /// A folder without safetensors files.
  case noWeights(folder: String)
  /// A folder with several safetensors files, none named model.safetensors, and no index.
  case severalWeights(folder: String, files: [String])
  /// The index is not JSON.
  case indexNotJSON(path: String, JSONError)
  /// The index has no object named weight_map.
  case noWeightMap(path: String)
  /// The index names no file for a tensor but gives some other value.
  case weightMapNotString(path: String, tensor: String, found: String)
  /// The index names a file that is not plainly a safetensors file in its folder.
  case shardName(path: String, tensor: String, file: String)
  /// The index names a file that is not there.
  case missingShard(path: String, file: String)
  /// The index says that a tensor is in a file, and it is not.
  case tensorNotInShard(path: String, tensor: String, file: String)
  /// The checkpoint has no tensor of that name.
  case noSuchTensor(path: String, tensor: String)
}

extension CheckpointError: CustomStringConvertible {
  /// One line: the path, then what is wrong.
  public var description: String {
    switch self {
    case .noWeights(let folder): "\(folder): no safetensors file in this folder"
    case .severalWeights(let folder, let files):
      "\(folder): \(files.count) safetensors files (\(files.prefix(3).joined(separator: ", "))"
        + "\(files.count > 3 ? ", …" : "")) but no model.safetensors and no index; name one of them"
    case .indexNotJSON(let path, let error): "\(path): \(error)"
    case .noWeightMap(let path): "\(path): no weight_map, so this is no index of a checkpoint"
    case .weightMapNotString(let path, let tensor, let found):
      "\(path): tensor \(quoted(tensor)): the file must be a string, found \(found)"
    case .shardName(let path, let tensor, let file):
      "\(path): tensor \(quoted(tensor)): \(quoted(file)) is not the plain name of a .safetensors file"
    case .missingShard(let path, let file): "\(path): the file \(quoted(file)) is missing"
    case .tensorNotInShard(let path, let tensor, let file):
      "\(path): tensor \(quoted(tensor)) is not in \(quoted(file))"
    case .noSuchTensor(let path, let tensor): "\(path): no tensor \(quoted(tensor))"
    }
  }

  private func quoted(_ name: String) -> String { JSON.string(name).text() }
}
