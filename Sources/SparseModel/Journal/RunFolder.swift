internal import SparseCore

/// Where a run keeps its journal and its unfinished output: the folder `NAME.partial` beside the output.
///
/// A run that is killed leaves it, one that ends with an error leaves it if there is something in it that
/// `--resume` can go on with, and one that is done removes it.
final class RunFolder {
  /// The folder.
  let path: String
  /// What has been finished there.
  let journal: Journal
  /// What an earlier run has finished there; empty for a new run.
  private(set) var entries: [JournalEntry]
  /// Whether anything is there that is worth keeping.
  private var isOfUse: Bool
  private var isRemovedAtEnd: Bool

  /// Opens the folder for an output, and begins it anew unless the run is to be resumed.
  ///
  /// - Throws: ``JournalError`` where another run is at work there, or has left work that is neither to be
  ///   resumed nor, by `force`, thrown away.
  convenience init(for output: CheckpointOutput, resumes: Bool) throws {
    try self.init(forOutput: output.path, force: output.force, resumes: resumes)
  }

  /// The same for an output of any kind.
  init(forOutput output: String, force: Bool, resumes: Bool) throws {
    path = Self.path(for: output)
    let isNew: Bool
    (journal, isNew) = try Self.open(path, for: output)
    entries = journal.entries
    // What the run is made of may have a journal with more to say.
    let work = try Self.nestedEntries(in: path) ?? entries
    isOfUse = Self.isOfUse(entries) || Self.isOfUse(work) || journal.isDamaged
    isRemovedAtEnd = false
    if isOfUse && resumes {
      try Self.removeAll(in: path, where: Self.isStray)
      let training = Path.join(path, Self.trainingName)
      if FileSystem.isTaken(training) { try Self.removeAll(in: training, where: Self.isStray) }
      return
    }
    if isOfUse && !force {
      throw JournalError.unfinished(folder: path, done: Self.done(work))
    }
    entries = []
    isOfUse = false
    isRemovedAtEnd = true
    if isNew { return }
    try journal.restart()
    try Self.removeAll(in: path) { $0 != Self.journalName }
  }

  deinit {
    // Nobody is left to tell of a failure, and what is left says by its name what it is.
    if isRemovedAtEnd { try? remove() }
  }

  /// Makes the folder, or takes one that is there, and holds its journal: exactly one of several runs does.
  ///
  /// - Returns: the journal, and whether the folder is new.
  private static func open(
    _ path: String, for output: String
  ) throws -> (journal: Journal, isNew: Bool) {
    let journalPath = Path.join(path, journalName)
    // A run that ends meanwhile removes what has just been seen.
    for _ in 0..<attempts {
      do {
        let isNew = try FileSystem.makeFolderUnlessTaken(path, finalPath: output)
        if !isNew { try check(path) }
        guard let journal = try Journal(path: journalPath) else {
          throw JournalError.busy(folder: path)
        }
        // What was just made nobody else has begun with: others find it there.
        if !isNew && !journal.isLocked { throw JournalError.unlockable(folder: path) }
        return (journal, isNew)
      } catch FileError.missing(path), FileError.missing(journalPath) {
      } catch FileError.missingFolder(path) {}
    }
    throw JournalError.busy(folder: path)
  }

  private static let attempts = 100

  /// Throws unless what has the folder's name is the work of a run.
  private static func check(_ path: String) throws {
    switch try FileSystem.kind(of: path) {
    case .folder: break
    case nil where !FileSystem.isTaken(path): throw FileError.missing(path: path)
    case .file, .other, nil: throw JournalError.notAJournal(folder: path)
    }
    guard try FileSystem.names(in: path).allSatisfy({ names.contains($0) || isStray($0) }) else {
      throw JournalError.notAJournal(folder: path)
    }
  }

  /// Throws where something has the output's name that this folder's run may not replace: another run may have ended
  /// since the place was looked at.
  ///
  /// - Parameters:
  ///   - force: whether anything may be replaced.
  ///   - work: where in the folder the output is made.
  func requireFree(_ output: String, force: Bool, work: String = outputName) throws {
    if !force && FileSystem.isTaken(output) && !isDone(output, work: work) {
      throw CheckpointOutputError.exists(path: output)
    }
  }

  private static let journalName = "journal"
  private static let outputName = "output"
  private static let names =
    [
      journalName, outputName, "tokens.safetensors", "hidden-even", "hidden-odd", trainingName,
    ] + TrainedPruning.steps.flatMap { [$0, path(for: $0)] }

  /// The folder in which training keeps its weights.
  static let trainingName = "training"

  /// The folder for an output.
  static func path(for output: String) -> String { output + FileSystem.partialEnding }

