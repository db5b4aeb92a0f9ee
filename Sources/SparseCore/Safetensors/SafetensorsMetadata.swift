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
  // Where each entry is: a header may bring a million of them.
  private var places: [ExactString: Int] = [:]

  /// No texts.
  public init() {}

  /// Whether there are no texts.
  public var isEmpty: Bool { entries.isEmpty }

  /// The text named `key`.
  ///
  /// Setting keeps the place of an entry that exists and puts a new one last; nil removes it.
  public subscript(key: String) -> String? {
    get { places[ExactString(key)].map { entries[$0].value } }
    set {
      switch (places[ExactString(key)], newValue) {
      case (let place?, let value?): entries[place].value = value
      case (let place?, nil):
        entries.remove(at: place)
        places = Dictionary(
          uniqueKeysWithValues: entries.enumerated().map { (ExactString($1.key), $0) })
      case (nil, let value?):
        places[ExactString(key)] = entries.count
        entries.append(Entry(key: key, value: value))
      case (nil, nil): break
      }
    }
  }
}

extension SafetensorsMetadata: Equatable, ExpressibleByDictionaryLiteral {
  /// Whether both have the same entries in the same order.
  public static func == (left: SafetensorsMetadata, right: SafetensorsMetadata) -> Bool {
    left.entries == right.entries
  }

  /// The texts given, in the order written; of two with one name the last.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (key, value) in elements { self[key] = value }
  }
}
