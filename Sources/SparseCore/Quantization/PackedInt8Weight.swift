/// An INT8 weight ready for integer products: its codes in panels of [inputs / 4][48 outputs][4].
///
/// ```swift
/// let grid = try Int8Grid(for: weight)
/// let packed = PackedInt8Weight(StoredMatrix(quantizing: weight, on: grid))
/// let y = linear(x, packed)  // tokens × outputs
/// ```
public final class PackedInt8Weight: Sendable {
  /// The rows of the weight: what a product has as columns.
  public let outputs: Int
  /// The columns of the weight: what activations must have as columns.
  public let inputs: Int
  /// Neighbouring inputs whose products are summed as integers, and then scaled.
  struct Segment {
    let inputs: Range<Int>
    let quads: Int
    /// Where the segment starts in every panel, in bytes.
    let offset: Int
    /// The first of its scales, one for each output.
    let firstScale: Int
  }
  let segments: [Segment]
  let panelStride: Int
  /// The weight's scales, group after group, in each one for each output.
  let scales: [Float]
  private let storage: AlignedFloats

  /// The panels, `panelStride` bytes each: valid as long as this object.
  var panels: UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: UInt8.self)
  }

  /// Packs an INT8 weight.
  public init(_ weight: StoredMatrix, on compute: Compute = .automatic) {
    guard let grid = weight.grid else {
      preconditionFailure("PackedInt8Weight: the weight is \(weight.type)")
    }
    outputs = weight.rows
    inputs = weight.columns
    let panelRow = 4 * KernelSet.panelWidth
    var segments: [Segment] = []
    var offset = 0
    for segment in grid.segments {
      let quads = (segment.inputs.count + 3) / 4
      segments.append(
        Segment(
          inputs: segment.inputs, quads: quads, offset: offset,
          firstScale: segment.group * weight.rows))
      offset += quads * panelRow
    }
    self.segments = segments
    panelStride = offset
    scales = (0..<grid.groups * grid.rows).map { index in
      grid.scales[index % grid.rows * grid.groups + index / grid.rows]
    }
    storage = AlignedFloats(count: KernelSet.panels(for: weight.rows) * offset / 4)
    weight.bytes.withUnsafeBytes { pack($0.start, on: compute) }
  }

  private func pack(_ weight: UnsafeRawPointer, on compute: Compute) {
    nonisolated(unsafe) let codes = weight.assumingMemoryBound(to: Int8.self)
    let width = KernelSet.panelWidth
    Parallel.forEachRange(of: outputs, size: width, threads: compute.threads) { rows in
      for segment in segments {
        compute.kernels.packInt8(
          outputs: rows.count, inputs: segment.inputs.count,
          codes + rows.lowerBound * inputs + segment.inputs.lowerBound, stride: inputs,
          into: panels + rows.lowerBound / width * panelStride + segment.offset,
          panelStride: panelStride)
      }
    }
  }
}
