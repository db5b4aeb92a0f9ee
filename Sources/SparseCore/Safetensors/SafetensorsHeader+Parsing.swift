extension SafetensorsHeader {
  /// What to do about two tensors, or two metadata texts, of one name.
  public enum Duplicates: Sendable {
    /// The last one counts, as in the format's own reader.
    case accept
    /// The file is refused.
    case reject
  }

  /// Reads and checks the header of a file of which `file` is every byte.
  ///
  /// The checks are those of the format's own reader, in its order: afterwards the tensors are known
  /// to fill the rest of the file exactly. Stricter here: a tensor without elements, which takes no
  /// bytes whatever its other dimensions are, is held to ``emptyTensorLimit``.
  public init(
    parsing file: ByteView, duplicates: Duplicates = .accept
  ) throws(SafetensorsError) {
    let bytes = file.bytes
    if bytes.count < 8 { throw .tooShort(fileBytes: bytes.count) }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    if length > UInt64(Self.limit) { throw .headerTooLarge(bytes: length, limit: Self.limit) }
    let dataOffset = 8 + Int(length)
    if dataOffset > bytes.count {
      throw .headerTruncated(bytes: Int(length), fileBytes: bytes.count)
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataOffset])
    guard String(validating: text.assumingMemoryBound(to: UInt8.self), as: UTF8.self) != nil else {
      throw .headerNotUTF8
    }
    let json: JSON
    do { json = try JSON(parsing: text) } catch { throw .headerNotJSON(error) }
    guard let members = json.object else { throw .headerNotObject(found: json.kind) }

    var metadata: SafetensorsMetadata?
    var entries: [TensorEntry] = []
    for member in members {
      if member.key.hasSameBytes(as: Self.metadataKey) {
        if metadata != nil { throw .metadataTwice }
        metadata = try Self.metadata(member.value, duplicates: duplicates)
      } else {
        entries.append(try TensorEntry(name: member.key, json: member.value))
      }
    }
    self.init(
      metadata: metadata ?? SafetensorsMetadata(),
      tensors: try Self.placed(
        try Self.withoutDuplicates(entries, duplicates), in: bytes.count - dataOffset),
      dataOffset: dataOffset)
  }

  /// What the other dimensions of a tensor without elements may multiply to: enough for any that is
  /// left empty on purpose, and no more rows than can be gone through for nothing.
  public static let emptyTensorLimit = 1 << 24

  private static func metadata(
    _ json: JSON, duplicates: Duplicates
  ) throws(SafetensorsError) -> SafetensorsMetadata {
    var metadata = SafetensorsMetadata()
    if json.isNull { return metadata }
    guard let members = json.object else { throw .metadataNotObject(found: json.kind) }
    for member in members {
      guard let value = member.value.string else {
        throw .metadataNotString(key: member.key, found: member.value.kind)
      }
      if duplicates == .reject && metadata[member.key] != nil {
        throw .duplicateMetadata(key: member.key)
      }
      metadata[member.key] = value
    }
    return metadata
  }

  private static func withoutDuplicates(
    _ entries: [TensorEntry], _ duplicates: Duplicates
  ) throws(SafetensorsError) -> [TensorEntry] {
    var places: [ExactString: Int] = [:]
    var kept: [TensorEntry] = []
    for entry in entries {
      if let place = places[ExactString(entry.name)] {
        if duplicates == .reject { throw .duplicateTensor(entry.name) }
        kept[place] = entry
      } else {
        places[ExactString(entry.name)] = kept.count
        kept.append(entry)
      }
    }
    return kept
  }

  /// The entries in the order of their bytes, once they are known to cover `dataByteCount` bytes
  /// without gap or overlap.
  private static func placed(
    _ entries: [TensorEntry], in dataByteCount: Int
  ) throws(SafetensorsError) -> [TensorInfo] {
    // The place in the header decides between tensors without bytes, so that the order is fixed.
    let order = entries.indices.sorted {
      (entries[$0].begin, entries[$0].end, $0) < (entries[$1].begin, entries[$1].end, $1)
    }
    var tensors: [TensorInfo] = []
    tensors.reserveCapacity(entries.count)
    var end: UInt64 = 0
    for entry in order.lazy.map({ entries[$0] }) {
      if entry.end < entry.begin {
        throw .reversedOffsets(tensor: entry.name, begin: entry.begin, end: entry.end)
      }
      if entry.begin != end {
        throw .notContiguous(tensor: entry.name, begin: entry.begin, expected: end)
      }
      end = entry.end
      let needed = try byteCount(of: entry.name, dtype: entry.dtype, shape: entry.shape)
      if end - entry.begin != needed {
        throw .sizeMismatch(
          tensor: entry.name, dtype: entry.dtype, shape: entry.shape, needed: needed,
          found: end - entry.begin)
      }
      tensors.append(try entry.info(within: dataByteCount))
    }
    if end != UInt64(dataByteCount) {
      throw .dataLength(tensorBytes: end, fileBytes: dataByteCount)
    }
    return tensors
  }
}

