public import SparseCore

/// The kernels that searches have found, in a file: by GPU, version of the library, types and shape.
public struct AlgorithmCache {
  /// The file.
  public let path: String
  private var found: [String: AlgorithmChoice] = [:]

  /// What a file holds; nothing where there is none, and where it is not such a file: it can be made anew.
  public init(path: String) {
    self.path = path
    guard let bytes = try? FileSystem.contents(of: path), let json = try? JSON(parsing: bytes),
      json["schema"]?.int == Self.schema, case .object(let members) = json["kernels"]
    else { return }
    for member in members {
      guard let configuration = member.value["configuration"]?.int,
        let splits = member.value["splits"]?.int, let mode = member.value["splitMode"]?.int,
        [configuration, splits, mode].allSatisfy({ (-1...Int(Int32.max)).contains($0) })
      else { continue }
      found[member.key] = AlgorithmChoice(
        configuration: configuration, splits: splits, splitMode: mode)
    }
  }

  /// The file that is used unless another is named: in `XDG_CACHE_HOME`, or in `.cache` in `HOME`; nil where neither is
  /// known.
  ///
  /// - Parameter value: the value of a variable; nil where it is not set.
  public static func standardPath(environment value: (String) -> String?) -> String? {
    let folder = value("XDG_CACHE_HOME") ?? value("HOME").map { Path.join($0, ".cache") }
    return folder.map { Path.join($0, "sparsify/cusparselt.json") }
  }

  subscript(product: SparseProduct, session: SparseLtSession) -> AlgorithmChoice? {
    get { found[Self.key(product, session)] }
    set { found[Self.key(product, session)] = newValue }
  }

  /// Writes the file, and makes its folder if need be.
  public func save() throws(FileError) {
    let folder = Path.folder(of: path)
    let parent = Path.folder(of: folder)
    // Another process may make them at the same time.
    for folder in [parent, folder] where try FileSystem.kind(of: folder) == nil {
      _ = try FileSystem.makeFolderUnlessTaken(folder)
    }
    let members = found.sorted { $0.key < $1.key }.map { key, choice in
      JSON.Member(
        key: key,
        value: [
          "configuration": .integer(choice.configuration), "splits": .integer(choice.splits),
          "splitMode": .integer(choice.splitMode),
        ])
    }
    let json: JSON = ["schema": .integer(Self.schema), "kernels": .object(members)]
    try AtomicFile.write(Array(json.text(pretty: true).utf8), to: path)
  }

  private static let schema = 1

  private static func key(_ product: SparseProduct, _ session: SparseLtSession) -> String {
    let weight = product.weight
    return "\(session.device.name), cuSPARSELt \(session.library.version), "
      + "\(weight.type.rawValue) to \(product.result.rawValue), "
      + "\(product.paddedRows) × \(weight.outputs) × \(weight.inputs)"
  }
}
