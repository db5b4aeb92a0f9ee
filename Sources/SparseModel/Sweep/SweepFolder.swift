internal import SparseCore

/// The folder in which a sweep makes its models, gone at the end if it was not there before and nothing is kept.
final class SweepFolder {
  /// Its path.
  let path: String
  private let isOurs: Bool
  private var keepsAny = false

  /// Creates the folder where there is none.
  ///
  /// - Throws: ``SweepError/exists(path:)`` where one of the variants has its place taken, and `FileError`.
  init(_ path: String, for variants: [SweepVariant]) throws {
    self.path = Path.withoutTrailingSlashes(path)
    isOurs = !FileSystem.isTaken(self.path)
    if isOurs { try FileSystem.makeFolder(self.path) }
    guard try FileSystem.kind(of: self.path) == .folder else {
      throw FileError.notFolder(path: self.path)
    }
    for place in variants.flatMap(places) where FileSystem.isTaken(place) {
      throw SweepError.exists(path: place)
    }
  }

  deinit {
    // Nobody is left to tell of a failure.
    if isOurs && !keepsAny { try? FileSystem.removeTree(path) }
  }

  /// Where a variant's model is made.
  func place(_ variant: SweepVariant) -> String { Path.join(path, variant.name) }

  /// Where the same model is stored compressed.
  func compressedPlace(_ variant: SweepVariant) -> String { place(variant) + "-compressed" }

  /// Leaves a variant's model where it is, and removes what else was made for it.
  func keep(_ variant: SweepVariant) throws {
    keepsAny = true
    try remove(places(variant).filter { $0 != place(variant) })
  }

  /// Removes all that was made for a variant.
  func remove(_ variant: SweepVariant) throws { try remove(places(variant)) }

  private func remove(_ places: [String]) throws {
    for place in places where FileSystem.isTaken(place) { try FileSystem.removeTree(place) }
  }

  private func places(_ variant: SweepVariant) -> [String] {
    [place(variant), RunFolder.path(for: place(variant)), compressedPlace(variant)]
  }
}
