/// The texts that a safetensors file carries about itself, in their order.
///
/// ```swift
/// var metadata: SafetensorsMetadata = ["format": "pt"]
/// metadata["origin"] = "SmolLM2-135M"
/// ```
public struct SafetensorsMetadata: Sendable {
  /// One text and its name.
  public struct Entry: Sendable, Equatable {
    /// The name.
    public let key: String
    /// The text.
    public var value: String

    /// Whether both are the same bytes.
    public static func == (left: Entry, right: Entry) -> Bool {
      left.key.hasSameBytes(as: right.key) && left.value.hasSameBytes(as: right.value)
    }
  }

  /// The entries, each name once.
  public private(set) var entries: [Entry] = []

  /// No texts.
  public init() {}

  /// Whether there are no texts.
  public var isEmpty: Bool { entries.isEmpty }

  /// The text named `key`.
  ///
  /// Setting keeps the place of an entry that exists and puts a new one last; nil removes it.
  public subscript(key: String) -> String? {
    get { entries.first { $0.key.hasSameBytes(as: key) }?.value }
    set {
      let index = entries.firstIndex { $0.key.hasSameBytes(as: key) }
      switch (index, newValue) {
      case (let index?, let value?): entries[index].value = value
      case (let index?, nil): entries.remove(at: index)
      case (nil, let value?): entries.append(Entry(key: key, value: value))
      case (nil, nil): break
      }
    }
  }
}

extension SafetensorsMetadata: Equatable, ExpressibleByDictionaryLiteral {
  /// The texts given, in the order written; of two with one name the last.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (key, value) in elements { self[key] = value }
  }
}
