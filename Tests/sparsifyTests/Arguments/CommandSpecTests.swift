import Testing

@testable import sparsify

/// What must hold of every command's table, whoever adds the next one.
@Suite struct CommandSpecTests {
  private static let specs = Registry.commands.map { $0.spec } + [Sample.spec]

  @Test func commandNamesAreUniqueAndNotHelp() {
    let names = Self.specs.map(\.name) + ["help"]
    #expect(Set(names).count == names.count)
  }

  @Test func everyNameIsUniqueAndWellFormed() {
    for spec in Self.specs {
      let names = spec.parameters.map(\.name)
      #expect(Set(names).count == names.count, "\(spec.name): \(names)")
      let switches = spec.options.flatMap(\.switches)
      #expect(Set(switches).count == switches.count, "\(spec.name): \(switches)")
      for name in names + [spec.name] {
        let isPlain = name.allSatisfy { $0.isLowercase || $0 == "-" }
        #expect(isPlain && !name.hasPrefix("-") && !name.hasPrefix("no-"), "\(spec.name) \(name)")
      }
      #expect(spec.options.last?.name == "help")
    }
  }

  @Test func everythingIsDocumentedInOneStyle() {
    for spec in Self.specs {
      #expect(!spec.summary.isEmpty && !spec.summary.hasSuffix("."), "\(spec.name)")
      for parameter in spec.parameters {
        #expect(parameter.help.hasSuffix("."), "\(spec.name) \(parameter.title)")
        #expect(parameter.help.first?.isUppercase == true, "\(spec.name) \(parameter.title)")
        #expect(
          parameter.valueName.isEmpty
            == (parameter.form == .flag || parameter.form == .invertibleFlag),
          "\(spec.name) \(parameter.title)")
      }
    }
  }

  @Test func defaultsAreValuesThatCouldBeTyped() throws {
    for spec in Self.specs {
      for parameter in spec.parameters {
        guard let text = parameter.defaultText else { continue }
        #expect(parameter.occurrence == .optional, "\(spec.name) \(parameter.title)")
        #expect(parameter.allowed.isEmpty || parameter.allowed.contains(text))
        #expect(throws: Never.self, "\(spec.name) \(parameter.title)") {
          try parameter.read(text)
        }
      }
    }
  }

  @Test func allowedValuesAreAcceptedAndSafeInAShellWordList() throws {
    for parameter in Self.specs.flatMap(\.parameters) {
      #expect((parameter.completion == .values) == !parameter.allowed.isEmpty, "\(parameter.title)")
      for value in parameter.allowed {
        #expect(throws: Never.self, "\(parameter.title)") { try parameter.read(value) }
        #expect(value.allSatisfy { $0.isLetter || $0.isNumber || "-_.@".contains($0) }, "\(value)")
      }
    }
  }

  @Test func onlyTheLastArgumentIsRepeatedAndSetsNameOptions() {
    for spec in Self.specs {
      #expect(spec.arguments.dropLast().allSatisfy { !$0.occurrence.isRepeated }, "\(spec.name)")
      for name in spec.oneOf.joined() {
        #expect(spec.options.contains { $0.name == name }, "\(spec.name) \(name)")
      }
    }
  }

  @Test func everyExampleParses() throws {
    for spec in Self.specs {
      #expect(!spec.examples.isEmpty, "\(spec.name) has no example")
      for example in spec.examples {
        let words = try #require(wordsOf(example.line), "\(example.line)")
        #expect(words.first == spec.name, "\(example.line)")
        let arguments = try Parser.parse(Array(words.dropFirst()), for: spec)
        #expect(arguments != nil, "\(example.line) asks for help")
      }
    }
  }

  /// The words after `sparsify` in a shell line: quotes taken off, redirection and what encloses left out.
  private func wordsOf(_ line: String) -> [String]? {
    guard let start = line.firstRange(of: "sparsify ") else { return nil }
    var words: [String] = []
    var word = ""
    var isQuoted = false
    for character in line[start.upperBound...] + " " {
      if character == "'" {
        isQuoted.toggle()
      } else if !isQuoted, character == ")" || character == ">" {
        break
      } else if !isQuoted, character == " " {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.append(character)
      }
    }
    return word.isEmpty ? words : words + [word]
  }
}
