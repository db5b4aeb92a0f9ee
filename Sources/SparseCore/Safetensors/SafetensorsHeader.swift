/// What a safetensors file says of itself: its metadata, its tensors, and where each one is.
///
/// A file is 8 bytes with the header's length, the header as JSON, then the tensors' bytes one after
/// the other without gaps.
public struct SafetensorsHeader: Sendable, Equatable {
  /// Longer headers are neither read nor written.
  public static let limit = 100_000_000
  static let metadataKey = "__metadata__"

  /// The texts about the file.
  public var metadata: SafetensorsMetadata
  /// The tensors in the order of their bytes.
  public let tensors: [TensorInfo]
  /// Where the tensors' bytes start in the file.
  public let dataOffset: Int

  init(metadata: SafetensorsMetadata, tensors: [TensorInfo], dataOffset: Int) {
    self.metadata = metadata
    self.tensors = tensors
    self.dataOffset = dataOffset
  }

  /// The number of bytes of all tensors.
  public var dataByteCount: Int { tensors.last?.range.upperBound ?? 0 }

  /// The size of the whole file in bytes.
  public var fileByteCount: Int { dataOffset + dataByteCount }

  /// Lays tensors out as the format's own writer does: by descending type, then by name.
  ///
  /// The widest types come first, so that every tensor is aligned to its elements.
  public init(
    layingOut specs: [TensorSpec], metadata: SafetensorsMetadata
  ) throws(SafetensorsError) {
    try self.init(layingOut: specs, metadata: metadata, limit: Self.limit)
  }

  init(
    layingOut specs: [TensorSpec], metadata: SafetensorsMetadata, limit: Int
  ) throws(SafetensorsError) {
    let sorted = specs.sorted {
      ($1.dtype.rank, ExactString($0.name)) < ($0.dtype.rank, ExactString($1.name))
    }
    var seen: Set<ExactString> = []
    var tensors: [TensorInfo] = []
    var end: UInt64 = 0
    for spec in sorted {
      if spec.name == Self.metadataKey { throw .reservedName(spec.name) }
      if !seen.insert(ExactString(spec.name)).inserted { throw .duplicateTensor(spec.name) }
      let begin = end
      let shape = spec.shape.map { dimension in
        precondition(dimension >= 0, "SafetensorsHeader: \(spec.name) has dimension \(dimension)")
        return UInt64(dimension)
      }
      let size = try byteCount(of: spec.name, dtype: spec.dtype, shape: shape)
      end = begin.addingReportingOverflow(size).partialValue
      // Half of the range of Int leaves room for the header in front.
      guard end >= begin, end <= UInt64(Int.max / 2) else {
        throw .sizeOverflow(tensor: spec.name, dtype: spec.dtype, shape: shape)
      }
      tensors.append(TensorInfo(spec: spec, range: Int(begin)..<Int(end)))
    }
    let text = Self.text(metadata: metadata, tensors: tensors)
    let length = (text.count + 7) / 8 * 8
    if length > limit { throw .headerTooLarge(bytes: UInt64(length), limit: limit) }
    self.init(metadata: metadata, tensors: tensors, dataOffset: 8 + length)
  }

  /// The first `dataOffset` bytes of the file: the length and the header, filled up with spaces.
  public func encoded() throws(SafetensorsError) -> [UInt8] {
    let text = Self.text(metadata: metadata, tensors: tensors)
    let length = dataOffset - 8
    if text.count > length { throw .headerGrew(bytes: text.count, reserved: length) }
    let prefix = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    return prefix + text + repeatElement(UInt8(ascii: " "), count: length - text.count)
  }

  private static func text(metadata: SafetensorsMetadata, tensors: [TensorInfo]) -> [UInt8] {
    var members: [JSON.Member] = []
    if !metadata.isEmpty {
      let texts = metadata.entries.map { JSON.Member(key: $0.key, value: .string($0.value)) }
      members.append(JSON.Member(key: metadataKey, value: .object(texts)))
    }
    for tensor in tensors {
      let entry: JSON = [
        "dtype": .string(tensor.dtype.rawValue),
        "shape": .array(tensor.shape.map(JSON.integer)),
        "data_offsets": [.integer(tensor.range.lowerBound), .integer(tensor.range.upperBound)],
      ]
      members.append(JSON.Member(key: tensor.name, value: entry))
    }
    return Array(JSON.object(members).text().utf8)
  }
}

/// The bytes that a tensor takes, multiplied in the order of its dimensions.
func byteCount(
  of tensor: String, dtype: DType, shape: [UInt64]
) throws(SafetensorsError) -> UInt64 {
  var bits: UInt64 = 1
  for factor in shape + [UInt64(dtype.bits)] {
    let (product, overflow) = bits.multipliedReportingOverflow(by: factor)
    if overflow { throw .sizeOverflow(tensor: tensor, dtype: dtype, shape: shape) }
    bits = product
  }
  if bits % 8 != 0 { throw .partialByte(tensor: tensor, dtype: dtype, bits: bits) }
  return bits / 8
}
