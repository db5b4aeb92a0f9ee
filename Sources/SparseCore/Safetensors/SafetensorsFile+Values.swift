extension SafetensorsFile {
  /// The two-dimensional F32, F16 or BF16 tensor named `name`, where it lies.
  public func matrix(_ name: String) throws(SafetensorsFileError) -> StoredMatrix {
    let tensor = try tensor(name)
    guard tensor.shape.count == 2 else {
      throw fault(.notAMatrix(tensor: name, shape: tensor.shape))
    }
    return try stored(tensor, rows: tensor.shape[0], columns: tensor.shape[1])
  }

  /// The one-dimensional F32, F16 or BF16 tensor named `name`, as a matrix of one row.
  public func vector(_ name: String) throws(SafetensorsFileError) -> StoredMatrix {
    let tensor = try tensor(name)
    guard tensor.shape.count == 1 else {
      throw fault(.notAVector(tensor: name, shape: tensor.shape))
    }
    return try stored(tensor, rows: 1, columns: tensor.shape[0])
  }

  /// The values of the integer tensor named `name`, row after row.
  ///
  /// Every integer type but U64 is read, whatever the number of dimensions.
  public func integers(_ name: String) throws(SafetensorsFileError) -> [Int] {
    let tensor = try tensor(name)
    let bytes = bytes(of: tensor)
    switch tensor.dtype {
    case .i8: return integers(bytes, Int8.self)
    case .u8: return integers(bytes, UInt8.self)
    case .i16: return integers(bytes, Int16.self)
    case .u16: return integers(bytes, UInt16.self)
    case .i32: return integers(bytes, Int32.self)
    case .u32: return integers(bytes, UInt32.self)
    case .i64: return integers(bytes, Int64.self)
    default:
      throw fault(
        .unsupportedDType(
          tensor: name, dtype: tensor.dtype, supported: [.i8, .u8, .i16, .u16, .i32, .u32, .i64]))
    }
  }

  private func stored(
    _ tensor: TensorInfo, rows: Int, columns: Int
  ) throws(SafetensorsFileError) -> StoredMatrix {
    guard let type = tensor.dtype.scalarType else {
      throw fault(
        .unsupportedDType(
          tensor: tensor.name, dtype: tensor.dtype, supported: [.f32, .f16, .bf16]))
    }
    return StoredMatrix(rows: rows, columns: columns, type: type, bytes: bytes(of: tensor))
  }

  private func integers<Value: FixedWidthInteger & BitwiseCopyable>(
    _ view: ByteView, _ type: Value.Type
  ) -> [Int] {
    let size = MemoryLayout<Value>.size
    return (0..<view.count / size).map { index in
      let value = view.bytes.loadUnaligned(fromByteOffset: index * size, as: Value.self)
      return Int(Value(littleEndian: value))
    }
  }
}
