/// A command whose library part isn't linked into this build.
struct NotInThisBuild: Error, CustomStringConvertible {
  let command: String

  var description: String { "'\(command)' is not in this build" }
}
