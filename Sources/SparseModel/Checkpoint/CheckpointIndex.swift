internal import SparseCore

/// A `model.safetensors.index.json`: which tensor is in which of a checkpoint's files.
struct CheckpointIndex: Sendable {
  /// The file's own name.
  let name: String
  /// The tensors in their order in the index, each once, with the file that each is in.
  let weightMap: [(tensor: String, file: String)]
  private let json: JSON

  /// Reads and checks the index at `path`.
  init(path: String) throws {
    let bytes = try MappedFile(path: path).bytes
    do { json = try JSON(parsing: bytes) } catch {
      throw CheckpointError.indexNotJSON(path: path, error)
    }
    guard let members = json["weight_map"]?.object else {
      throw CheckpointError.noWeightMap(path: path)
    }
    name = Path.name(of: path)
    var places: [ExactString: Int] = [:]
    var map: [(tensor: String, file: String)] = []
    for member in members {
      guard let file = member.value.string else {
        throw CheckpointError.weightMapNotString(
          path: path, tensor: member.key, found: member.value.text())
      }
      guard Self.isPlainName(file) else {
        throw CheckpointError.shardName(path: path, tensor: member.key, file: file)
      }
      if let place = places[ExactString(member.key)] {
        map[place].file = file  // the last one counts
      } else {
        places[ExactString(member.key)] = map.count
        map.append((member.key, file))
      }
    }
    weightMap = map
  }

  /// The files, in the order of their names.
  var files: [String] { Set(weightMap.map { ExactString($0.file) }).sorted().map(\.string) }

  /// The index of what stands in place of the same tensors and takes `totalSize` bytes; all else that it said is kept.
  func text(totalSize: Int, changes: CheckpointChanges) -> String {
    var metadata = json["metadata"]?.object ?? []
    metadata.removeAll {
      $0.key == "total_size" || ($0.key == "total_parameters" && changes.replacesTensors)
    }
    metadata.append(JSON.Member(key: "total_size", value: .integer(totalSize)))
    let map = weightMap.flatMap { tensor, file in
      (changes[tensor: tensor]?.map(\.name) ?? [tensor]).map {
        JSON.Member(key: $0, value: .string(file))
      }
    }
    var members = json.object ?? []
    members.removeAll { $0.key == "metadata" || $0.key == "weight_map" }
    members.insert(JSON.Member(key: "metadata", value: .object(metadata)), at: 0)
    members.append(JSON.Member(key: "weight_map", value: .object(map)))
    return JSON.object(members).text(pretty: true) + "\n"
  }

  /// Whether `file` can only be a safetensors file in the folder itself.
  private static func isPlainName(_ file: String) -> Bool {
    let bytes = Array(file.utf8)
    return file.hasSuffix(".safetensors") && bytes.first != UInt8(ascii: ".")
      && !bytes.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }
  }
}
