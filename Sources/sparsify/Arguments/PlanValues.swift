internal import SparseCore

extension ValueType where Value == GPU {
  /// One of the GPUs in the table, as `GPU.named` finds it.
  static var gpu: Self {
    let names = GPU.all.map(\.name)
    return Self(allowed: names, completion: .values) { text throws(ValueError) in
      if let gpu = GPU.named(text) { return gpu }
      let family = GPU.family(of: text)
      guard family.isEmpty else {
        let list = family.map { "'\($0)'" }.joined(separator: " or ")
        throw ValueError("is another card, whose numbers --gpu-spec takes. Did you mean \(list)?")
      }
      throw ValueError(choosing: text.lowercased(), from: names)
    }
  }

  /// A GPU by its numbers.
  static var gpuSpecification: Self {
    Self { text throws(ValueError) in
      do throws(GPUSpecificationError) {
        return try GPU(specification: text)
      } catch {
        throw ValueError(
          "must be such as 'fp16=312,int8=624,bandwidth=2039,memory=80,sparse=yes': \(error)")
      }
    }
  }
}

extension ValueType where Value == [Int] {
  /// Whole numbers with commas between them, 16 at most, from 1 to 1048576; the same one twice counts once.
  static var batches: Self {
    Self { text throws(ValueError) in
      var batches: [Int] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        guard let batch = Int(part), (1...1 << 20).contains(batch) else {
          throw ValueError("must be whole numbers from 1 to \(1 << 20) with commas between them")
        }
        if !batches.contains(batch) { batches.append(batch) }
      }
      guard batches.count <= 16 else { throw ValueError("must be at most 16 numbers") }
      return batches
    }
  }
}

/// The numbers that 2:4 weights are kept in.
enum PlanNumbers: String, CaseIterable, Sendable {
  case fp16, int8

  /// The form of the weights.
  var form: LinearForm { self == .int8 ? .sparseInt8 : .sparseHalf }
}
