internal import SparseCore

/// One matrix of activations for every chunk of the calibration tokens, in memory or in a scratch file.
struct ActivationStore {
  /// Where each chunk begins, in tokens.
  private let starts: [Int]
  private let columns: Int
  private let scratch: (file: ScratchFile, offset: Int)?
  private var memory: [Matrix?]
  private var shapes: [(rows: Int, columns: Int)?]

  /// Room for chunks of so many tokens each.
  ///
  /// - Parameters:
  ///   - columns: the most that a chunk will have.
  ///   - scratch: a file, and where in it the chunks begin; nil to keep them in memory.
  init(chunks: [Int], columns: Int, scratch: (file: ScratchFile, offset: Int)?) {
    var next = 0
    starts = chunks.map { tokens in
      defer { next += tokens }
      return next
    }
    self.columns = columns
    self.scratch = scratch
    memory = chunks.map { _ in nil }
    shapes = memory.map { _ in nil }
  }

  /// The bytes of so many tokens.
  static func byteCount(tokens: Int, columns: Int) -> Int { 4 * tokens * columns }

  /// Whether a chunk has activations; none are read.
  func has(_ chunk: Int) -> Bool {
    scratch == nil ? memory[chunk] != nil : shapes[chunk] != nil
  }

  /// A chunk's activations, which stay where they are; nil where there are none.
  func read(_ chunk: Int) throws(FileError) -> Matrix? {
    guard let (file, offset) = scratch else { return memory[chunk] }
    guard let (rows, columns) = shapes[chunk] else { return nil }
    return try file.read(rows: rows, columns: columns, at: offset + place(chunk))
  }

  /// The same, for whoever puts others in their place: from memory they are taken out and not copied.
  mutating func take(_ chunk: Int) throws(FileError) -> Matrix? {
    let matrix = try read(chunk)
    memory[chunk] = nil
    return matrix
  }

  /// Keeps a chunk's activations.
  mutating func put(_ matrix: Matrix?, _ chunk: Int) throws(FileError) {
    guard let (file, offset) = scratch else {
      memory[chunk] = matrix
      return
    }
    shapes[chunk] = matrix.map { ($0.rows, $0.columns) }
    if let matrix { try file.write(matrix.values, at: offset + place(chunk)) }
  }

  private func place(_ chunk: Int) -> Int {
    Self.byteCount(tokens: starts[chunk], columns: columns)
  }
}

/// Where all chunks of the calibration tokens stand inside a block.
struct BlockStates {
  private var hidden: ActivationStore
  private var pending: ActivationStore
  private let length: Int

  /// The number of chunks.
  let count: Int

  /// Chunks of windows of `length` tokens each.
  ///
  /// - Parameters:
  ///   - hidden: the residual stream's columns.
  ///   - pending: the most columns of an input that follows from more than the residual stream.
  ///   - spill: what goes to a scratch file.
  ///   - path: where the output will be; the scratch file is beside it.
  /// - Throws: `FileError` where the disk has no room.
  init(
    chunks: [Range<Int>], length: Int, hidden: Int, pending: Int, spill: ActivationSpill,
    beside path: String?
  ) throws(FileError) {
    let tokens = chunks.map { $0.count * length }
    let all = tokens.reduce(0, +)
    let bytes = spill.bytes(tokens: all, hidden: hidden, pending: pending)
    let file = bytes > 0 ? try ScratchFile(beside: path ?? ".", size: bytes) : nil
    let hiddenBytes =
      spill.hidden ? ActivationStore.byteCount(tokens: all, columns: hidden) : 0
    count = chunks.count
    self.length = length
    self.hidden = ActivationStore(
      chunks: tokens, columns: hidden, scratch: spill.hidden ? file.map { ($0, 0) } : nil)
    self.pending = ActivationStore(
      chunks: tokens, columns: pending,
      scratch: spill.pending ? file.map { ($0, hiddenBytes) } : nil)
  }

  /// The residual stream of a chunk; every chunk must have been given one.
  func hidden(_ chunk: Int) throws -> Matrix {
    guard let matrix = try hidden.read(chunk) else {
      preconditionFailure("BlockStates: chunk \(chunk) has no residual stream")
    }
    return matrix
  }

  /// Puts a chunk at the start of a block.
  mutating func begin(_ chunk: Int, hidden matrix: Matrix) throws {
    try hidden.put(matrix, chunk)
    try pending.put(nil, chunk)
  }

  /// Where a chunk stands.
  func read(_ chunk: Int) throws -> BlockState {
    var state = BlockState(
      hidden: try hidden(chunk), positions: .sequences(length: length))
    state.pending = try pending.read(chunk)
    return state
  }

  /// Takes a chunk further.
  mutating func update(_ chunk: Int, _ body: (inout BlockState) throws -> Void) throws {
    guard let matrix = try hidden.take(chunk) else {
      preconditionFailure("BlockStates: chunk \(chunk) has no residual stream")
    }
    var state = BlockState(hidden: matrix, positions: .sequences(length: length))
    state.pending = try pending.take(chunk)
    try body(&state)
    try hidden.put(state.hidden, chunk)
    try pending.put(state.pending, chunk)
  }
}

/// Which activations go to a scratch file.
struct ActivationSpill: Sendable, Equatable {
  /// The residual stream.
  var hidden = false
  /// The inputs of stages that follow from more than the residual stream.
  var pending = false

  /// What that takes of the disk.
  func bytes(tokens: Int, hidden: Int, pending: Int) -> Int {
    ActivationStore.byteCount(tokens: tokens, columns: self.hidden ? hidden : 0)
      + ActivationStore.byteCount(tokens: tokens, columns: self.pending ? pending : 0)
  }
}
