internal import SparseCUDA
internal import SparseCore
internal import SparseModel

/// What cuSPARSELt itself says of a model's 2:4 weights.
struct DeviceCheck {
  /// How the library takes one weight.
  enum Verdict: String { case sparse = "2:4", violating }

  /// The GPU and the library.
  let name: String
  /// The weights that were asked about, with the answers.
  let answers: [(weight: String, verdict: Verdict)]
  /// The weights that were not, with the reasons.
  let left: [(weight: String, reason: String)]

  /// Asks about each weight that is 2:4 or should be.
  init(
    _ report: CheckReport, of path: String, _ cuda: CUDASession, progress: ProgressHandler
  ) throws {
    let checkpoint = try Checkpoint(path: path)
    let weights = report.tensors.filter { $0.status != .dense }
    var answers: [(weight: String, verdict: Verdict)] = []
    var left: [(weight: String, reason: String)] = []
    for (index, tensor) in weights.enumerated() {
      try progress(RunProgress(step: "ask the GPU", done: index, total: weights.count))
      guard tensor.shape.count == 2 else {
        left.append((tensor.name, "it has \(tensor.shape.count.counting("dimension"))"))
        continue
      }
      let weight = try checkpoint.weight(tensor.name)
      let shape: SparseShape
      do throws(SparseProductError) {
        shape = try SparseShape(outputs: weight.rows, inputs: weight.columns, type: weight.type)
      } catch {
        left.append((tensor.name, "\(error)"))
        continue
      }
      let buffer = try DeviceBuffer(copying: weight.bytes, on: cuda.device)
      let isSparse = try cuda.sparse.isSparse(buffer, shape: shape)
      answers.append((tensor.name, isSparse ? .sparse : .violating))
    }
    name = "\(cuda.device.name) with cuSPARSELt \(cuda.sparse.library.version)"
    self.answers = answers
    self.left = left
  }

  /// Whether the library was asked about some weights, and takes all of them for 2:4.
  var passed: Bool { !answers.isEmpty && refused.isEmpty }

  /// The weights that the library does not take for 2:4.
  var refused: [String] { answers.filter { $0.verdict == .violating }.map(\.weight) }

  /// Why the check fails, as a part of a sentence; nil where it does not.
  var problem: String? {
    if answers.isEmpty { return "\(name) could be asked about no weight" }
    let count = refused.count
    return count == 0 ? nil : "\(name) does not take \(count.counting("weight")) for 2:4"
  }

  /// How many it took, which it did not, and why some were not asked about.
  var text: String {
    let taken = answers.count - refused.count
    let reasons = Dictionary(grouping: left, by: \.reason).sorted { $0.key < $1.key }
    return "\(name.printable): takes \(taken) of \(answers.count.counting("weight")) for 2:4\n"
      + refused.map { "  not \($0.printable)\n" }.joined()
      + reasons.map { reason, weights in
        "  \(weights.count.counting("weight")) not asked about: \(reason)\n"
      }.joined()
  }

  /// The same for programs.
  var json: JSON {
    [
      "name": .string(name), "passed": .bool(passed),
      "tensors": .array(
        answers.map { ["name": .string($0.weight), "status": .string($0.verdict.rawValue)] }),
      "notAsked": .array(
        left.map { ["name": .string($0.weight), "reason": .string($0.reason)] }),
    ]
  }
}
