package import SparseCore

/// Channels of a stage's inputs whose order can be changed without changing what the model computes.
///
/// The columns of the stage's layers move as the rows of the layers that write the channels do.
package struct ChannelFreedom: Sendable, Equatable {
  /// Which channels may change places with each other.
  package let domains: [ChannelDomain]
  /// The layers that write the channels, by their names within the block; their biases move with their rows.
  package let producers: [String]

  /// The channels of `domains`, which `producers` write.
  package init(domains: [ChannelDomain], producers: [String]) {
    self.domains = domains
    self.producers = producers
  }
}