/// One tensor as the header states it, its fields of the right kinds and nothing more.
private struct TensorEntry {
  let name: String
  let dtype: DType
  let shape: [UInt64]
  let begin: UInt64
  let end: UInt64

  private static let fields = ["dtype", "shape", "data_offsets"]

  init(name: String, json: JSON) throws(SafetensorsError) {
    var values: [JSON?] = [nil, nil, nil]
    switch json {
    case .object(let members):
      for member in members {  // other fields are no concern of ours
        guard let index = Self.fields.firstIndex(where: member.key.hasSameBytes) else { continue }
        if values[index] != nil {
          throw .duplicateField(tensor: name, field: Self.fields[index])
        }
        values[index] = member.value
      }
    case .array(let elements) where elements.count == 3: values = elements
    default: throw .entryNotObject(tensor: name, found: json.kind)
    }
    func value(_ index: Int) throws(SafetensorsError) -> JSON {
      guard let value = values[index] else {
        throw .missingField(tensor: name, field: Self.fields[index])
      }
      return value
    }
    let (dtype, shape, offsets) = (try value(0), try value(1), try value(2))

    func invalid(_ field: String, _ expected: String, _ found: JSON) -> SafetensorsError {
      .invalidField(tensor: name, field: field, expected: expected, found: found.text())
    }
    guard let dtypeName = dtype.string else { throw invalid("dtype", "a string", dtype) }
    guard let dtype = DType(rawValue: dtypeName) else {
      throw .unknownDType(tensor: name, dtype: dtypeName)
    }
    guard let dimensions = Self.integers(shape) else {
      throw invalid("shape", "a list of non-negative integers", shape)
    }
    guard let range = Self.integers(offsets), range.count == 2 else {
      throw invalid("data_offsets", "two non-negative integers", offsets)
    }
    self.name = name
    self.dtype = dtype
    self.shape = dimensions
    begin = range[0]
    end = range[1]
  }

  private static func integers(_ json: JSON) -> [UInt64]? {
    guard let elements = json.array else { return nil }
    var integers: [UInt64] = []
    for element in elements {
      switch element {
      case .integer(let value) where value >= 0: integers.append(UInt64(value))
      case .unsigned(let value): integers.append(value)
      default: return nil
      }
    }
    return integers
  }

  /// Throws for a tensor without elements whose other dimensions claim more than anybody needs.
  private func checkEmpty() throws(SafetensorsError) {
    guard shape.contains(0) else { return }
    let limit = UInt64(SafetensorsHeader.emptyTensorLimit)
    var product: UInt64 = 1
    for dimension in shape where dimension > 0 {
      let (larger, overflow) = product.multipliedReportingOverflow(by: dimension)
      if overflow || larger > limit {
        throw .emptyTensorTooLarge(tensor: name, shape: shape, limit: Int(limit))
      }
      product = larger
    }
  }

  /// The entry in `Int`s.
  ///
  /// One that ends after the data is left for the check of their length, so it is cut here.
  func info(within dataByteCount: Int) throws(SafetensorsError) -> TensorInfo {
    try checkEmpty()
    // No dimension exceeds the bits of the elements, which have been counted, or else that limit.
    let dimensions = shape.map { Int($0) }
    let limit = UInt64(dataByteCount)
    return TensorInfo(
      spec: TensorSpec(name: name, dtype: dtype, shape: dimensions),
      range: Int(min(begin, limit))..<Int(min(end, limit)))
  }
}