  /// What a run's folder says that is finished; empty where there is none.
  private static func entries(in folder: String) throws -> [JournalEntry] {
    let journal = Path.join(folder, journalName)
    guard try FileSystem.kind(of: journal) == .file else { return [] }
    var end = 0
    return Journal.entries(
      in: try MappedFile(path: journal).bytes.withUnsafeBytes { Array($0) }, &end)
  }

  /// What the last unfinished one of the runs that a longer one is made of has finished; nil where there is none.
  private static func nestedEntries(in folder: String) throws -> [JournalEntry]? {
    for step in TrainedPruning.steps.reversed() {
      let entries = try entries(in: path(for: Path.join(folder, step)))
      if isOfUse(entries) { return entries }
    }
    return nil
  }

  private static func isOfUse(_ entries: [JournalEntry]) -> Bool {
    entries.contains { if case .run = $0 { false } else { true } }
  }

  /// Whether the run of a folder has given `output` its name and was cut short before it could remove the folder.
  ///
  /// - Parameters:
  ///   - name: what the folder is named after; nil for the output.
  ///   - work: where in the folder the output was made.
  static func isDone(
    _ output: String, forOutput name: String? = nil, work: String = outputName
  ) throws -> Bool {
    let folder = path(for: name ?? output)
    return try isDone(output, entries(in: folder), work: Path.join(folder, work))
  }

  /// The same of this folder's run, by what was there when it was opened and has been done since.
  func isDone(_ output: String, work: String = outputName) -> Bool {
    Self.isDone(output, entries, work: Path.join(path, work))
  }

  private static func isDone(_ output: String, _ entries: [JournalEntry], work: String) -> Bool {
    guard case .complete? = entries.last else { return false }
    return FileSystem.isTaken(output) && !FileSystem.isTaken(work)
  }

  /// The layers of a run that has given its output its name and was cut short then; nil for any other.
  func finishedLayers(
    of targets: [String], shapes: [[Int]], output: String
  ) -> [LayerReport]? {
    guard isDone(output) else { return nil }
    var layers: [ExactString: LayerReport] = [:]
    for entry in entries {
      switch entry {
      case .block(let block): for layer in block.layers { layers[ExactString(layer.name)] = layer }
      case .tensors(let tensors):
        for layer in tensors.compactMap(\.layer) { layers[ExactString(layer.name)] = layer }
      case .run, .tokens, .sensitivity, .trained, .step, .complete: break
      }
    }
    let found = zip(targets, shapes).compactMap { target, shape in
      layers[ExactString(target)].flatMap { $0.shape == shape ? $0 : nil }
    }
    return found.count == targets.count ? found : nil
  }

  /// What has been done in one of the runs that this one is made of, the last time; nil where it is not done.
  func step(_ name: String) -> FinishedStep? {
    for case .step(let step) in entries.reversed() where step.name == name { return step }
    return nil
  }

  /// The blocks from the first on that are done, each as the last entry about it has it.
  var blocks: [FinishedBlock] {
    var blocks: [FinishedBlock] = []
    for case .block(let block) in entries where (0...blocks.count).contains(block.index) {
      blocks.removeSubrange(block.index...)
      blocks.append(block)
    }
    return blocks
  }

  /// What training has brought to the blocks that are done, in their order.
  var reconstructions: [BlockError] {
    var errors: [Int: BlockError] = [:]
    for case .block(let block) in entries { errors[block.index] = block.reconstruction }
    return errors.values.sorted { $0.block < $1.block }
  }

  /// The calibration text that an earlier run has written; nil where there is none, or it is not what was written.
  func tokens(_ progress: ProgressHandler) throws -> TokenWindows? {
    guard let tokensFingerprint else { return nil }
    guard let tokens = try? TokenWindows(contentsOf: tokensPath),
      Fingerprint.text(of: tokens.ids) == tokensFingerprint
    else {
      try tellDamage(of: tokensPath, "the text is written anew", progress)
      return nil
    }
    return tokens
  }

  /// Says that something in the folder is not what was written, and what is done about it.
  func tellDamage(
    of path: String, _ consequence: String, _ progress: ProgressHandler
  ) throws {
    try progress(
      RunProgress(
        step: "resume", done: 0, total: 1,
        note: "\(path): is not what the earlier run has written: \(consequence)"))
  }

  /// Says so where the journal itself was damaged.
  func tellDamage(_ progress: ProgressHandler) throws {
    guard journal.isDamaged, !isRemovedAtEnd else { return }
    try tellDamage(
      of: Path.join(path, Self.journalName),
      "of what it tells \(entries.count.counting("line")) can be read, and the rest is done anew",
      progress)
  }

  /// A fingerprint of the calibration text that an earlier run has written; nil where there is none.
  var tokensFingerprint: String? {
    for case .tokens(let fingerprint) in entries.reversed() { return fingerprint }
    return nil
  }

