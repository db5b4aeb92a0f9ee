internal import SparseCore
internal import TestSupport

@testable internal import SparseModel

/// A small model in training: the weights are those of a checkpoint, moved a little, and the checkpoint is the teacher.
struct TrainingFixture {
  let decoder: LanguageModel
  let windows: TokenWindows
  var parameters: TrainingParameters

  /// - Parameter noise: how far the weights are moved, in shares of each one's size and of a tenth.
  init(
    _ fixture: ModelFixture, windows: Int, length: Int, noise: Float = 0.25,
    names: [String]? = nil, isSparse: (String) -> Bool = { _ in false }
  ) throws {
    decoder = try fixture.decoder()
    self.windows = TokenWindows.random(
      count: windows, length: length, vocabulary: Int32(decoder.configuration.vocabulary))
    parameters = try TrainingParameters(
      names ?? decoder.trainedTensors(but: []), of: decoder.checkpoint, on: .automatic,
      isSparse: isSparse)
    for place in parameters.names.indices {
      // By its name, so that a tensor is the same among others.
      let seed = parameters.names[place].utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
      var random = SplitMix64(seed: seed)
      let old = parameters.values[place]
      parameters.values[place] = Matrix(
        rows: old.rows, columns: old.columns,
        old.values.map { $0 + noise * (abs($0) + 0.1) * Float(2 * random.uniform() - 1) })
    }
  }

  /// The last hidden states of a model on the windows.
  static func states(
    of decoder: LanguageModel, _ windows: TokenWindows, on compute: Compute = .automatic
  ) throws -> TrainingPass.TeacherStates {
    let folder = try TemporaryFolder()
    var teacher = try Teacher(decoder, of: windows, beside: folder["out"], on: compute)
    let states = try teacher.states(of: Array(0..<windows.count), chunkTokens: 2 * windows.length)
    return (teacher.head, states)
  }

  /// The gradients of an objective.
  func gradients(
    _ objective: TrainingObjective, teacher: TrainingPass.TeacherStates? = nil,
    chunkTokens: Int = 2048, on compute: Compute = .automatic
  ) throws -> (parameters: TrainingParameters, loss: LossSums) {
    var pass = TrainingPass(decoder: decoder, compute: compute)
    pass.chunkTokens = chunkTokens
    var parameters = parameters
    let known = try teacher ?? Self.states(of: decoder, windows, on: compute)
    let loss = try pass.gradient(
      of: windows, .init(objective.loss, windows: windows.count, length: windows.length),
      teacher: objective.needsTeacher ? known : nil, to: &parameters)
    return (parameters, loss)
  }
}

extension TokenWindows {
  /// Ids at random.
  static func random(count: Int, length: Int, vocabulary: Int32, seed: UInt64 = 3) -> TokenWindows {
    var random = SplitMix64(seed: seed)
    return TokenWindows(
      count: count, length: length,
      ids: (0..<count * length).map { _ in Int32.random(in: 0..<vocabulary, using: &random) })
  }
}

extension TrainingParameters {
  /// The bits of all gradients by their tensors' names.
  var gradientBits: [String: [UInt32]] {
    Dictionary(
      uniqueKeysWithValues: zip(names, gradients.map { $0.values.map(\.bitPattern) }))
  }

  /// The gradient of a tensor; an empty matrix where it is not trained.
  func gradient(_ name: String) -> Matrix {
    place(name).map { gradients[$0] } ?? Matrix(rows: 0, columns: 0)
  }
}
