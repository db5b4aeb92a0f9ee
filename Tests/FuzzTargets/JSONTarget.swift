internal import SparseCore
package import TestSupport

/// Any JSON: what is read must be written and read again as the same.
package struct JSONTarget: FuzzTarget {
  package static let name = "json"

  package init(in folder: TemporaryFolder) {}

  package func read(_ bytes: [UInt8]) throws {
    let json = try JSON(parsing: ByteView(copying: bytes))
    for pretty in [false, true] {
      let again = try JSON(parsing: json.text(pretty: pretty))
      precondition(again == json, "\(json.text()) became \(again.text())")
    }
  }
}
