/// Numbers as people read them.
package enum Format {
  /// `value` with exactly `digits` digits after the point.
  package static func fixed(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 9e15 else { return "\(value)" }  // NaN and infinity too
    let units = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, digits + 1 - units.count)) + units
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + padded }
    return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
  }

  /// `1.5 GiB`, `640 KiB`, `12 bytes`.
  package static func bytes(_ count: Int) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"]
    guard count >= 1024 else { return count == 1 ? "1 byte" : "\(count) bytes" }
    var value = Double(count) / 1024
    var unit = 0
    while value >= 1023.95, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    let text = fixed(value, value >= 99.95 ? 0 : 1)
    return "\(text.hasSuffix(".0") ? String(text.dropLast(2)) : text) \(units[unit])"
  }

  /// `1.23 GB`, `40.0 MB`: powers of ten, as GPUs' memory is given.
  package static func decimalBytes(_ count: Int) -> String {
    let (value, unit) =
      count < 999_500_000 ? (Double(count) / 1e6, "MB") : (Double(count) / 1e9, "GB")
    return "\(fixed(value, value < 9.95 ? 2 : value < 99.5 ? 1 : 0)) \(unit)"
  }

  /// `1,234,567`.
  package static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    let parts = stride(from: digits.count, to: 0, by: -3).map { end in
      String(digits.prefix(end).suffix(3))
    }
    return (value < 0 ? "-" : "") + parts.reversed().joined(separator: ",")
  }

  /// `1.85×`.
  package static func times(_ factor: Double) -> String { fixed(factor, 2) + "×" }

  /// `37 %` for 0.37.
  package static func percent(_ share: Double, digits: Int = 0) -> String {
    fixed(100 * share, digits) + " %"
  }

  /// `576 × 1536`: a tensor's shape.
  package static func shape(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: " × ")
  }

  /// `4.0 µs`, `1.25 ms`, `2.50 s`: what a GPU takes.
  package static func fineSeconds(_ seconds: Double) -> String {
    if seconds < 1e-3 { return fixed(seconds * 1e6, 1) + " µs" }
    return seconds < 1 ? fixed(seconds * 1e3, 2) + " ms" : fixed(seconds, 2) + " s"
  }

  /// `0.8 s`, `42 s`, `3:05`, `2:14:09`.
  package static func duration(_ seconds: Double) -> String {
    if seconds < 9.95 { return fixed(seconds, 1) + " s" }
    return seconds < 59.5 ? fixed(seconds, 0) + " s" : clock(seconds)
  }

  /// `0:42`, `3:05`, `2:14:09`: a duration of one shape, for a line that changes.
  package static func clock(_ seconds: Double) -> String {
    guard seconds < 3_600_000 else { return "over 1000 hours" }  // NaN and infinity too
    let whole = Int(seconds.rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    return hours > 0
      ? "\(hours):\(twoDigits(minutes)):\(twoDigits(rest))" : "\(minutes):\(twoDigits(rest))"
  }

  /// `12/s` or `3.4 s each`, whichever is above one.
  package static func rate(_ perSecond: Double) -> String {
    if perSecond >= 0.995 { return fixed(perSecond, perSecond < 99.5 ? 1 : 0) + "/s" }
    return duration(1 / perSecond) + " each"
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

extension String {
  /// The text as one line of an error: printable, and without the middle where it is very long, as
  /// with a name or a shape from a hostile file.
  package var errorLine: String {
    let line = printable.unicodeScalars
    guard line.count > 2000 else { return String(line) }
    return String(line.prefix(1500)) + " … " + String(line.suffix(497))
  }

  /// The text with control characters spelled out, so that a name from a file can't steer the terminal.
  package var printable: String {
    guard unicodeScalars.contains(where: \.isControl) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.isControl {
        text += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension Unicode.Scalar {
  /// Control and invisible formatting characters: escape sequences, line breaks, text direction.
  fileprivate var isControl: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