  /// Keeps the calibration text that the model has written.
  func keep(_ tokens: TokenWindows) throws {
    let spec = TensorSpec(name: "tokens", dtype: .i32, shape: [tokens.count, tokens.length])
    let writer = try SafetensorsWriter(path: tokensPath, tensors: [spec])
    try tokens.ids.map(\.littleEndian).withUnsafeBytes {
      try writer.write($0, as: spec.name, at: 0)
    }
    try writer.commit()
    try append(.tokens(fingerprint: Fingerprint.text(of: tokens.ids)))
  }

  /// Where the output is made.
  var outputPath: String { Path.join(path, Self.outputName) }

  /// Where the calibration text is kept that the model has written.
  var tokensPath: String { Path.join(path, "tokens.safetensors") }

  /// Writes the first entry, or holds what is there to it.
  ///
  /// - Throws: ``JournalError/differs(folder:part:then:now:)`` where the run that is there was another one.
  func begin(_ identity: RunIdentity) throws {
    guard case .run(let earlier) = entries.first else {
      return try journal.append(.run(identity))
    }
    if let (part, then, now) = earlier.difference(from: identity) {
      throw JournalError.differs(folder: path, part: part, then: then, now: now)
    }
  }

  /// Appends an entry.
  func append(_ entry: JournalEntry) throws(FileError) {
    try journal.append(entry)
    entries.append(entry)
    isOfUse = true
    isRemovedAtEnd = false
  }

  /// Makes the whole of an output that is a file in the folder, and gives it its name.
  func write(_ bytes: [UInt8], as path: String, replacing: Bool) throws {
    if FileSystem.isTaken(outputPath) { try FileSystem.removeTree(outputPath) }
    let file = try AtomicFile(path: path, finalPath: nil, size: bytes.count, workPath: outputPath)
    try file.write(ByteView(copying: bytes), at: 0)
    try append(.complete)
    try CheckpointOutputError.naming { try file.commit(replacing: replacing) }
  }

  /// Removes the folder, the journal last: its run is done, and it says so as long as anything is left.
  ///
  /// From then on the folder may be another run's, which has begun a journal of its own.
  func remove() throws(FileError) {
    isRemovedAtEnd = false
    try Self.removeAll(in: path) { $0 != Self.journalName }
    try FileSystem.removeTree(Path.join(path, Self.journalName))
    try FileSystem.removeEmptyFolder(path)
  }

  private static func removeAll(
    in folder: String, where isToGo: (_ name: String) -> Bool
  ) throws(FileError) {
    for name in try FileSystem.names(in: folder) where isToGo(name) {
      try FileSystem.removeTree(Path.join(folder, name))
    }
  }

  /// Whether something is what a step that was killed has left under a name for the time being.
  private static func isStray(_ name: String) -> Bool {
    FileSystem.isTemporary(name) && !name.hasSuffix(FileSystem.partialEnding)
  }

  /// What a run throws that has failed of `error`: the folder is kept where the run can be resumed.
  func failure(_ error: any Error) -> any Error {
    switch error {
    case is JournalError: return error
    case is UnfinishedRun:
      // One of the runs that this one is made of has kept its work here, and says so.
      isRemovedAtEnd = false
      return error
    case TrainingError.badState:
      // What is not damaged is kept.
      isRemovedAtEnd = false
      return error
    case let file as FileError where file.isInputChange:
      isRemovedAtEnd = true
      return error
    case _ where Self.isOfTheInput(error) && !hasSteps:
      // The input or the options have to change, and that makes it another run.
      isRemovedAtEnd = true
      return error
    default:
      guard isOfUse else { return error }
      return UnfinishedRun(error: error, folder: path, done: Self.done(entries))
    }
  }

  private static func isOfTheInput(_ error: any Error) -> Bool {
    switch error {
    case is LayerError, is ModelError, is CheckpointError, is SafetensorsFileError,
      is CalibrationError, is TrainingError:
      true
    default: false
    }
  }

  /// Whether any of the runs that this one is made of is done: what the next one fails of concerns that one alone.
  private var hasSteps: Bool {
    entries.contains { if case .step = $0 { true } else { false } }
  }

  /// What has been finished, in words.
  private static func done(_ entries: [JournalEntry]) -> String {
    var (blocks, tensors, text) = (0, 0, false)
    var (step, steps): (String?, Int?)
    for entry in entries {
      switch entry {
      case .run: break
      case .tokens: text = true
      case .block(let block): blocks = block.index + 1
      case .tensors(let finished): tensors += finished.count
      case .sensitivity(let index, _): blocks = index + 1
      case .trained(let count): steps = count
      case .step(let finished): step = finished.name
      case .complete: return "all"
      }
    }
    if let step { return "the step '\(step)'" }
    if let steps { return steps.counting("step") }
    if blocks > 0 { return blocks.counting("block") }
    return tensors > 0 || !text ? tensors.counting("tensor") : "the calibration text"
  }
}
