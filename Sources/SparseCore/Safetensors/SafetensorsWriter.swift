internal import Synchronization

/// Writes a safetensors file: the header first, then each tensor once, in any order.
///
/// The file is laid out when the writer is made, in the order that the format's own writer uses, and
/// gets its name with `commit`. Without that nothing of it is left.
///
/// ```swift
/// let writer = try SafetensorsWriter(
///   path: "out.safetensors", tensors: [TensorSpec(name: "w", dtype: .f32, shape: [2, 2])],
///   metadata: ["format": "pt"])
/// try writer.write(ByteView(copying: [UInt8](repeating: 0, count: 16)), as: "w")
/// try writer.commit()
/// ```
public final class SafetensorsWriter: Sendable {
  /// The layout of the file.
  public let header: SafetensorsHeader
  private let file: AtomicFile
  private let places: [ExactString: Int]
  private let states: Mutex<[State]>

  private enum State { case waiting, begun, written }

  /// Creates the file under a temporary name, at its full size.
  ///
  /// - Throws: `FileError` where it cannot be written, `SafetensorsFileError` where the format does
  ///   not allow what is to be written.
  public init(
    path: String, tensors: [TensorSpec], metadata: SafetensorsMetadata = SafetensorsMetadata()
  ) throws {
    let header = try located(path) { () throws(SafetensorsError) in
      try SafetensorsHeader(layingOut: tensors, metadata: metadata)
    }
    self.header = header
    places = Dictionary(
      uniqueKeysWithValues: header.tensors.enumerated().map { (ExactString($1.name), $0) })
    states = Mutex(Array(repeating: .waiting, count: header.tensors.count))
    file = try AtomicFile(path: path, size: header.fileByteCount)
    try write(header)
  }

  /// The name that the finished file gets.
  public var path: String { file.path }

  /// The tensors that are still to be written, in the order of their bytes.
  public var unwritten: [TensorInfo] {
    states.withLock { states in
      header.tensors.indices.filter { states[$0] == .waiting }.map { header.tensors[$0] }
    }
  }

  /// Writes the tensor named `name`, all of it.
  ///
  /// Several threads may write at once. Each tensor is written once.
  public func write(_ bytes: ByteView, as name: String) throws(FileError) {
    let place = begin(name, bytes.count)
    try file.write(bytes, at: header.dataOffset + header.tensors[place].range.lowerBound)
    states.withLock { $0[place] = .written }
  }

  /// Writes the tensor named `name` piece by piece, and says after each piece which range it was.
  package func write(
    _ bytes: ByteView, as name: String, pieces size: Int, after: (Range<Int>) throws -> Void
  ) throws {
    let place = begin(name, bytes.count)
    let offset = header.dataOffset + header.tensors[place].range.lowerBound
    for start in stride(from: 0, to: bytes.count, by: size) {
      let range = start..<min(start + size, bytes.count)
      try file.write(bytes[range], at: offset + start)
      try after(range)
    }
    states.withLock { $0[place] = .written }
  }

  private func begin(_ name: String, _ count: Int) -> Int {
    guard let place = places[ExactString(name)] else {
      preconditionFailure("SafetensorsWriter: \(name) is not in the layout of \(path)")
    }
    let size = header.tensors[place].byteCount
    precondition(count == size, "SafetensorsWriter: \(name) has \(size) bytes, got \(count)")
    states.withLock { states in
      precondition(states[place] == .waiting, "SafetensorsWriter: \(name) is written twice")
      states[place] = .begun
    }
    return place
  }

  /// Finishes the file under its name.
  ///
  /// - Parameter metadata: texts to put in place of the first ones, for what is known only at the
  ///   end. The header must not get longer by them; a shorter one is filled up with spaces.
  /// - Throws: `SafetensorsFileError` where a tensor is missing or the header has grown, `FileError`
  ///   where the file cannot be finished. Nothing is left under the final name then.
  public func commit(metadata: SafetensorsMetadata? = nil) throws {
    let missing = states.withLock { states in
      header.tensors.indices.filter { states[$0] != .written }.map { header.tensors[$0].name }
    }
    if !missing.isEmpty {
      throw SafetensorsFileError(path: path, reason: .notWritten(tensors: missing))
    }
    if let metadata {
      var final = header
      final.metadata = metadata
      try write(final)
    }
    try file.commit()
  }

  private func write(_ header: SafetensorsHeader) throws {
    let bytes = try located(path) { () throws(SafetensorsError) in try header.encoded() }
    try file.write(ByteView(copying: bytes), at: 0)
  }
}
