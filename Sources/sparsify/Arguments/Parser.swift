/// Turns the words after a command's name into values, and never prints.
///
/// Options and arguments may be mixed in any order. `--` ends the options. `--opt value`,
/// `--opt=value`, `-o value`, `-ovalue` and bundles of one-letter flags are understood; of an option
/// that isn't repeatable the last value counts.
struct Parser {
  let spec: CommandSpec
  private var words: ArraySlice<String>
  private var values = Arguments()
  private var positional: [String] = []

  private init(_ spec: CommandSpec, _ words: [String]) {
    self.spec = spec
    self.words = words[...]
  }

  /// The values in `words`, or nil if help was asked for anywhere among them.
  static func parse(_ words: [String], for spec: CommandSpec) throws(UsageError) -> Arguments? {
    // Help is what someone needs whose other words are wrong, so it is looked for first.
    let options = words.prefix { $0 != "--" }
    if options.contains("--help") || options.contains("-h") { return nil }
    var parser = Parser(spec, words)
    try parser.readWords()
    if parser.values.isGiven(ParameterSpec.help.name) { return nil }
    try parser.assignArguments()
    try parser.checkPresence()
    return parser.values
  }

  private mutating func readWords() throws(UsageError) {
    while let word = words.popFirst() {
      if word == "--" {
        positional += words
        return
      } else if word.hasPrefix("--") {
        try readLong(word)
      } else if isOptionLike(word) {
        try readShort(word)
      } else {
        positional.append(word)
      }
    }
  }

  /// `--name`, `--name value` or `--name=value`.
  private mutating func readLong(_ word: String) throws(UsageError) {
    let parts = word.dropFirst(2).split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    let attached = parts.count > 1 ? String(parts[1]) : nil
    guard let (option, isNegated) = spec.option(named: name) else {
      // The opposite of what was typed is never what was meant.
      let known = longNames.filter { $0.hasPrefix("--no-") == name.hasPrefix("no-") }
      throw .unknownOption("--" + name, known: known)
    }
    if option.form == .option {
      let value =
        if let attached {
          attached
        } else if let implied = option.impliedText, !nextIsValue(of: option) {
          implied
        } else {
          try nextValue(for: option)
        }
      try store(value, for: option)
    } else if let attached {
      throw .unwantedValue(option, value: attached)
    } else {
      values.append(!isNegated, to: option)
    }
  }

  /// `-a`, `-abc`, `-o value` or `-ovalue`.
  private mutating func readShort(_ word: String) throws(UsageError) {
    var letters = word.dropFirst()
    // `-method` is a likelier slip than a bundle that happens to spell it.
    let whole = String(letters.prefix { $0 != "=" })
    if whole.count > 1, spec.option(named: whole) != nil {
      throw .unknownOption("-" + whole, known: ["--" + whole])
    }
    while let letter = letters.popFirst() {
      guard let option = spec.option(short: letter) else {
        throw .unknownOption(word, known: word.count > 2 ? longNames : [])
      }
      guard option.form == .option else {
        values.append(true, to: option)
        continue
      }
      if letters.first == "=" { letters.removeFirst() }
      let value = if letters.isEmpty { try nextValue(for: option) } else { String(letters) }
      try store(value, for: option)
      return
    }
  }

  /// Whether the next word can be read as the option's value, or is a number and so meant as one.
  private func nextIsValue(of option: ParameterSpec) -> Bool {
    words.first.map { (try? option.read($0)) != nil || Double($0) != nil } ?? false
  }

  private mutating func nextValue(for option: ParameterSpec) throws(UsageError) -> String {
    guard let next = words.first else { throw .missingValue(option, next: nil) }
    if isOptionLike(next) {
      let isKnown = next == "--" || spec.options.contains { $0.switches.contains(next) }
      throw .missingValue(option, next: isKnown ? nil : next)
    }
    words.removeFirst()
    return next
  }

  private mutating func store(_ text: String, for parameter: ParameterSpec) throws(UsageError) {
    do throws(ValueError) {
      values.append(try parameter.read(text), to: parameter)
    } catch {
      throw .badValue(parameter, value: text, reason: error.reason)
    }
  }

  /// Hands the positional words to the arguments: one each, and the rest to a repeated one.
  private mutating func assignArguments() throws(UsageError) {
    var rest = positional[...]
    for argument in spec.arguments {
      if argument.occurrence.isRepeated {
        for word in rest { try store(word, for: argument) }
        rest = []
      } else if let word = rest.popFirst() {
        try store(word, for: argument)
      }
    }
    guard rest.isEmpty else { throw .unexpectedArguments(Array(rest)) }
  }

  private func checkPresence() throws(UsageError) {
    for parameter in spec.parameters
    where parameter.occurrence.isRequired && !values.isGiven(parameter.name) {
      throw .missingParameter(parameter)
    }
    for option in spec.options where values.isGiven(option.name) {
      if let other = spec.requires[option.name], !values.isGiven(other),
        let missing = spec.options.first(where: { $0.name == other })
      {
        throw .noEffect(option, reason: "it goes with '\(missing.signature)'")
      }
    }
    for names in spec.exclusive {
      let given = spec.options.filter { names.contains($0.name) && values.isGiven($0.name) }
      if given.count > 1 { throw .exclusive(given) }
    }
    for names in spec.oneOf {
      let members = spec.options.filter { names.contains($0.name) }
      let given = members.filter { values.isGiven($0.name) }
      if given.isEmpty { throw .missingOneOf(members) }
      if given.count > 1 { throw .exclusive(given) }
    }
  }

  /// Whether `word` reads as an option: `-x…` and `--x…` do; `-`, `-1.5` and `- text` are values.
  private func isOptionLike(_ word: String) -> Bool {
    guard word.hasPrefix("-"), let second = word.dropFirst().first else { return false }
    return second == "-" || second.isLetter
  }

  private var longNames: [String] {
    spec.options.flatMap(\.switches).filter { $0.hasPrefix("--") }
  }
}
