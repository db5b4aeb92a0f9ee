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
  private let finalPath: String
  private let places: [ExactString: Int]
  private let written: Mutex<[Int]>  // bytes of each tensor so far

  /// Creates the file under a temporary name, at its full size.
  ///
  /// - Parameter finalPath: what errors call the file, where its folder will be renamed; nil for
  ///   `path`.
  /// - Throws: `FileError` where it cannot be written, `SafetensorsFileError` where the format does
  ///   not allow what is to be written.
  public convenience init(
    path: String, finalPath: String? = nil, tensors: [TensorSpec],
    metadata: SafetensorsMetadata = SafetensorsMetadata()
  ) throws {
    try self.init(
      path: path, finalPath: finalPath, tensors: tensors, metadata: metadata, workPath: nil)
  }

  /// Creates the file at its work path, nil for a temporary one, or goes on with the one that is there.
  ///
  /// `keep` says what of it is to stay.
  package init(
    path: String, finalPath: String?, tensors: [TensorSpec], metadata: SafetensorsMetadata,
    workPath: String?
  ) throws {
    self.finalPath = finalPath ?? path
    let header = try located(finalPath ?? path) { () throws(SafetensorsError) in
      try SafetensorsHeader(layingOut: tensors, metadata: metadata)
    }
    self.header = header
    places = Dictionary(
      uniqueKeysWithValues: header.tensors.enumerated().map { (ExactString($1.name), $0) })
    written = Mutex(Array(repeating: 0, count: header.tensors.count))
    file = try AtomicFile(
      path: path, finalPath: finalPath, size: header.fileByteCount,
      workPath: workPath)
    try write(header)
  }

  /// The name that the finished file gets.
  public var path: String { file.path }

  /// The tensors of which nothing has been written yet, in the order of their bytes.
  public var unwritten: [TensorInfo] {
    written.withLock { written in
      header.tensors.indices.filter { written[$0] == 0 && header.tensors[$0].byteCount > 0 }
        .map { header.tensors[$0] }
    }
  }

  /// Takes a tensor that an earlier run has written as done; the rest is written anew.
  package func keep(_ name: String) {
    let place = place(of: name)
    written.withLock { $0[place] = header.tensors[place].byteCount }
  }

  /// The number of bytes that a tensor has.
  package func byteCount(of name: String) -> Int { header.tensors[place(of: name)].byteCount }

  /// The bytes of a tensor as they are in the file now, from an offset on: as many as the buffer has.
  package func contents(
    of name: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(FileError) {
    let start = header.dataOffset + header.tensors[place(of: name)].range.lowerBound
    try file.read(into: buffer, at: start + offset)
  }

  /// Waits until what has been written is on the disk.
  package func synchronize() throws(FileError) { try file.synchronize() }

  private func place(of name: String) -> Int {
    guard let place = places[ExactString(name)] else {
      preconditionFailure("SafetensorsWriter: \(name) is not in the layout of \(path)")
    }
    return place
  }

  /// Writes the tensor named `name`, or a piece of it that starts `offset` bytes into it.
  ///
  /// Several threads may write at once. Each byte of a tensor is written once.
  public func write(_ bytes: ByteView, as name: String, at offset: Int = 0) throws(FileError) {
    try write(bytes.bytes, as: name, at: offset)
  }

  /// Writes the bytes behind a pointer.
  package func write(
    _ bytes: UnsafeRawBufferPointer, as name: String, at offset: Int
  ) throws(FileError) {
    let place = place(of: name)
    let tensor = header.tensors[place]
    precondition(
      offset >= 0 && offset + bytes.count <= tensor.byteCount,
      "SafetensorsWriter: \(name) has \(tensor.byteCount) bytes, got \(bytes.count) at \(offset)")
    try file.write(bytes, at: header.dataOffset + tensor.range.lowerBound + offset)
    let total = written.withLock { written in
      written[place] += bytes.count
      return written[place]
    }
    precondition(total <= tensor.byteCount, "SafetensorsWriter: \(name) is written twice")
  }

  /// Finishes the file under its name.
  ///
  /// - Parameters:
  ///   - metadata: texts to put in place of the first ones, for what is known only at the
  ///     end. The header must not get longer by them; a shorter one is filled up with spaces.
  ///   - replacing: whether a file that has the name is replaced.
  /// - Throws: `SafetensorsFileError` where a tensor is missing or the header has grown, `FileError`
  ///   where the file cannot be finished, or its name is taken and nothing is to be replaced. Nothing of this file is
  ///   left under the final name then.
  public func commit(metadata: SafetensorsMetadata? = nil, replacing: Bool = true) throws {
    let missing = written.withLock { written in
      header.tensors.indices.filter { written[$0] != header.tensors[$0].byteCount }
        .map { header.tensors[$0].name }
    }
    if !missing.isEmpty {
      throw SafetensorsFileError(path: finalPath, reason: .notWritten(tensors: missing))
    }
    if let metadata {
      var final = header
      final.metadata = metadata
      try write(final)
    }
    try file.commit(replacing: replacing)
  }

  private func write(_ header: SafetensorsHeader) throws {
    let bytes = try located(finalPath) { () throws(SafetensorsError) in try header.encoded() }
    try file.write(ByteView(copying: bytes), at: 0)
  }
}
