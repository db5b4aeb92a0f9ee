internal import SparseModel

/// The part of the work that the environment of an array job stands for.
///
/// Slurm tells index, count, first index and step; Kubernetes tells the index of a pod of an indexed Job
/// alone, which counts from 0.
enum ArrayJob {
  /// The part of `count`, by the index as it is; of as many as Slurm has tasks where `count` is nil.
  ///
  /// - Parameter value: looks a variable up.
  static func part(
    of count: Int?, _ value: (Environment) -> String? = { Environment[$0] }
  ) throws(EnvironmentError) -> WorkPart {
    let found = [Environment.slurmIndex, .jobIndex].filter { value($0) != nil }
    guard let variable = found.first else {
      throw EnvironmentError(
        variable: .slurmIndex,
        reason: "is not set, nor is \(Environment.jobIndex.rawValue): say which part as I/N")
    }
    guard found.count == 1 else {
      throw EnvironmentError(
        variable: .slurmIndex,
        reason: "is set, and so is \(Environment.jobIndex.rawValue): say which part as I/N")
    }
    let index = try number(variable, value)
    if let count { return try part(index, of: count, variable) }
    guard variable == .slurmIndex else {
      throw EnvironmentError(
        variable: variable, reason: "comes without the number of parts: write auto/N")
    }
    let least = value(.slurmLeast) == nil ? 0 : try number(.slurmLeast, value)
    let step = value(.slurmStep) == nil ? 1 : try number(.slurmStep, value)
    guard step > 0, index >= least, (index - least) % step == 0 else {
      throw EnvironmentError(
        variable: variable,
        reason: "\(index) is none of the indices from \(least) in steps of \(step)")
    }
    return try part((index - least) / step, of: number(.slurmCount, value), variable)
  }

  private static func part(
    _ index: Int, of count: Int, _ variable: Environment
  ) throws(EnvironmentError) -> WorkPart {
    guard let part = WorkPart(index, of: count) else {
      throw EnvironmentError(
        variable: variable, reason: "there is no part \(index) of \(count): they count from 0")
    }
    return part
  }

  private static func number(
    _ variable: Environment, _ value: (Environment) -> String?
  ) throws(EnvironmentError) -> Int {
    guard let text = value(variable) else {
      throw EnvironmentError(variable: variable, reason: "is not set: write auto/N")
    }
    guard let number = Int(text), number >= 0, number <= Int32.max else {
      throw EnvironmentError(variable: variable, reason: "'\(text)' is not a number from 0 up")
    }
    return number
  }
}
