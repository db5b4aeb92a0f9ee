internal import SparseCore

/// Why a sweep cannot begin.
public enum SweepError: Error, Equatable {
  /// The model is a single file, beside which no config.json would lie in the folder of its copies.
  case notFolder(path: String)
  /// Something is where one of the models would be made.
  case exists(path: String)
  /// The disk of the folder has too little room.
  case diskTooSmall(folder: String, needed: Int, free: Int)
}

extension SweepError: CustomStringConvertible {
  /// One line that names the path and the numbers.
  public var description: String {
    switch self {
    case .notFolder(let path):
      "\(path): is a single file; a sweep needs the model's folder, which it copies with config.json and all"
    case .exists(let path):
      "\(path): exists already, and is where a model of the sweep would be made"
    case .diskTooSmall(let folder, let needed, let free):
      "\(folder): the sweep takes up to \(mebibytes(needed)) MiB of disk at once, \(mebibytes(free)) MiB are free"
    }
  }

  private func mebibytes(_ bytes: Int) -> Int { bytes >> 20 }
}

/// A row of a sweep that has failed, and with it the sweep.
public struct FailedSweepRow: Error, CustomStringConvertible {
  /// The row.
  public let variant: SweepVariant
  /// What it failed of.
  public let error: any Error

  package init(variant: SweepVariant, error: any Error) {
    self.variant = variant
    self.error = error
  }

  /// One line that begins with the row's name.
  public var description: String { "\(variant.name): \(error)" }
}
