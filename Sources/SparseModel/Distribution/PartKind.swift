internal import SparseCore

/// What parts that are to be put together are parts of.
public enum PartKind: Sendable, Equatable {
  /// Of statistics: ``StatisticsMerge``.
  case statistics
  /// Of a pruned checkpoint: ``PrunedMerge``.
  case pruned

  /// What the file at `path` is a part of, by its metadata.
  ///
  /// - Throws: ``PrunedPartError/notAPart(path:)``, and the errors of reading safetensors.
  public init(ofFileAt path: String) throws {
    let metadata = try SafetensorsFile(path: path).metadata
    if metadata[StatisticsManifest.key] != nil {
      self = .statistics
    } else if metadata[PrunedPart.key] != nil {
      self = .pruned
    } else {
      throw PrunedPartError.notAPart(path: path)
    }
  }
}
