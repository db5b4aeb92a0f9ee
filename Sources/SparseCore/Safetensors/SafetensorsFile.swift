/// A safetensors file, mapped: its tensors are read from the disk where they are touched.
///
/// Opening reads and checks the header and nothing else.
///
/// ```swift
/// let file = try SafetensorsFile(path: "model.safetensors")
/// for tensor in file.tensors { print(tensor.name, tensor.dtype, tensor.shape) }
/// let embedding = try file.matrix("model.embed_tokens.weight")
/// ```
public final class SafetensorsFile: Sendable {
  /// The header, checked.
  public let header: SafetensorsHeader
  /// The file's bytes, and its size and time.
  public let mapping: MappedFile
  private let places: [ExactString: Int]

  /// Opens the file at `path`.
  ///
  /// - Throws: `FileError` where it cannot be read, `SafetensorsFileError` where it is malformed.
  public init(path: String, duplicates: SafetensorsHeader.Duplicates = .accept) throws {
    let mapping = try MappedFile(path: path)
    self.mapping = mapping
    header = try located(path) { () throws(SafetensorsError) in
      do throws(SafetensorsError) {
        return try SafetensorsHeader(parsing: mapping.bytes, duplicates: duplicates)
      } catch {
        guard error.isOfHeader, let kind = ForeignFile(mapping.bytes, name: Path.name(of: path)),
          kind != .safetensors
        else { throw error }
        throw .foreign(kind)
      }
    }
    places = Dictionary(
      uniqueKeysWithValues: header.tensors.enumerated().map { (ExactString($1.name), $0) })
  }

  /// The path it was opened by.
  public var path: String { mapping.path }

  /// The texts that the file carries about itself.
  public var metadata: SafetensorsMetadata { header.metadata }

  /// The tensors in the order of their bytes.
  public var tensors: [TensorInfo] { header.tensors }

  /// The tensor named `name`; nil where there is none.
  public subscript(name: String) -> TensorInfo? {
    places[ExactString(name)].map { header.tensors[$0] }
  }

  /// The bytes of one of this file's tensors, aligned or not.
  public func bytes(of tensor: TensorInfo) -> ByteView { mapping.bytes[place(of: tensor)] }

  /// The bytes of the tensor named `name`, aligned or not.
  public func bytes(of name: String) throws(SafetensorsFileError) -> ByteView {
    bytes(of: try tensor(name))
  }

  /// Lets the memory of a tensor go that has been read.
  ///
  /// It counts no longer as resident, and is read again if touched. Views of it stay valid.
  public func release(_ tensor: TensorInfo) { mapping.willNotNeed(place(of: tensor)) }

  /// Brings a part of a tensor into memory at once, where the system can.
  package func prefetch(_ tensor: TensorInfo, _ part: Range<Int>) {
    mapping.prefetch(place(of: tensor, part))
  }

  private func place(of tensor: TensorInfo, _ part: Range<Int>) -> Range<Int> {
    let start = place(of: tensor).lowerBound
    return start + part.lowerBound..<start + part.upperBound
  }

  /// Where a tensor's bytes are in the file.
  package func place(of tensor: TensorInfo) -> Range<Int> {
    header.dataOffset + tensor.range.lowerBound..<header.dataOffset + tensor.range.upperBound
  }

  func tensor(_ name: String) throws(SafetensorsFileError) -> TensorInfo {
    guard let tensor = self[name] else { throw fault(.noSuchTensor(name)) }
    return tensor
  }

  func fault(_ reason: SafetensorsError) -> SafetensorsFileError {
    SafetensorsFileError(path: path, reason: reason)
  }
}
