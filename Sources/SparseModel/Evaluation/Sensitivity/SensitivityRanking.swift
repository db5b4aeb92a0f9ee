internal import SparseCore

/// The parts of a model with what changing each would cost: what a choice of layers is made from.
public struct SensitivityRanking: Sendable {
  /// Where it is from, for errors: a file's path, or the model's where it was measured on the way.
  public let source: String
  /// The parts in the order in which the model runs them.
  public let parts: [Sensitivity]
  /// What was done to each part, where that is known: a method's name.
  let method: String?
  /// The dense model's mean negative log-likelihood on the text; nil where it was not measured.
  let denseLoss: Double?

  /// What has just been measured.
  public init(_ report: SensitivityReport) {
    source = report.model
    parts = report.parts
    method = report.method
    denseLoss = report.dense?.meanNegativeLogLikelihood
  }

  /// What `sparsify sensitivity` has written.
  ///
  /// - Throws: ``SensitivityError/notAReport(path:reason:)`` and the errors of reading the file.
  public init(contentsOf path: String) throws {
    source = path
    let file = try MappedFile(path: path)
    let json: JSON
    do throws(JSONError) {
      json = try JSON(parsing: file.bytes)
    } catch {
      throw SensitivityError.notAReport(path: path, reason: "\(error)")
    }
    method = json["method"]?.string
    denseLoss = json["dense"]?["nll"]?.double
    guard let list = json["parts"]?.array, json["schema"]?.int == 1 else {
      throw SensitivityError.notAReport(
        path: path, reason: "'sparsify sensitivity' with -o or --json has 'schema' 1 and 'parts'")
    }
    parts = try list.enumerated().map { index, value in
      guard let part = Sensitivity(value) else {
        throw SensitivityError.notAReport(path: path, reason: "parts[\(index)] is malformed")
      }
      return part
    }
  }

  /// Throws unless it can be of this model: every part whose weights the checkpoint has is as large there.
  ///
  /// - Throws: ``SensitivityError/otherSize(name:source:found:model:expected:)``.
  public func check(isOf checkpoint: Checkpoint) throws(SensitivityError) {
    try check(isOf: checkpoint.path) { checkpoint[$0]?.shape.reduce(1, *) }
  }

  /// Throws unless it can be of the model at `path`, whose weights are as large as `size` says.
  func check(
    isOf path: String, size: (_ weight: String) -> Int?
  ) throws(SensitivityError) {
    for part in parts {
      let sizes = part.layers.compactMap(size)
      let expected = sizes.reduce(0, +)
      if sizes.count == part.layers.count && expected != part.weights {
        throw .otherSize(
          name: part.name, source: source, found: part.weights, model: path, expected: expected)
      }
    }
  }

  /// The parts of a model whose weights `targets` are worked on: each with those of its weights alone.
  ///
  /// - Throws: ``SensitivityError/unknownWeight(name:source:model:)`` where it says nothing of a weight.
  func parts(of targets: [String], in model: String) throws(SensitivityError) -> [Sensitivity] {
    var missing = Set(targets.map(ExactString.init))
    let parts = parts.compactMap { part -> Sensitivity? in
      let layers = part.layers.filter { missing.remove(ExactString($0)) != nil }
      return layers.isEmpty ? nil : part.only(layers)
    }
    if let name = targets.first(where: { missing.contains(ExactString($0)) }) {
      throw .unknownWeight(name: name, source: source, model: model)
    }
    return parts
  }
}

extension Sensitivity {
  /// The same cost for some of the layers.
  fileprivate func only(_ layers: [String]) -> Sensitivity {
    Sensitivity(
      name: name, block: block, layers: layers, weights: weights, relativeError: relativeError,
      blockError: blockError, divergence: divergence, lossIncrease: lossIncrease)
  }
}

/// Why no layers could be chosen by their sensitivity.
public enum SensitivityError: Error, Equatable, Sendable {
  /// The file is not what `sparsify sensitivity` writes.
  case notAReport(path: String, reason: String)
  /// The file says nothing of one of the model's weights.
  case unknownWeight(name: String, source: String, model: String)
  /// A part has another number of weights in the file than in the model.
  case otherSize(name: String, source: String, found: Int, model: String, expected: Int)
  /// The file was written with errors alone, and perplexities are needed.
  case noLosses(source: String)
  /// More weights are to stay dense than there are.
  case tooManyDense(asked: Int, parts: Int)
  /// Even with all layers sparse the model is not so fast.
  case speedupOutOfReach(asked: Double, most: Double)
  /// The dense model's perplexity is higher already.
  case perplexityOutOfReach(asked: Double, dense: Double)
}

extension SensitivityError: CustomStringConvertible {
  /// One line that names the file, the weight and the numbers.
  public var description: String {
    switch self {
    case .notAReport(let path, let reason): "\(path): is no measured sensitivity: \(reason)"
    case .unknownWeight(let name, let source, let model):
      "\(source): says nothing of '\(name)', which is a weight of \(model) that is to be pruned"
    case .otherSize(let name, let source, let found, let model, let expected):
      "\(source): '\(name)' has \(found.counting("weight")), in \(model) it has \(expected): it is of another model"
    case .noLosses(let source):
      "\(source): was measured with --fast, and perplexities are needed"
    case .tooManyDense(let asked, let parts):
      "\(asked) parts are to stay dense, there are \(parts)"
    case .speedupOutOfReach(let asked, let most):
      "with all layers 2:4 the model would be \(rounded(most)) times as fast by the roofline model, \(rounded(asked)) are asked for"
    case .perplexityOutOfReach(let asked, let dense):
      "the dense model's perplexity on the text is \(rounded(dense)) already, at most \(rounded(asked)) is asked for"
    }
  }

  private func rounded(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
