/// Channels that may change places among themselves, and where layers read and write them.
///
/// The channels between the two halves of an MLP are one domain, read once. Those of a key/value head are one
/// domain that is read once for each query head that shares it.
package struct ChannelDomain: Sendable, Equatable {
  /// How many channels there are.
  package let channels: Int
  /// Where the channels begin among the columns of the layers that read them, for each time they are read.
  package let columns: [Int]
  /// Where the channels begin among the rows of the layers that write them.
  package let row: Int

  /// `channels` channels that are written from `row` on and read from each of `columns` on.
  package init(channels: Int, columns: [Int], row: Int) {
    precondition(
      channels > 0 && row >= 0 && columns.allSatisfy { $0 >= 0 },
      "ChannelDomain: \(channels) channels from row \(row), columns \(columns)")
    self.channels = channels
    self.columns = columns
    self.row = row
  }
}

/// An order for all channels that one stage reads, as the layers on both sides see it.
package struct ChannelOrder: Sendable, Equatable {
  /// The order of the columns of the layers that read the channels.
  package let columns: ChannelPermutation
  /// The order of the rows of the layers that write them, and of their biases.
  package let rows: ChannelPermutation
  /// How much of Σ(|w|·‖x‖)² the two largest of every four keep in the old order.
  package let massBefore: Double
  /// The same in the new order: never less.
  package let massAfter: Double

  /// By which share the mass kept grows.
  package var gain: Double { massBefore > 0 ? massAfter / massBefore - 1 : 0 }

  /// The order of a domain each, by the places of its channels within the domain.
  ///
  /// Columns and rows outside all domains stay where they are.
  package init(
    _ orders: [[Int]], of domains: [ChannelDomain], columns columnCount: Int, rows rowCount: Int,
    massBefore: Double = 0, massAfter: Double = 0
  ) {
    var columns = Array(0..<columnCount)
    var rows = Array(0..<rowCount)
    for (order, domain) in zip(orders, domains) {
      for (place, channel) in order.enumerated() {
        for start in domain.columns { columns[start + place] = start + channel }
        rows[domain.row + place] = domain.row + channel
      }
    }
    self.columns = ChannelPermutation(columns)
    self.rows = ChannelPermutation(rows)
    self.massBefore = massBefore
    self.massAfter = massAfter
  }
}
