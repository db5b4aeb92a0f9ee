internal import SparseCore

/// A model's predictions hold NaN or infinity.
public struct PredictionError: Error, Equatable {
  /// What the values come from.
  public enum Cause: Sendable, Equatable {
    /// A tensor that holds such values itself.
    case tensor(NonFiniteTensor)
    /// All tensors are finite, and the output of this part of the model overflows.
    case overflow(String)
  }

  /// The model's path.
  public let model: String
  /// The window of the text, from 0; nil for text that the model writes.
  public let window: Int?
  /// The position of the token after which the prediction is bad, from 0.
  public let position: Int
  /// What is wrong with the model.
  public let cause: Cause
}

extension PredictionError: CustomStringConvertible {
  /// One line with the model, the cause and the place.
  public var description: String {
    let reason =
      switch cause {
      case .tensor(let tensor): "tensor \(tensor)"
      case .overflow(let part): "\(part) overflows float32"
      }
    let place = "position \(position)" + (window.map { " of window \($0)" } ?? "")
    return "\(model): \(reason), so the predictions at \(place) are NaN or infinite"
  }
}

extension LanguageModel {
  /// The error for predictions that are NaN or infinite; looks through the weights for the cause.
  ///
  /// - Parameters:
  ///   - state: the last hidden state as the output projection reads it.
  ///   - window: the window of the text, from 0; nil for text that the model writes.
  ///   - position: the token's place in its window or text, from 0.
  func predictionError(
    state: some Collection<Float>, window: Int?, position: Int, on compute: Compute
  ) -> PredictionError {
    PredictionError(
      model: checkpoint.path, window: window, position: position,
      cause: nonFiniteCause(stateIsFinite: state.allSatisfy(\.isFinite), on: compute))
  }

  /// What makes predictions NaN or infinite: the part nearest to them that is bad.
  private func nonFiniteCause(stateIsFinite: Bool, on compute: Compute) -> PredictionError.Cause {
    if stateIsFinite {
      // Only the output projection can be the cause.
      let found = nonFinite(among: [outputProjectionName], on: compute)
      return found.map { .tensor($0) }
        ?? .overflow("the output projection '\(outputProjectionName)'")
    }
    if let found = nonFinite(among: [names.finalNorm, names.embedding], on: compute) {
      return .tensor(found)
    }
    let ends: Set = [names.finalNorm, names.embedding, outputProjectionName]
    let others = checkpoint.tensors.map(\.name).filter { !ends.contains($0) }
    let found = nonFinite(among: others, on: compute)
    return found.map { .tensor($0) }
      ?? .overflow("the residual stream or the final norm '\(names.finalNorm)'")
  }

  /// The first of some tensors that holds NaN or infinity.
  private func nonFinite(among names: [String], on compute: Compute) -> NonFiniteTensor? {
    for name in names {
      if let found = try? checkpoint.nonFinite(in: name, on: compute) { return found }
    }
    return nil
  }
}
