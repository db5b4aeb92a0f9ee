/// The parts of a path, split at "/" alone and without asking the file system.
package enum Path {
  /// The last part: "b" for "a/b" and "a/b/"; "/" for the root.
  package static func name(of path: String) -> String {
    let trimmed = withoutTrailingSlashes(path)
    guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")), trimmed != "/" else {
      return trimmed
    }
    return String(trimmed[trimmed.utf8.index(after: slash)...])
  }

  /// What the last part lies in: "a" for "a/b", "." for "b", "/" for "/b".
  package static func folder(of path: String) -> String {
    let trimmed = withoutTrailingSlashes(path)
    guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return withoutTrailingSlashes(String(trimmed[...slash]))
  }

  /// `name` within `folder`; the bare name where the folder is ".".
  package static func join(_ folder: String, _ name: String) -> String {
    if folder == "." { return name }
    return folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
  }

  /// The path without slashes at its end; the root stays "/".
  package static func withoutTrailingSlashes(_ path: String) -> String {
    var bytes = path.utf8[...]
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    return String(Substring(bytes))
  }
}
