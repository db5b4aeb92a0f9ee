/// What is wrong with a safetensors file, or with what is asked of it: one case for each check.
public enum SafetensorsError: Error, Equatable, Sendable {
  // The file as a whole.

  /// The file is one of another kind.
  case foreign(ForeignFile)

  // The header as a whole.

  /// The file ends within the 8 bytes that hold the header's length.
  case tooShort(fileBytes: Int)
  /// The header is longer than the format allows.
  case headerTooLarge(bytes: UInt64, limit: Int)
  /// The file ends within the header.
  case headerTruncated(bytes: Int, fileBytes: Int)
  /// The header is not UTF-8 text.
  case headerNotUTF8
  /// The header is not JSON.
  case headerNotJSON(JSONError)
  /// The header is some other JSON value than an object.
  case headerNotObject(found: String)

  // The metadata.

  /// `__metadata__` stands in the header twice.
  case metadataTwice
  /// `__metadata__` is neither an object nor null.
  case metadataNotObject(found: String)
  /// A metadata value is not a string.
  case metadataNotString(key: String, found: String)
  /// A metadata key stands there twice, and the caller wants that refused.
  case duplicateMetadata(key: String)

  // One tensor's entry.

  /// An entry is neither an object nor the array of its three fields.
  case entryNotObject(tensor: String, found: String)
  /// A field is missing from an entry.
  case missingField(tensor: String, field: String)
  /// A field stands in an entry twice.
  case duplicateField(tensor: String, field: String)
  /// A field has the wrong kind of value.
  case invalidField(tensor: String, field: String, expected: String, found: String)
  /// The element type is none of the format's.
  case unknownDType(tensor: String, dtype: String)
  /// A tensor without elements whose other dimensions multiply to more than the limit.
  case emptyTensorTooLarge(tensor: String, shape: [UInt64], limit: Int)
  /// The size in bits is beyond 64 bits.
  case sizeOverflow(tensor: String, dtype: DType, shape: [UInt64])
  /// The elements do not fill whole bytes.
  case partialByte(tensor: String, dtype: DType, bits: UInt64)
  /// The offsets span another number of bytes than type and shape need.
  case sizeMismatch(
    tensor: String, dtype: DType, shape: [UInt64], needed: UInt64, found: UInt64)

  // The tensors together.

  /// A tensor ends before it begins.
  case reversedOffsets(tensor: String, begin: UInt64, end: UInt64)
  /// A tensor begins elsewhere than where the one before it ends: a gap or an overlap.
  case notContiguous(tensor: String, begin: UInt64, expected: UInt64)
  /// The tensors end elsewhere than the file does.
  case dataLength(tensorBytes: UInt64, fileBytes: Int)
  /// Two tensors have one name, and the caller wants that refused.
  case duplicateTensor(String)

  // Reading and writing tensors.

  /// The file has no tensor of that name.
  case noSuchTensor(String)
  /// A matrix was asked for and the tensor has another number of dimensions.
  case notAMatrix(tensor: String, shape: [Int])
  /// A vector was asked for and the tensor has another number of dimensions.
  case notAVector(tensor: String, shape: [Int])
  /// The element type is none of those that the caller can use.
  case unsupportedDType(tensor: String, dtype: DType, supported: [DType])
  /// A tensor must not have the name that the format keeps for metadata.
  case reservedName(String)
  /// The file was to be finished and these tensors had not been written.
  case notWritten(tensors: [String])
  /// The header with the final metadata takes more bytes than were kept for it.
  case headerGrew(bytes: Int, reserved: Int)
}

extension SafetensorsError {
  /// Whether the header as a whole cannot be read, so that the file may be one of another kind.
  var isOfHeader: Bool {
    switch self {
    case .tooShort, .headerTooLarge, .headerTruncated, .headerNotUTF8, .headerNotJSON: true
    default: false
    }
  }
}

/// A `SafetensorsError` with the path of the file.
public struct SafetensorsFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What is wrong with it.
  public let reason: SafetensorsError

  /// What is wrong with the file at `path`.
  public init(path: String, reason: SafetensorsError) {
    self.path = path
    self.reason = reason
  }

  /// One line: the path, then the reason.
  public var description: String { "\(path): \(reason)" }
}

/// The result of `body`, or its error with the path of the file.
func located<Result>(
  _ path: String, _ body: () throws(SafetensorsError) -> Result
) throws(SafetensorsFileError) -> Result {
  do { return try body() } catch { throw SafetensorsFileError(path: path, reason: error) }
}

