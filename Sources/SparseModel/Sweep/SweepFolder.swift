internal import SparseCore

/// The folder of a sweep's models, gone at the end if it was not there before and nothing is in it.
///
/// Models are made in a folder within it that no other run has, and only those that are kept get their names.
final class SweepFolder {
  /// Its path.
  let path: String
  private let isOurs: Bool
  private var work: AtomicFolder?

  /// Creates the folder where there is none.
  ///
  /// - Throws: ``SweepError/exists(path:)`` where one of the variants has its place taken, and `FileError`.
  init(_ path: String, for variants: [SweepVariant]) throws {
    self.path = Path.withoutTrailingSlashes(path)
    isOurs = try FileSystem.makeFolderUnlessTaken(self.path)
    guard try FileSystem.kind(of: self.path) == .folder else {
      throw FileError.notFolder(path: self.path)
    }
    for variant in variants where FileSystem.isTaken(place(variant)) {
      throw SweepError.exists(path: place(variant))
    }
    work = try AtomicFolder(path: Path.join(self.path, "models"))
  }

  deinit {
    // Nobody is left to tell of a failure.
    work = nil
    if isOurs { try? FileSystem.removeEmptyFolder(path) }
  }

  /// Where a variant's model is in the end.
  func place(_ variant: SweepVariant) -> String { Path.join(path, variant.name) }

  /// Where a variant's model is made.
  func workPlace(_ variant: SweepVariant) -> String {
    Path.join(work?.temporaryPath ?? path, variant.name)
  }

  /// Where the same model is stored compressed.
  func compressedPlace(_ variant: SweepVariant) -> String { workPlace(variant) + "-compressed" }

  /// Gives a variant's model its place, and removes what else was made for it.
  func keep(_ variant: SweepVariant) throws {
    let place = place(variant)
    do {
      try FileSystem.moveToFreeName(workPlace(variant), to: place)
    } catch FileError.exists {
      throw SweepError.exists(path: place)
    }
    try FileSystem.synchronize(folder: path)
    try remove(variant)
  }

  /// Removes all that was made for a variant and is not kept.
  func remove(_ variant: SweepVariant) throws {
    let made = workPlace(variant)
    for place in [made, RunFolder.path(for: made), compressedPlace(variant)]
    where FileSystem.isTaken(place) {
      try FileSystem.removeTree(place)
    }
  }
}
