internal import Foundation
internal import SparseCore
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(20))) struct SafetensorsFileTests {
  private func write(_ tensors: [(TensorSpec, [UInt8])], to path: String) throws {
    let writer = try SafetensorsWriter(path: path, tensors: tensors.map(\.0))
    for (spec, bytes) in tensors { try writer.write(ByteView(copying: bytes), as: spec.name) }
    try writer.commit()
  }

  @Test(arguments: [(DType.f32, ScalarType.float32), (.f16, .float16), (.bf16, .bfloat16)])
  func floatTensorsAreMatricesWhereTheyLie(dtype: DType, type: ScalarType) throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<6 * type.byteCount).map { UInt8($0) }
    try write([(TensorSpec(name: "w", dtype: dtype, shape: [2, 3]), bytes)], to: folder["a"])
    let matrix = try SafetensorsFile(path: folder["a"]).matrix("w")
    #expect(matrix.rows == 2)
    #expect(matrix.columns == 3)
    #expect(matrix.type == type)
    #expect(matrix.bytes.withUnsafeBytes { Array($0) } == bytes)
  }

  @Test func whatIsNoMatrixSaysWhatItIs() throws {
    let folder = try TemporaryFolder()
    try write(
      [
        (TensorSpec(name: "three", dtype: .f32, shape: [1, 1, 1]), [0, 0, 0, 0]),
        (TensorSpec(name: "one", dtype: .f32, shape: [1]), [0, 0, 0, 0]),
        (TensorSpec(name: "int", dtype: .i8, shape: [1, 2]), [1, 2]),
      ], to: folder["a"])
    let file = try SafetensorsFile(path: folder["a"])
    func expect(_ reason: SafetensorsError, _ body: () throws -> Void) {
      let error = #expect(throws: SafetensorsFileError.self, performing: body)
      #expect(error == SafetensorsFileError(path: folder["a"], reason: reason))
    }
    expect(.noSuchTensor("w")) { _ = try file.matrix("w") }
    expect(.notAMatrix(tensor: "three", shape: [1, 1, 1])) { _ = try file.matrix("three") }
    expect(.notAVector(tensor: "three", shape: [1, 1, 1])) { _ = try file.vector("three") }
    expect(.unsupportedDType(tensor: "int", dtype: .i8, supported: [.f32, .f16, .bf16])) {
      _ = try file.matrix("int")
    }
    expect(
      .unsupportedDType(
        tensor: "one", dtype: .f32, supported: [.i8, .u8, .i16, .u16, .i32, .u32, .i64])
    ) { _ = try file.integers("one") }
    #expect(try file.vector("one").columns == 1)
    let error = #expect(throws: SafetensorsFileError.self) { try file.matrix("int") }
    #expect(
      error?.description
        == "\(folder["a"]): tensor \"int\": dtype I8 where F32, F16 or BF16 is needed")
  }

  @Test func integersOfEverySizeKeepTheirSign() throws {
    let folder = try TemporaryFolder()
    let ff = [UInt8](repeating: 0xFF, count: 8)
    let cases: [(DType, [UInt8], [Int])] = [
      (.i8, [1, 0x80], [1, -128]), (.u8, [1, 0x80], [1, 128]),
      (.i16, [1, 2, 0, 0x80], [513, -32768]), (.u16, [1, 2, 0, 0x80], [513, 32768]),
      (.i32, [1, 2, 0, 0] + ff[..<4], [513, -1]),
      (.u32, [1, 2, 0, 0] + ff[..<4], [513, 4_294_967_295]),
      (.i64, [1, 2, 0, 0, 0, 0, 0, 0] + ff, [513, -1]),
    ]
    try write(
      cases.map { (TensorSpec(name: $0.0.rawValue, dtype: $0.0, shape: [1, 2]), $0.1) },
      to: folder["a"])
    let file = try SafetensorsFile(path: folder["a"])
    for (dtype, _, values) in cases { #expect(try file.integers(dtype.rawValue) == values) }
  }

  @Test func aFileCanBeWrittenOverWhileItIsMapped() throws {
    let folder = try TemporaryFolder()
    let spec = TensorSpec(name: "w", dtype: .u8, shape: [100_000])
    let old = [UInt8](repeating: 1, count: 100_000)
    try write([(spec, old)], to: folder["a"])
    let file = try SafetensorsFile(path: folder["a"])
    try write([(spec, [UInt8](repeating: 2, count: 100_000))], to: folder["a"])
    file.release(file.tensors[0])
    #expect(Array(try file.bytes(of: "w").withUnsafeBytes { Array($0) }) == old)
    #expect(try SafetensorsFile(path: folder["a"]).integers("w").allSatisfy { $0 == 2 })
  }

  @Test func missingAndMalformedFilesAreDifferentErrors() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.missing(path: folder["none"])) {
      try SafetensorsFile(path: folder["none"])
    }
    let path = try folder.write("hello, this is text", to: "text")
    #expect(
      throws: SafetensorsFileError(
        path: path, reason: .headerTooLarge(bytes: 0x7420_2C6F_6C6C_6568, limit: 100_000_000)
      )
    ) { try SafetensorsFile(path: path) }
  }
}

