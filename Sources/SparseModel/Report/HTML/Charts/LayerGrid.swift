internal import SparseCore

/// Layers by block and by what they are in it, from names such as `model.layers.3.mlp.up_proj.weight`.
package struct LayerGrid {
  /// A layer's place.
  package struct Place: Hashable {
    /// The first number in the name; nil where there is none.
    package let block: Int?
    /// What follows it, or the whole name: `mlp.up_proj`.
    package let kind: String

    fileprivate init(block: Int?, kind: String) {
      self.block = block
      self.kind = kind
    }

    /// The place that a name says.
    package init(of name: String) {
      var parts = name.split(separator: ".", omittingEmptySubsequences: false)
      if parts.last == "weight" && parts.count > 1 { parts.removeLast() }
      let number = parts.firstIndex { !$0.isEmpty && $0.allSatisfy { ("0"..."9").contains($0) } }
      block = number.flatMap { Int(parts[$0]) }
      let rest = block == nil ? parts[...] : parts[((number ?? -1) + 1)...]
      kind = rest.joined(separator: ".")
    }
  }

  /// The blocks, ascending; nil first, for layers outside of them.
  package let blocks: [Int?]
  /// What layers are, in the order in which they were first met.
  package let kinds: [String]
  /// The kinds in as few letters as tell them apart: `up` for `mlp.up_proj`.
  package let labels: [String]

  private let places: [Place: Int]

  /// The grid of some layers.
  package init(_ names: [String]) {
    let all = names.map(Place.init(of:))
    blocks = Set(all.map(\.block)).sorted { ($0 ?? -1) < ($1 ?? -1) }
    var seen: Set<String> = []
    let kinds = all.map(\.kind).filter { seen.insert($0).inserted }
    self.kinds = kinds
    labels = Self.labels(kinds)
    places = Dictionary(zip(all, names.indices), uniquingKeysWith: { first, _ in first })
  }

  /// What a place is called beside its block.
  package func label(of place: Place) -> String {
    kinds.firstIndex(of: place.kind).map { labels[$0] } ?? place.kind
  }

  /// Something for each block and kind, by the layer's number among the names; nil where there is no such layer.
  package func map<T>(_ transform: (Int) -> T?) -> [[T?]] {
    blocks.map { block in
      kinds.map { kind in places[Place(block: block, kind: kind)].flatMap(transform) }
    }
  }

  private static func labels(_ kinds: [String]) -> [String] {
    let last = kinds.map { kind in kind.split(separator: ".").last.map(String.init) ?? kind }
    let short = last.map { $0.hasSuffix("_proj") ? String($0.dropLast(5)) : $0 }
    for labels in [short, last] where Set(labels).count == kinds.count { return labels }
    return kinds
  }
}
