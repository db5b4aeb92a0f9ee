public import SparseCore

/// Parts of statistics on their way to the whole: opened and found to fit when made, added up by ``run(on:progress:)``.
///
/// Each block's sequences must be in exactly one part, whichever way the work was split. The sums are whole
/// numbers (``ExactSums``), so the result is the bytes that one run over everything writes, whatever the parts
/// and their order. A stretch of 65,536 sums of all parts is in memory for each thread, never a whole gram.
public struct StatisticsMerge: Sendable {
  private let parts: [StatisticsFile]
  private let output: FileOutput
  private let manifest: StatisticsManifest
  private let sequences: [Int]

  /// Opens parts and checks that together they are all of one run.
  ///
  /// - Throws: ``StatisticsError`` for parts that are foreign, overlap or leave something out, and the
  ///   errors of reading them.
  public init(_ paths: [String], output: String, force: Bool = false) throws {
    precondition(!paths.isEmpty, "StatisticsMerge: no parts")
    self.output = try FileOutput(output, sparing: paths, force: force)
    let parts = try paths.map { try StatisticsFile(path: $0) }
    for part in parts.dropFirst() { try part.check(isOfSameRunAs: parts[0]) }
    try Coverage(parts).check()
    self.parts = parts.sorted {
      ($0.manifest.blocks.lowerBound, $0.manifest.samples.lowerBound)
        < ($1.manifest.blocks.lowerBound, $1.manifest.samples.lowerBound)
    }
    sequences = try Self.sequences(self.parts)
    manifest = try Self.whole(self.parts, sequences: sequences)
  }

  /// The fingerprints of all sequences, on which all parts must agree.
  private static func sequences(_ parts: [StatisticsFile]) throws -> [Int] {
    let first = parts.filter { $0.manifest.blocks.lowerBound == 0 }
    let all = try first.flatMap { try $0.sequences() }
    for part in parts {
      let samples = part.manifest.samples
      let own = try part.sequences()
      if let index = samples.first(where: { own[$0 - samples.lowerBound] != all[$0] }) {
        let other = first.first { $0.manifest.samples.contains(index) } ?? first[0]
        throw StatisticsError.differs(
          "the fingerprint of sample \(index) is", path: part.path,
          found: Fingerprint.text(of: own[index - samples.lowerBound]), other: other.path,
          expected: Fingerprint.text(of: all[index]))
      }
    }
    return all
  }

  private static func whole(_ parts: [StatisticsFile], sequences: [Int]) throws
    -> StatisticsManifest
  {
    var manifest = parts[0].manifest
    manifest.calibration.fingerprint = Fingerprint.text(ofSequences: sequences)
    manifest.samples = 0..<manifest.calibration.samples
    manifest.blocks = 0..<manifest.modelBlocks
    // Block 0 is in the first part; of parts with the same blocks one knows all about their stages.
    manifest.stages = manifest.blocks.flatMap { block in
      parts.first { $0.manifest.blocks.contains(block) }?.stages(of: block) ?? []
    }
    for part in parts {
      for block in part.manifest.blocks {
        let (own, others) = (part.stages(of: block), manifest.stages.filter { $0.block == block })
        guard own == others else {
          throw StatisticsError.malformed(
            path: part.path, reason: "the stages of block \(block) are not those of other parts")
        }
      }
    }
    return manifest
  }

  /// Adds the parts up and writes the whole.
  ///
  /// - Throws: the errors of writing, and what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> CalibrateReport {
    let clock = ContinuousClock()
    let start = clock.now
    let writer = try SafetensorsWriter(
      path: output.path, tensors: manifest.tensors,
      metadata: [StatisticsManifest.key: manifest.text])
    try writer.write(ByteView(valuesOf: sequences), as: StatisticsManifest.sequences)
    let total = manifest.stages.reduce(0) { $0 + manifest.sumCount($1) }
    var done = 0
    for stage in manifest.stages {
      let own = parts.filter { $0.manifest.blocks.contains(stage.block) }
      try writer.write(ByteView(valuesOf: maxima(stage, own)), as: stage.maxima)
      let count = manifest.sumCount(stage)
      let atOnce = Self.stretch * 16 * compute.threads
      for first in stride(from: 0, to: count, by: atOnce) {
        try progress(RunProgress(step: "add up", done: done + first, total: total))
        let group = first..<min(first + atOnce, count)
        let pieces = (group.count + Self.stretch - 1) / Self.stretch
        let failure = FirstFailure()
        Parallel.forEach(pieces, threads: compute.threads) { piece in
          let start = group.lowerBound + piece * Self.stretch
          failure.record(piece) {
            try add(stage, start..<min(start + Self.stretch, group.upperBound), own, to: writer)
          }
        }
        try failure.get()
      }
      done += count
      for part in own { part.release(stage) }
    }
    try parts.map { InputStamp($0.file.mapping) }.check()
    try output.commit(writer)
    return CalibrateReport(
      manifest, output: output.path, bytes: writer.header.fileByteCount, parts: parts.count,
      seconds: (clock.now - start).seconds)
  }

  /// Sums that one thread adds up at a time.
  private static let stretch = 1 << 16

  /// The larger ones of the parts' maxima.
  private func maxima(
    _ stage: StatisticsManifest.StageKey, _ parts: [StatisticsFile]
  ) throws -> [Float] {
    try parts.reduce([Float](repeating: 0, count: stage.inputs)) { maxima, part in
      zip(maxima, try part.maxima(stage)).map { max($0, $1) }
    }
  }

  /// Adds up and writes some of a stage's sums.
  private func add(
    _ stage: StatisticsManifest.StageKey, _ range: Range<Int>, _ parts: [StatisticsFile],
    to writer: SafetensorsWriter
  ) throws {
    let name = manifest.sumsName(stage)
    let offset = range.lowerBound * (manifest.kind == .gram ? 4 : 8)
    // One that has all sequences has rounded its sums already.
    if let whole = parts.first(where: \.manifest.hasAllSamples) {
      return try writer.write(whole.bytes(name, range), as: name, at: offset)
    }
    var sums = ExactSums(count: range.count)
    for part in parts {
      let coarse = try part.bytes(name + StatisticsManifest.coarse, range)
      let fine = try part.bytes(name + StatisticsManifest.fine, range)
      coarse.withUnsafeBytes { coarse in fine.withUnsafeBytes { sums.add(coarse: coarse, fine: $0) }
      }
    }
    let bytes =
      manifest.kind == .gram
      ? ByteView(valuesOf: (0..<sums.count).map { Float(sums[$0]) })
      : ByteView(valuesOf: (0..<sums.count).map { sums[$0] })
    try writer.write(bytes, as: name, at: offset)
  }
}

