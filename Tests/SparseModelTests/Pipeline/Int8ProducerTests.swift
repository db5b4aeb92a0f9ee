import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Reordering channels moves the rows of the layers before, whatever these are stored as.
///
/// Wanda only sets weights to 0, so that every weight it keeps must be an input's: in the column that the rows before
/// were moved by. Then the model computes what it did, but for what was pruned.
@Suite struct Int8ProducerTests {
  /// How the layers before are stored.
  enum Form: CustomStringConvertible, CaseIterable {
    case float32, float16, bfloat16
    case int8(DType, groupSize: Int?)

    static let allCases: [Form] =
      [.float32, .float16, .bfloat16]
      + [DType.f32, .f16, .bf16].flatMap { type in
        [nil, 32].map { .int8(type, groupSize: $0) }
      }

    var description: String {
      switch self {
      case .float32: "F32"
      case .float16: "F16"
      case .bfloat16: "BF16"
      case .int8(let type, let size): "INT8, \(type.rawValue) scales per \(size ?? 0)"
      }
    }
  }

  /// The tiny model with some layers of each block stored in another form.
  private func model(_ layers: [String], as form: Form) throws -> EditedModel {
    var model = try EditedModel(.tiny)
    let checkpoint = try ModelFixture.tiny.checkpoint()
    for block in 0..<4 {
      for layer in layers {
        let module = "model.layers.\(block).\(layer)"
        let weight = Matrix(try checkpoint.matrix(module + ".weight"))
        let shape = [weight.rows, weight.columns]
        func put(_ dtype: DType, _ type: ScalarType) {
          model.put(module + ".weight", dtype, shape, weight.storedBytes(as: type))
        }
        switch form {
        case .float32: put(.f32, .float32)
        case .float16: put(.f16, .float16)
        case .bfloat16: put(.bf16, .bfloat16)
        case .int8(let dtype, let groupSize):
          let type = try #require(dtype.scalarType)
          let grid = try Int8Grid(for: weight, groupSize: groupSize).withScales(roundedTo: type)
          model.put(
            module + ".weight", .i8, shape, grid.codes(of: weight).map { UInt8(bitPattern: $0) })
          let scales = Matrix(rows: weight.rows, columns: grid.groups, grid.scales)
          model.put(
            module + ".weight_scale", dtype, [weight.rows, grid.groups],
            scales.storedBytes(as: type))
        }
      }
    }
    return model
  }

  @Test(arguments: Form.allCases, [true, false])
  func rowsMoveAsTheColumnsDo(form: Form, isMLP: Bool) throws {
    let producers = isMLP ? ["mlp.gate_proj", "mlp.up_proj"] : ["self_attn.v_proj"]
    let reader = isMLP ? "mlp.down_proj" : "self_attn.o_proj"
    let place = try PrunedFolder(model(producers, as: form))
    let tokens = try place.tokens(samples: 4, length: 32, vocabulary: 512)
    try place.prune(
      .wanda, tokens, permutes: true, selection: WeightSelection(only: ["*\(reader)*"]), to: "out")
    let before = try Checkpoint(path: place.input)
    let after = try Checkpoint(path: place.folder["out"])
    for tensor in before.tensors {
      #expect(
        after[tensor.name]?.dtype == tensor.dtype && after[tensor.name]?.shape == tensor.shape)
    }
    var moved = 0
    for block in 0..<4 {
      let prefix = "model.layers.\(block)."
      let order = try rowOrder(before, after, prefix + producers[0] + ".weight")
      moved += order.enumerated().count { $0 != $1 }
      for producer in producers {
        let name = prefix + producer + ".weight"
        let (old, new) = (Matrix(try before.weight(name)), Matrix(try after.weight(name)))
        #expect(new == old.gather(rows: order), "\(name)")
      }
      let columns = isMLP ? order : headColumns(order)
      let name = prefix + reader + ".weight"
      let (old, new) = (Matrix(try before.matrix(name)), Matrix(try after.matrix(name)))
      var wrong = 0
      for row in 0..<new.rows {
        for column in 0..<new.columns where new[row, column] != 0 {
          if new[row, column] != old[row, columns[column]] { wrong += 1 }
        }
      }
      #expect(wrong == 0, "\(name)")
    }
    #expect(moved > 100, "\(moved) rows moved")
    #expect(try after.check().passed)
  }

  /// The columns of o that read values whose rows were moved: the tiny model has 4 heads of 32 channels, and 2 of values.
  private func headColumns(_ rows: [Int]) -> [Int] {
    var columns: [Int] = []
    for head in 0..<4 {
      let start: Int = head / 2 * 32
      for row in rows[start..<start + 32] { columns.append(row - start + head * 32) }
    }
    return columns
  }

  /// The row of the input that each row of the output was.
  private func rowOrder(
    _ before: Checkpoint, _ after: Checkpoint, _ name: String
  ) throws -> [Int] {
    let (old, new) = (Matrix(try before.weight(name)), Matrix(try after.weight(name)))
    var places: [[Float]: Int] = [:]
    for row in 0..<old.rows { places[values(of: row, in: old)] = row }
    #expect(places.count == old.rows)
    return try (0..<new.rows).map { row in
      try #require(places[values(of: row, in: new)])
    }
  }

  private func values(of row: Int, in matrix: Matrix) -> [Float] {
    let start = row * matrix.columns
    return Array(matrix.values[start..<start + matrix.columns])
  }
}
