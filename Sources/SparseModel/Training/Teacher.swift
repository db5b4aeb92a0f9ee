internal import SparseCore

/// The dense model that a sparse one learns from: its last hidden states, run once for each window and kept.
struct Teacher {
  /// Its output projection.
  let head: OutputHead
  private let decoder: LanguageModel
  private let windows: TokenWindows
  private let compute: Compute
  private var kept: WindowStates

  /// A teacher of the given windows.
  ///
  /// - Parameter path: where the output will be: the states are kept in a scratch file beside it; nil to keep
  ///   them in memory.
  /// - Throws: `FileError` where the disk has no room.
  init(
    _ decoder: LanguageModel, of windows: TokenWindows, beside path: String?, on compute: Compute
  ) throws {
    self.decoder = decoder
    self.windows = windows
    self.compute = compute
    head = OutputHead(decoder, nil, goesBack: false, on: compute)
    kept = try WindowStates(windows, width: decoder.configuration.width, beside: path)
  }

  /// The last hidden states of some windows as the head reads them, in the order asked for.
  mutating func states(
    of indices: [Int], chunkTokens: Int, progress: () throws -> Void = {}
  ) throws -> [Matrix] {
    var missing: [Int] = []
    for index in indices where !kept.has(index) && !missing.contains(index) {
      missing.append(index)
    }
    if !missing.isEmpty {
      let part = windows[windows: missing]
      let hidden = try decoder.hiddenStates(
        of: part, .float32, chunkTokens: chunkTokens, on: compute
      ) { _ in try progress() }
      var next = missing[...]
      for chunk in hidden {
        let count = chunk.rows / part.length
        try kept.put(head.finish(chunk), next.prefix(count))
        next = next.dropFirst(count)
      }
    }
    return try indices.map { try kept[CollectionOfOne($0)] }
  }
}

extension TokenWindows {
  /// Some windows, in the order given.
  subscript(windows indices: [Int]) -> TokenWindows {
    TokenWindows(count: indices.count, length: length, ids: indices.flatMap { self[$0] })
  }
}