extension StatisticsFile {
  /// The stages of one block.
  func stages(of block: Int) -> [StatisticsManifest.StageKey] {
    manifest.stages.filter { $0.block == block }
  }

  /// Lets the memory of a stage's tensors go.
  func release(_ stage: StatisticsManifest.StageKey) {
    for tensor in file.tensors where tensor.name.hasPrefix(stage.name + ".") {
      file.release(tensor)
    }
  }

  /// Throws where two parts are of different models, calibrations or kinds, or of different versions of the tool.
  fileprivate func check(isOfSameRunAs other: StatisticsFile) throws {
    func compare(_ what: String, _ value: (StatisticsManifest) -> String) throws {
      let (found, expected) = (value(manifest), value(other.manifest))
      guard found.hasSameBytes(as: expected) else {
        throw StatisticsError.differs(
          what, path: path, found: found, other: other.path, expected: expected)
      }
    }
    try compare("the model's fingerprint is") { $0.model }
    try compare("the number of the model's blocks is") { "\($0.modelBlocks)" }
    try compare("the statistics are") { $0.kind.name }
    try compare("the tool's version is") { $0.version }
    try compare("the kernel set is") { $0.kernels }
    try compare("the calibration is") {
      "\($0.calibration.samples) × \($0.calibration.length) tokens, seed \($0.calibration.seed)"
    }
    // Of its own text a model knows only what it has written.
    let fingerprints = [manifest, other.manifest].map(\.calibration.fingerprint)
    if !fingerprints.contains(Fingerprint.unknown) {
      try compare("the calibration's fingerprint is") { $0.calibration.fingerprint }
    }
  }
}

/// Which sequences of which blocks parts have.
private struct Coverage {
  private let parts: [StatisticsFile]

  init(_ parts: [StatisticsFile]) { self.parts = parts }

  /// Throws where something is there twice, or not at all.
  func check() throws {
    let (blocks, samples) = (
      parts[0].manifest.modelBlocks, parts[0].manifest.calibration.samples
    )
    for (index, part) in parts.enumerated() {
      for other in parts[..<index] {
        let (a, b) = (part.manifest, other.manifest)
        guard a.blocks.overlaps(b.blocks), a.samples.overlaps(b.samples) else { continue }
        throw StatisticsError.overlap(
          path: part.path, other: other.path, blocks: a.blocks.clamped(to: b.blocks),
          samples: a.samples.clamped(to: b.samples))
      }
    }
    // Neighbouring blocks that lack the same sequences are told together.
    var gaps: [(blocks: Range<Int>, samples: Range<Int>)] = []
    for block in 0..<blocks {
      for samples in missing(block, of: samples) {
        if let place = gaps.firstIndex(where: {
          $0.samples == samples && $0.blocks.upperBound == block
        }) {
          gaps[place].blocks = gaps[place].blocks.lowerBound..<block + 1
        } else {
          gaps.append((block..<block + 1, samples))
        }
      }
    }
    if let first = gaps.first {
      throw StatisticsError.missing(
        blocks: first.blocks, samples: first.samples, gaps: gaps.count, parts: parts.count)
    }
  }

  private func missing(_ block: Int, of samples: Int) -> [Range<Int>] {
    let own = parts.filter { $0.manifest.blocks.contains(block) }.map(\.manifest.samples)
      .sorted { $0.lowerBound < $1.lowerBound }
    let ends = [0] + own.map(\.upperBound)
    let starts = own.map(\.lowerBound) + [samples]
    return zip(ends, starts).filter { $0 < $1 }.map { $0..<$1 }
  }
}
