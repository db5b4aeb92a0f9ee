internal import SparseCore

/// A model's card, its README.md, with a section on top that says what was done to the weights.
///
/// The section stands between two marks, so that a later one takes its place.
struct ModelCard {
  /// The name of the card's file.
  static let name = "README.md"

  private static let begin = "<!-- \(Tool.name): begin -->"
  private static let end = "<!-- \(Tool.name): end -->"

  /// The card as it was.
  let text: String

  /// The card with a section made from a manifest in place of an earlier one.
  ///
  /// It comes after the YAML at the top, which the hub reads.
  func text(describing manifest: JSON) -> String {
    let (head, body) = Self.parted(Self.withoutSection(text))
    let section = [Self.begin, Self.section(manifest), Self.end].joined(separator: "\n")
    return head + section + "\n\n" + String(body.drop { $0.isNewline })
  }

  /// What a manifest says was done, as Markdown.
  private static func section(_ manifest: JSON) -> String {
    let weights = manifest["pruned"]?.array?.count ?? 0
    var lines: [String] = []
    if weights > 0 {
      let method = manifest["method"]?.string ?? "unknown"
      lines.append(
        "\(weights.counting("weight")) \(weights == 1 ? "is" : "are") 2:4 sparse: two of four neighbours in a row are 0"
          + (method == "unknown" ? "." : " (method `\(method)`)."))
    }
    if let training = manifest["training"].flatMap({ Manifest.Training($0) }) {
      lines.append(
        "The kept weights were trained (`\(training.objective)`), with the zeros held.")
    }
    if let quantization = manifest["quantization"], !quantization.isNull {
      let group = quantization["groupSize"]?.int.map { "group of \($0) columns" }
      lines.append("Weights are INT8, with a scale for each \(group ?? "output channel").")
    }
    if let encoding = manifest["encoding"]?.string {
      lines.append("The 2:4 weights are stored compressed, as `\(encoding)`.")
    }
    if let calibration = manifest["calibration"], let samples = calibration["samples"]?.int,
      let length = calibration["length"]?.int
    {
      let source = calibration["source"]?.string == "self" ? "text of the model's own" : "text"
      lines.append("\(samples) × \(length) tokens of \(source) were read for it.")
    }
    let tool = "`\(Tool.name)` \(manifest["version"]?.string ?? Tool.version)"
    let list = lines.map { "- " + $0 + "\n" }.joined()
    let check = weights > 0 ? " `\(Tool.name) check .` in this folder checks the pattern." : ""
    return """
      ## Changed weights

      \(tool) wrote these weights from those that the card below describes.

      \(list)
      Results below are those of the model before.\(check)
      """
  }

  /// A card without the section that an earlier run has put there.
  private static func withoutSection(_ text: String) -> String {
    guard let start = text.firstRange(of: begin),
      let stop = text[start.upperBound...].firstRange(of: end)
    else { return text }
    return String(text[..<start.lowerBound] + text[stop.upperBound...].drop { $0.isNewline })
  }

  /// The YAML between two lines of three dashes at the top, with an empty line after it, and the rest.
  private static func parted(_ text: String) -> (head: String, body: Substring) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    guard lines.first == "---",
      let close = lines.dropFirst().first(where: { $0 == "---" || $0 == "..." })
    else { return ("", text[...]) }
    return (text[..<close.endIndex] + "\n\n", text[close.endIndex...])
  }
}

extension AtomicFolder {
  /// Puts what a manifest says on top of the model card that was copied here, if one was.
  func describeInCard(_ manifest: String) throws {
    let copy = Path.join(temporaryPath, ModelCard.name)
    guard try FileSystem.kind(of: copy) == .file, let json = try? JSON(parsing: manifest),
      let text = String(
        validating: try MappedFile(path: copy).bytes.withUnsafeBytes { Array($0) }, as: UTF8.self)
    else { return }
    let final = Path.join(path, ModelCard.name)
    try AtomicFile.write(
      Array(ModelCard(text: text).text(describing: json).utf8), to: copy, finalPath: final)
  }
}