@Suite(.timeLimit(.minutes(20))) struct SafetensorsWriterTests {
  private let specs = [
    TensorSpec(name: "a", dtype: .u8, shape: [3]), TensorSpec(name: "b", dtype: .u8, shape: [2]),
  ]

  @Test func aTensorThatWasForgottenIsNamed() throws {
    let folder = try TemporaryFolder()
    do {
      let writer = try SafetensorsWriter(path: folder["out"], tensors: specs)
      try writer.write(ByteView(copying: [1, 2]), as: "b")
      #expect(writer.unwritten.map(\.name) == ["a"])
      #expect(
        throws: SafetensorsFileError(path: folder["out"], reason: .notWritten(tensors: ["a"]))
      ) { try writer.commit() }
    }
    #expect(try folder.contents() == [])
  }

  @Test func threadsWriteTensorsInAnyOrder() throws {
    let folder = try TemporaryFolder()
    let many = (0..<64).map { TensorSpec(name: "t\($0)", dtype: .u8, shape: [1000]) }
    let writer = try SafetensorsWriter(path: folder["out"], tensors: many)
    let failures = Atomic(0)
    Parallel.forEach(64, threads: 8) { index in
      do {
        let bytes = [UInt8](repeating: UInt8(index), count: 1000)
        try writer.write(ByteView(copying: bytes), as: "t\(index)")
      } catch {
        failures.add(1, ordering: .relaxed)
      }
    }
    try writer.commit()
    #expect(failures.load(ordering: .relaxed) == 0)
    let file = try SafetensorsFile(path: folder["out"])
    for index in 0..<64 {
      #expect(try file.integers("t\(index)").allSatisfy { $0 == index })
    }
  }

  @Test func piecesMakeUpATensorInAnyOrder() throws {
    let folder = try TemporaryFolder()
    let spec = TensorSpec(name: "w", dtype: .u8, shape: [10])
    let empty = TensorSpec(name: "empty", dtype: .f32, shape: [0])
    let writer = try SafetensorsWriter(path: folder["a"], tensors: [spec, empty])
    for piece in [6..<10, 0..<1, 1..<6] {
      #expect(throws: SafetensorsFileError.self) { try writer.commit() }
      try writer.write(ByteView(copying: piece.map { UInt8($0) }), as: "w", at: piece.lowerBound)
    }
    try writer.commit()
    #expect(try SafetensorsFile(path: folder["a"]).integers("w") == Array(0..<10))
  }

  @Test func aHeaderThatHasGrownIsRefusedAtTheEnd() throws {
    let folder = try TemporaryFolder()
    do {
      let writer = try SafetensorsWriter(path: folder["out"], tensors: [], metadata: ["k": "0000"])
      let error = #expect(throws: SafetensorsFileError.self) {
        try writer.commit(metadata: ["k": String(repeating: "1", count: 40)])
      }
      #expect(error?.reason == .headerGrew(bytes: 65, reserved: 32))
    }
    #expect(try folder.contents() == [])
  }

  @Test func writingTwiceOrTheWrongSizeIsACallersMistake() async {
    await #expect(processExitsWith: .failure) {
      let writer = try SafetensorsWriter(
        path: TemporaryFolder()["out"],
        tensors: [TensorSpec(name: "a", dtype: .u8, shape: [1])])
      try writer.write(ByteView(copying: [1]), as: "a")
      try writer.write(ByteView(copying: [1]), as: "a")
    }
    await #expect(processExitsWith: .failure) {
      let writer = try SafetensorsWriter(
        path: TemporaryFolder()["out"],
        tensors: [TensorSpec(name: "a", dtype: .u8, shape: [1])])
      try writer.write(ByteView(copying: [1, 2]), as: "a")
    }
  }

  @Test func aFailedLayoutLeavesNothing() throws {
    let folder = try TemporaryFolder()
    #expect(
      throws: SafetensorsFileError(path: folder["out"], reason: .duplicateTensor("a"))
    ) { try SafetensorsWriter(path: folder["out"], tensors: specs + specs) }
    #expect(try folder.contents() == [])
  }
}
