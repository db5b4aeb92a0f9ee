package import TestSupport

/// One way for foreign bytes into the package: what a fuzzer calls with any bytes at all, and a test with those in `Tests/Fixtures/fuzz`.
///
/// Adding one = one file that conforms, one line in ``FuzzTargets/all`` and a folder with a few
/// inputs to begin with.
package protocol FuzzTarget: SendableMetatype {
  /// The name of its folder in `Tests/Fixtures/fuzz`.
  static var name: String { get }

  /// Prepares what the bytes are read beside; files go into `folder`.
  init(in folder: TemporaryFolder) throws

  /// Reads `bytes` as far as they can be read.
  ///
  /// - Throws: the error that a user would be told.
  func read(_ bytes: [UInt8]) throws
}

/// All ways in.
package enum FuzzTargets {
  /// Every target, one line each.
  package static let all: [any FuzzTarget.Type] = [
    JSONTarget.self,
    SafetensorsTarget.self,
    IndexTarget.self,
    ConfigurationTarget.self,
    TokenizerTarget.self,
    JournalTarget.self,
    PartsTarget.self,
    SensitivityTarget.self,
  ]

  /// The target of that name.
  package static func named(_ name: String) -> (any FuzzTarget.Type)? {
    all.first { $0.name == name }
  }

  /// The folder of the inputs to begin with.
  package static func corpus(_ target: any FuzzTarget.Type) -> String {
    Package.path("Tests/Fixtures/fuzz/\(target.name)")
  }
}

extension FuzzTarget {
  /// Reads `bytes`, and takes an error for what it is: a refusal, which says why.
  ///
  /// - Returns: whether the bytes were taken.
  @discardableResult
  package func accepts(_ bytes: [UInt8]) -> Bool {
    do {
      try read(bytes)
      return true
    } catch {
      precondition(!"\(error)".isEmpty, "\(Self.name): an error that says nothing")
      return false
    }
  }
}
