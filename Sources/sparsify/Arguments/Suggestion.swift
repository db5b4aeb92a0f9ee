/// Finds what was probably meant by a word that isn't known.
enum Suggestion {
  /// The nearest candidate, if one is near enough to be worth naming.
  ///
  /// Near enough: it begins with the word, which has three letters or more, and comes before all others
  /// if it alone does; or it is at most three edits away, and at most a third of the longer word's letters.
  /// Of equally near candidates the first one wins.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    let longer = letterCount(word) >= 3 ? candidates.filter { $0.hasPrefix(word) } : []
    if longer.count == 1 { return longer[0] }
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let letters = max(letterCount(word), letterCount(candidate))
      let limit = min(3, (letters + 1) / 3)
      let distance = editDistance(word, candidate)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.candidate ?? longer.first
  }

  /// The length without leading dashes, which say nothing about what was meant.
  private static func letterCount(_ word: String) -> Int { word.drop { $0 == "-" }.count }

  /// The number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
  static func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a)
    let b = Array(b)
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
