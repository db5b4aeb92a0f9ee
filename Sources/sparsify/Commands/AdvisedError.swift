/// An error and what this command offers instead.
struct AdvisedError: Error, CustomStringConvertible {
  let error: any Error
  let advice: String

  var description: String { "\(error); \(advice)" }
}
