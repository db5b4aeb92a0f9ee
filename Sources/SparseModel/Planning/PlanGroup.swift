internal import SparseCore

/// Linears of one shape at one number of rows.
package struct PlanGroup {
  /// One of them.
  package let layer: ModelPlan.Layer
  /// The last parts of their names, each once.
  package private(set) var names: [String]
  /// How many they are.
  package private(set) var count: Int

  /// The layers in groups, in the order of their first ones.
  package static func groups(_ layers: [ModelPlan.Layer]) -> [PlanGroup] {
    var groups: [PlanGroup] = []
    var places: [[Int]: Int] = [:]
    for layer in layers {
      let parts = layer.name.split(separator: ".").filter { $0 != "weight" }
      let name = parts.last.map(String.init) ?? layer.name
      let key = [layer.rows, layer.outputs, layer.inputs]
      if let place = places[key] {
        groups[place].count += 1
        if !groups[place].names.contains(name) { groups[place].names.append(name) }
      } else {
        places[key] = groups.count
        groups.append(PlanGroup(layer: layer, names: [name], count: 1))
      }
    }
    return groups
  }
}
