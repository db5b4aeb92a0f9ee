internal import SparseCore

/// Where NVIDIA's pip packages put their libraries, for the `python3` that a shell would start.
///
/// The interpreter is not started: its place tells where its packages are.
struct PythonPackages {
  /// The folders that programs are looked for in.
  let path: [String]
  /// The user's home.
  let home: String?

  /// The library folders of all of NVIDIA's packages that are installed.
  var libraryFolders: [String] {
    packageFolders.flatMap { folder in
      let vendor = Path.join(folder, "nvidia")
      return LibrarySearch.versioned(vendor, prefix: "").map { Path.join($0, "lib") }
        // cuSPARSELt before 0.7, and what older builds of PyTorch bring along.
        + ["cusparselt/lib", "torch/lib"].map { Path.join(folder, $0) }
    }.filter { (try? FileSystem.kind(of: $0)) == .folder }
  }

  /// The folders that packages are installed in: of the interpreter as it is called, which is a virtual
  /// environment's, of what it is a link to, and of the user.
  private var packageFolders: [String] {
    let called = path.map { Path.join($0, "python3") }.first {
      (try? FileSystem.kind(of: $0)) == .file
    }
    guard let called else { return [] }
    var prefixes = [Path.folder(of: Path.folder(of: called))]
    if let real = try? FileSystem.resolved(called) {
      prefixes.append(Path.folder(of: Path.folder(of: real)))
    }
    prefixes += [home.map { Path.join($0, ".local") }, "/usr/local"].compactMap(\.self)
    return prefixes.flatMap { prefix in
      ["lib", "lib64"].map { Path.join(prefix, $0) }.flatMap { library in
        LibrarySearch.versioned(library, prefix: "python3").flatMap { version in
          [Path.join(version, "site-packages"), Path.join(version, "dist-packages")]
        }
      }
    }
  }
}
