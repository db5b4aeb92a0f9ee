/// Unicode normalization form C (UAX #15), on bytes.
enum CanonicalComposition {
  /// `text` in form C.
  ///
  /// Bytes that belong to no scalar stay as they are, and nothing composes across them.
  static func compose(_ text: [UInt8]) -> [UInt8] {
    guard mayChange(text) else { return text }
    var scalars = decomposition(of: text.span)
    order(&scalars)
    compose(&scalars)
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in scalars {
      if scalar.value >= looseBytes {
        result.append(UInt8(scalar.value - looseBytes))
      } else {
        result.append(scalar: scalar.value)
      }
    }
    return result
  }

  /// A scalar with its canonical combining class; a loose byte b has the value 0x110000 + b.
  private struct Element {
    var value: UInt32
    var combiningClass: UInt8
  }

  private static let looseBytes: UInt32 = 0x110000

  /// Whether there is any scalar from U+0300 on: all before are in form C, whatever they stand beside.
  private static func mayChange(_ text: [UInt8]) -> Bool { text.contains { $0 >= 0xCC } }

  // MARK: Decomposition

  private static func decomposition(of text: Span<UInt8>) -> [Element] {
    var result: [Element] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      let scalar = text.scalar(at: index)
      if scalar.isIllFormed {
        result.append(Element(value: looseBytes + UInt32(text[index]), combiningClass: 0))
      } else {
        decompose(scalar.value, into: &result)
      }
      index += scalar.length
    }
    return result
  }

  private static func decompose(_ value: UInt32, into result: inout [Element]) {
    if value < 0xC0 {
      result.append(Element(value: value, combiningClass: 0))
    } else if hangul.syllables.contains(value) {
      let index = value - hangul.syllables.lowerBound
      let trail = index % hangul.trails
      result.append(Element(value: hangul.lead + index / hangul.perLead, combiningClass: 0))
      result.append(
        Element(
          value: hangul.vowel + index % hangul.perLead / hangul.trails, combiningClass: 0))
      if trail > 0 { result.append(Element(value: hangul.trail + trail, combiningClass: 0)) }
    } else if let (first, second) = CanonicalMaps.decompositions[value] {
      decompose(first, into: &result)
      if let second { decompose(second, into: &result) }
    } else {
      let properties = Unicode.Scalar(value)?.properties
      let combiningClass = properties?.canonicalCombiningClass.rawValue ?? 0
      result.append(Element(value: value, combiningClass: combiningClass))
    }
  }

  // MARK: Ordering and composition

  /// Sorts each run of combining marks by class, stably.
  private static func order(_ scalars: inout [Element]) {
    var start = 0
    while start < scalars.count {
      guard scalars[start].combiningClass != 0 else {
        start += 1
        continue
      }
      var end = start + 1
      while end < scalars.count, scalars[end].combiningClass != 0 { end += 1 }
      if end - start > 1 {
        // The standard library's sort is stable, if not by its documentation: the offset settles ties.
        let sorted = scalars[start..<end].enumerated().sorted {
          ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
        }
        for (place, item) in sorted.enumerated() { scalars[start + place] = item.element }
      }
      start = end
    }
  }

  /// Joins each scalar with the last starter if the pair has a composed form and nothing blocks it.
  private static func compose(_ scalars: inout [Element]) {
    var count = 0  // of those kept, at the front of the array
    var starter: Int?
    for index in scalars.indices {
      let scalar = scalars[index]
      if let starter {
        // Blocked by a scalar in between that is a starter or of no lower class.
        let isBlocked =
          count - 1 > starter && scalars[count - 1].combiningClass >= scalar.combiningClass
        if !isBlocked, let composed = composite(scalars[starter].value, scalar.value) {
          scalars[starter].value = composed
          continue
        }
      }
      if scalar.combiningClass == 0 { starter = count }
      scalars[count] = scalar
      count += 1
    }
    scalars.removeLast(scalars.count - count)
  }

  private static func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if second < 0x300 { return nil }  // No lower scalar is the second of a pair.
    if (hangul.lead..<hangul.lead + 19).contains(first),
      (hangul.vowel..<hangul.vowel + 21).contains(second)
    {
      return hangul.syllables.lowerBound + (first - hangul.lead) * hangul.perLead
        + (second - hangul.vowel) * hangul.trails
    }
    if hangul.syllables.contains(first),
      (first - hangul.syllables.lowerBound) % hangul.trails == 0,
      (hangul.trail + 1..<hangul.trail + hangul.trails).contains(second)
    {
      return first + second - hangul.trail
    }
    return CanonicalMaps.compositions[CanonicalMaps.key(first, second)]
  }

  /// The arithmetic of Hangul syllables (The Unicode Standard, section 3.12).
  private static let hangul = (
    syllables: UInt32(0xAC00)...0xD7A3, lead: UInt32(0x1100), vowel: UInt32(0x1161),
    trail: UInt32(0x11A7), trails: UInt32(28), perLead: UInt32(588)
  )
}

/// `CanonicalTable` in the form to look things up in, made when first needed.
private enum CanonicalMaps {
  static let decompositions: [UInt32: (UInt32, UInt32?)] = {
    let tables = [CanonicalTable.composable, CanonicalTable.excluded, CanonicalTable.singletons]
    var map: [UInt32: (UInt32, UInt32?)] = [:]
    for row in tables.flatMap(rows) { map[row[0]] = (row[1], row.count > 2 ? row[2] : nil) }
    return map
  }()

  static let compositions: [UInt64: UInt32] = {
    var map: [UInt64: UInt32] = [:]
    for row in rows(CanonicalTable.composable) { map[key(row[1], row[2])] = row[0] }
    return map
  }()

  static func key(_ first: UInt32, _ second: UInt32) -> UInt64 {
    UInt64(first) << 32 | UInt64(second)
  }

  private static func rows(_ table: String) -> [[UInt32]] {
    table.utf8.split(separator: UInt8(ascii: ";")).map { row in
      row.split(separator: UInt8(ascii: " ")).map { digits in
        digits.reduce(0) { $0 << 4 | UInt32($1 < 0x41 ? $1 - 0x30 : $1 - 0x37) }
      }
    }
  }
}
