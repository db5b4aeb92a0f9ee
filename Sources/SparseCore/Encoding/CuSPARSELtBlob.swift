/// What cuSPARSELt's `cusparseLtSpMMACompress2` writes for a row-major 2:4 weight: its values and then its metadata.
///
/// **This is no file format.** NVIDIA documents none of it: it is what was measured with one version of
/// the library on one GPU, and any other may take another order without a way to tell. Such bytes are for
/// a process that hands them to the very library they are named after. Keep a weight as
/// ``Compressed24``, and make blobs when they are needed.
///
/// The values are two of each four in row-major order. The metadata is ``MetadataLayout/cuSPARSELt``.
/// Their sum is 56.25 % of a dense weight of 16 bits, and 62.5 % of INT8, only if both sizes are multiples of 64.
public struct CuSPARSELtBlob: Sendable, Equatable {
  /// The GPU with which the layout was measured.
  public let gpu: String
  /// The version of cuSPARSELt with which it was measured.
  public let version: String

  /// The blobs of cuSPARSELt 0.8.0 on an H100.
  public static let h100 = CuSPARSELtBlob(gpu: "H100", version: "0.8.0")

  private init(gpu: String, version: String) {
    self.gpu = gpu
    self.version = version
  }

  /// The size of the blob of a weight, as `cusparseLtSpMMACompressedSize2` tells it.
  ///
  /// - Throws: ``MetadataError`` where cuSPARSELt does not take the type or the shape: rows and columns
  ///   must be multiples of 16 for float16 and bfloat16, and of 32 for INT8.
  public func byteCount(
    rows: Int, columns: Int, type: ScalarType
  ) throws(MetadataError) -> Int {
    let metadata = try MetadataLayout.cuSPARSELt.byteCount(rows: rows, columns: columns, type: type)
    return valueBytes(rows: rows, columns: columns, type: type) + metadata
  }

  /// The blob of a weight.
  ///
  /// It equals the library's own where the weight was compressed with ``Filler24/cuSPARSELt``, signs of
  /// zeros aside; with any other filler it is as good for a product.
  ///
  /// - Throws: ``MetadataError`` where cuSPARSELt does not take the type or the shape.
  public func bytes(
    of weight: Compressed24, on compute: Compute = .automatic
  ) throws(MetadataError) -> ByteView {
    let (rows, columns) = (weight.rows, weight.columns)
    let nibbles = try MetadataLayout.cuSPARSELt.nibbles(
      rows: rows, columns: columns, type: weight.type)
    let values = weight.values.bytes
    return ByteView(count: values.count + nibbles.byteCount) { blob in
      blob.copyBytes(from: values)
      nibbles.write(
        weight.mask.bytes, rows: rows, columns: columns,
        into: .init(rebasing: blob[values.count...]), on: compute)
    }
  }

  /// The values of a blob, where they lie, and the mask.
  ///
  /// - Throws: ``MetadataError`` where cuSPARSELt does not take the type or the shape, where the blob has
  ///   another size, or where a nibble is not two ascending places.
  public func contents(
    of blob: ByteView, rows: Int, columns: Int, type: ScalarType, on compute: Compute = .automatic
  ) throws(MetadataError) -> (values: ByteView, mask: Mask24) {
    let layout = MetadataLayout.cuSPARSELt
    let byteCount = try byteCount(rows: rows, columns: columns, type: type)
    guard blob.count == byteCount else {
      throw .byteCount(blob.count, needed: byteCount, layout: layout.name)
    }
    let valueBytes = valueBytes(rows: rows, columns: columns, type: type)
    let mask = try layout.mask(
      from: blob[valueBytes..<byteCount], rows: rows, columns: columns, type: type, on: compute)
    return (blob[0..<valueBytes], mask)
  }

  private func valueBytes(rows: Int, columns: Int, type: ScalarType) -> Int {
    rows * columns / 2 * type.byteCount
  }
}
