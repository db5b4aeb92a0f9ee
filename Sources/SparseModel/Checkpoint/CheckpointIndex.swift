internal import SparseCore

/// A `model.safetensors.index.json`: which tensor is in which of a checkpoint's files.
struct CheckpointIndex: Sendable {
  /// The file's own name.
  let name: String
  /// The tensors in their order in the index, each once, with the file that each is in.
  let weightMap: [(tensor: String, file: String)]
  /// The file as it was when it was read.
  let stamp: InputStamp
  private let json: JSON

  /// Reads and checks the index at `path`.
  init(path: String) throws {
    let file = try MappedFile(path: path)
    stamp = InputStamp(file)
    do { json = try JSON(parsing: file.bytes) } catch {
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
      if let kind = ForeignFile.kind(named: file) {
        throw MisplacedModel.foreign(path: path, file: file, kind)
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
  ///
  /// - Parameter place: gives the file that a tensor of the output is in, from the one that its own was in.
  func text(
    totalSize: Int, changes: CheckpointChanges,
    place: (_ tensor: String, _ file: String) -> String
  ) -> String {
    var metadata = json["metadata"]?.object ?? []
    metadata.removeAll {
      $0.key == "total_size" || ($0.key == "total_parameters" && changes.replacesTensors)
    }
    let map = weightMap.flatMap { tensor, file in
      (changes[tensor: tensor]?.map(\.name) ?? [tensor]).map { ($0, place($0, file)) }
    }
    var members = json.object ?? []
    members.removeAll { $0.key == "metadata" || $0.key == "weight_map" }
    return Self.text(of: map, totalSize: totalSize, metadata: metadata, others: members)
  }

  /// The index of some tensors, each with its file.
  static func text(
    of map: [(tensor: String, file: String)], totalSize: Int, metadata: [JSON.Member] = [],
    others: [JSON.Member] = []
  ) -> String {
    let size = JSON.Member(key: "total_size", value: .integer(totalSize))
    let files = map.map { JSON.Member(key: $0.tensor, value: .string($0.file)) }
    let members =
      [JSON.Member(key: "metadata", value: .object(metadata + [size]))] + others
      + [JSON.Member(key: "weight_map", value: .object(files))]
    return JSON.object(members).text(pretty: true) + "\n"
  }

  /// Whether `file` can only be a safetensors file in the folder itself.
  private static func isPlainName(_ file: String) -> Bool {
    let bytes = Array(file.utf8)
    return file.hasSuffix(".safetensors") && bytes.first != UInt8(ascii: ".")
      && !bytes.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }
  }
}
