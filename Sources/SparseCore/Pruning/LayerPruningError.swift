/// A ``PruningError`` of one among several layers.
public struct LayerPruningError: Error, Equatable, CustomStringConvertible {
  /// The layer, counted from 0.
  public let layer: Int
  /// What went wrong.
  public let reason: PruningError

  /// A layer's number and what is wrong with it.
  public init(layer: Int, reason: PruningError) {
    self.layer = layer
    self.reason = reason
  }

  /// One line that names the layer's number.
  public var description: String { "layer \(layer): \(reason)" }
}

extension Sequence {
  /// The results of `body` for each of some layers; its errors name the layer's number.
  func mapLayers<Result>(
    _ body: (Element) throws(PruningError) -> Result
  ) throws(LayerPruningError) -> [Result] {
    var results: [Result] = []
    for (layer, element) in enumerated() {
      do {
        results.append(try body(element))
      } catch {
        throw LayerPruningError(layer: layer, reason: error)
      }
    }
    return results
  }
}
