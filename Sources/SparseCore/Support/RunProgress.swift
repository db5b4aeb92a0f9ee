/// How far a long operation has come: one step's name and its count.
///
/// The libraries never print; they report values like this one and leave the showing to the caller.
public struct RunProgress: Sendable, Equatable {
  /// What is being done, in a few words ("calibrate", "block 3 of 30: down").
  public var step: String
  /// Units finished so far, between 0 and `total`.
  public var done: Int
  /// Units in all.
  public var total: Int
  /// What the user should know and may not miss, in a line; nil for nothing.
  public var note: String?

  /// Progress of `done` of `total` units within `step`.
  public init(step: String, done: Int, total: Int, note: String? = nil) {
    self.step = step
    self.done = done
    self.total = total
    self.note = note
  }
}

/// Receives progress on the caller's thread.
///
/// An error thrown from here stops the operation: it is how a caller cancels. What the operation
/// was writing is removed, as after any other error.
public typealias ProgressHandler = (RunProgress) throws -> Void