extension SafetensorsError: CustomStringConvertible {
  /// One line that names the tensor and both numbers.
  public var description: String {
    switch self {
    case .foreign(let kind): "not a safetensors file but \(kind)"
    case .tooShort(let bytes):
      "not a safetensors file: \(bytes.counting("byte")), too few for a header's length"
    case .headerTooLarge(let bytes, let limit):
      "not a safetensors file: a header of \(bytes) bytes, the limit is \(limit)"
    case .headerTruncated(let bytes, let fileBytes):
      "the file ends within its header: \(bytes) header bytes in a file of \(fileBytes)"
    case .headerNotUTF8: "the header is not UTF-8"
    case .headerNotJSON(let error): "the header is \(error)"
    case .headerNotObject(let found): "the header is not an object but \(found)"
    case .metadataTwice: "the header has \"__metadata__\" twice"
    case .metadataNotObject(let found): "\"__metadata__\" is not an object but \(found)"
    case .metadataNotString(let key, let found):
      "metadata \(quoted(key)) is not a string but \(found)"
    case .duplicateMetadata(let key): "metadata \(quoted(key)) is there twice"
    case .entryNotObject(let tensor, let found):
      "tensor \(quoted(tensor)): its entry is not an object but \(found)"
    case .missingField(let tensor, let field): "tensor \(quoted(tensor)): no \(field)"
    case .duplicateField(let tensor, let field):
      "tensor \(quoted(tensor)): \(field) is there twice"
    case .invalidField(let tensor, let field, let expected, let found):
      "tensor \(quoted(tensor)): \(field) must be \(expected), found \(shortened(found))"
    case .unknownDType(let tensor, let dtype):
      "tensor \(quoted(tensor)): unknown dtype \(quoted(dtype))"
    case .emptyTensorTooLarge(let tensor, let shape, let limit):
      "tensor \(quoted(tensor)): \(shape) has no elements, and dimensions that multiply to more than \(limit)"
    case .sizeOverflow(let tensor, let dtype, let shape):
      "tensor \(quoted(tensor)): \(dtype.rawValue) \(shape) is larger than can be counted"
    case .partialByte(let tensor, let dtype, let bits):
      "tensor \(quoted(tensor)): \(bits) bits of \(dtype.rawValue) are no whole number of bytes"
    case .sizeMismatch(let tensor, let dtype, let shape, let needed, let found):
      "tensor \(quoted(tensor)): \(dtype.rawValue) \(shape) takes \(needed) bytes, its offsets span \(found)"
    case .reversedOffsets(let tensor, let begin, let end):
      "tensor \(quoted(tensor)): ends at \(end), before it begins at \(begin)"
    case .notContiguous(let tensor, let begin, let expected):
      "tensor \(quoted(tensor)): begins at \(begin), the one before it ends at \(expected)"
    case .dataLength(let tensorBytes, let fileBytes):
      "the tensors take \(tensorBytes) bytes, the file holds \(fileBytes) after its header"
    case .duplicateTensor(let name): "tensor \(quoted(name)) is there twice"
    case .noSuchTensor(let name): "no tensor \(quoted(name))"
    case .notAMatrix(let tensor, let shape):
      "tensor \(quoted(tensor)): shape \(shape) where a matrix is needed"
    case .notAVector(let tensor, let shape):
      "tensor \(quoted(tensor)): shape \(shape) where a vector is needed"
    case .unsupportedDType(let tensor, let dtype, let supported):
      "tensor \(quoted(tensor)): dtype \(dtype.rawValue) where \(list(supported)) is needed"
    case .reservedName(let name): "a tensor must not be named \(quoted(name))"
    case .notWritten(let tensors):
      "\(tensors.count) tensors were not written, \(quoted(tensors.first ?? "")) among them"
    case .headerGrew(let bytes, let reserved):
      "the final header takes \(bytes) bytes, \(reserved) were kept for it"
    }
  }

  /// The name in quotes, on one line and not too long, whatever is in it.
  private func quoted(_ name: String) -> String { shortened(JSON.string(name).text()) }

  private func shortened(_ text: String) -> String {
    text.count <= 200 ? text : text.prefix(200) + "…"
  }

  private func list(_ dtypes: [DType]) -> String {
    let names = dtypes.map(\.rawValue)
    guard let last = names.last, names.count > 1 else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }
}
