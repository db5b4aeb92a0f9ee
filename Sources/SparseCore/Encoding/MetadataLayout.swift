/// The order in which some consumer of 2:4 weights takes the index nibbles `i0 | i1 << 2` of their groups.
///
/// ```swift
/// let metadata = try MetadataLayout.cutlass.encoded(mask, for: .float16)
/// try MetadataLayout.cutlass.mask(
///   from: metadata, rows: mask.rows, columns: mask.columns, type: .float16) == mask  // true
/// ```
///
/// A new one is a file with a static member, and its name in ``all``.
public struct MetadataLayout: Sendable {
  /// What the command line and messages call it.
  public let name: String
  /// The places that the consumer's own encoder keeps of groups with fewer than two non-zeros: the mask
  /// has to be made by this rule where the bytes are to be the same as that encoder's.
  ///
  /// Any mask can be encoded, as the values at these places are zeros.
  public let filler: Filler24
  private let multiples: @Sendable (ScalarType) -> (rows: Int, columns: Int)?
  /// Where the nibbles of a weight lie whose shape and type have been checked.
  private let order: @Sendable (_ rows: Int, _ columns: Int, _ type: ScalarType) -> NibbleOrder

  /// All layouts, in the order in which they are listed for users.
  public static let all: [MetadataLayout] = [
    .logical, .cutlass, .pyTorch, .mma(selector: 0), .mma(selector: 1), .cuSPARSELt,
  ]

  /// A layout.
  ///
  /// - Parameters:
  ///   - multiples: what a weight's sizes must be multiples of; nil for types without metadata.
  ///   - order: where the nibbles lie of weights of such sizes and types.
  init(
    name: String, filler: Filler24,
    multiples: @escaping @Sendable (ScalarType) -> (rows: Int, columns: Int)?,
    order: @escaping @Sendable (_ rows: Int, _ columns: Int, _ type: ScalarType) -> NibbleOrder
  ) {
    self.name = name
    self.filler = filler
    self.multiples = multiples
    self.order = order
  }

  /// What the rows and columns of a weight must be multiples of; nil if there is no metadata for its type.
  public func multiples(for type: ScalarType) -> (rows: Int, columns: Int)? { multiples(type) }

  /// The size of the metadata of a weight.
  ///
  /// - Throws: ``MetadataError`` where the layout does not take the type or the shape.
  public func byteCount(
    rows: Int, columns: Int, type: ScalarType
  ) throws(MetadataError) -> Int {
    try nibbles(rows: rows, columns: columns, type: type).byteCount
  }

  /// The metadata of a mask, integers in little endian.
  ///
  /// - Parameter type: the type of the weight's values, which decides on the order.
  /// - Throws: ``MetadataError`` where the layout does not take the type or the shape.
  public func encoded(
    _ mask: Mask24, for type: ScalarType, on compute: Compute = .automatic
  ) throws(MetadataError) -> ByteView {
    let (rows, columns) = (mask.rows, mask.columns)
    let nibbles = try nibbles(rows: rows, columns: columns, type: type)
    return ByteView(count: nibbles.byteCount) { out in
      mask.bytes.withUnsafeBytes {
        nibbles.write($0, rows: rows, columns: columns, into: out, on: compute)
      }
    }
  }

  /// The metadata of a compressed weight, integers in little endian.
  ///
  /// - Throws: ``MetadataError`` where the layout does not take the type or the shape.
  public func encoded(
    _ weight: Compressed24, on compute: Compute = .automatic
  ) throws(MetadataError) -> ByteView {
    let (rows, columns) = (weight.rows, weight.columns)
    let nibbles = try nibbles(rows: rows, columns: columns, type: weight.type)
    return ByteView(count: nibbles.byteCount) { out in
      nibbles.write(weight.mask.bytes, rows: rows, columns: columns, into: out, on: compute)
    }
  }

  /// The mask of a weight of `rows × columns` values by its metadata.
  ///
  /// Padding is not looked at.
  ///
  /// - Throws: ``MetadataError`` where the layout does not take the type or the shape, where there are
  ///   too few bytes or too many, or where a nibble is not two ascending places.
  public func mask(
    from metadata: ByteView, rows: Int, columns: Int, type: ScalarType,
    on compute: Compute = .automatic
  ) throws(MetadataError) -> Mask24 {
    let nibbles = try nibbles(rows: rows, columns: columns, type: type)
    guard metadata.count == nibbles.byteCount else {
      throw .byteCount(metadata.count, needed: nibbles.byteCount, layout: name)
    }
    return try nibbles.mask(rows: rows, columns: columns, from: metadata.bytes, on: compute)
  }

  /// Where the nibbles of a weight lie.
  func nibbles(
    rows: Int, columns: Int, type: ScalarType
  ) throws(MetadataError) -> NibbleOrder {
    guard let multiples = multiples(type) else { throw .type(type, layout: name) }
    let sizes = 0...Int(Int32.max)
    guard sizes.contains(rows), sizes.contains(columns), columns % 4 == 0 else {
      throw .size(rows: rows, columns: columns)
    }
    guard rows % multiples.rows == 0, columns % multiples.columns == 0 else {
      throw .shape(
        rows: rows, columns: columns, rowMultiple: multiples.rows,
        columnMultiple: multiples.columns, layout: name)
    }
    return order(rows, columns, type)
  }
}
