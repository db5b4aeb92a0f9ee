internal import SparseCore

/// The folders in which NVIDIA's libraries are looked for, in order.
///
/// First those that the user names, then the loader's, CUDA's own, and those of NVIDIA's pip packages.
/// Nothing is executed to find them.
public struct LibrarySearch: Sendable, Equatable {
  /// The variable that names folders, separated by colons.
  public static let variable = "SPARSIFY_CUDA_LIBRARIES"

  /// The folders, whether they exist or not, none of them twice.
  public let folders: [String]

  /// A search in these folders, and after them where the system's loader looks.
  public init(folders: [String]) {
    var seen: Set<ExactString> = []
    self.folders = folders.filter { seen.insert(ExactString($0)).inserted }
  }

  /// The search that an environment asks for.
  ///
  /// - Parameter value: the value of a variable; nil where it is not set.
  public init(environment value: (String) -> String?) {
    func list(_ variable: String) -> [String] {
      (value(variable) ?? "").split(separator: ":").map(String.init)
    }
    let roots = ["CUDA_HOME", "CUDA_PATH"].compactMap(value) + ["/usr/local/cuda", "/opt/cuda"]
    self.init(
      folders: list(Self.variable) + list("LD_LIBRARY_PATH")
        + (roots + Self.versioned("/usr/local", prefix: "cuda-")).map { Path.join($0, "lib64") }
        + Self.systemFolders
        + PythonPackages(path: list("PATH"), home: value("HOME")).libraryFolders)
  }

  /// Where packages of Linux distributions put libraries; Debian's cuSPARSELt has a folder for each CUDA.
  private static let systemFolders =
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].flatMap { folder in
      [folder] + ["13", "12"].map { Path.join(folder, "libcusparseLt/\($0)") }
    } + ["/usr/lib64"]

  /// The folders in `parent` whose names begin with `prefix`, the highest version behind it first.
  static func versioned(_ parent: String, prefix: String) -> [String] {
    let names = ((try? FileSystem.names(in: parent)) ?? []).filter { $0.hasPrefix(prefix) }
    func version(_ name: String) -> [Int] {
      name.split { !$0.isNumber }.map { Int($0) ?? 0 }
    }
    return names.sorted { version($1).lexicographicallyPrecedes(version($0)) }
      .map { Path.join(parent, $0) }
  }

  /// The files that may be the library: in the order of the folders, within one the newest version first, and
  /// each only once whatever links lead to it.
  func candidates(for library: CUDALibrary) -> [String] {
    var seen: Set<ExactString> = []
    return folders.flatMap { folder in
      ((try? FileSystem.names(in: folder)) ?? [])
        .compactMap { name in library.version(inName: name).map { (name, $0) } }
        .sorted { $1.1.lexicographicallyPrecedes($0.1) }
        .map { Path.join(folder, $0.0) }
    }.filter { path in
      let file = (try? FileSystem.resolved(path)) ?? path
      return seen.insert(ExactString(file)).inserted
    }
  }
}
