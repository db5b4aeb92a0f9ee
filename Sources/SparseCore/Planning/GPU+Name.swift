extension GPU {
  /// The GPU in ``all`` that `name` means, in letters of either case.
  ///
  /// A name is one of ``all``, a family such as `H100`, `a100`, `4090` or `RTX 4090`, or what `nvidia-smi` prints, such
  /// as `NVIDIA H100 80GB HBM3`. Where several GPUs fit, the one with the most memory counts, of those the SXM form. A
  /// word that belongs to another card (`NVL`, `Ti`, `D`, `Laptop`) and another memory size fit none. The A100's
  /// numbers are those of the SXM form; its PCIe form comes within 6 percent of them.
  public static func named(_ name: String) -> GPU? {
    if let gpu = all.first(where: { $0.name == name.lowercased() }) { return gpu }
    let words = words(of: name)
    let fitting = all.filter { $0.fits(words) }
    let most = fitting.map(\.memory).max()
    // The SXM forms stand before the PCIe forms.
    return fitting.first { $0.memory == most }
  }

  /// The names of the GPUs in ``all`` that are of the family in `name`; none where it names no family.
  public static func family(of name: String) -> [String] {
    let words = words(of: name)
    return all.filter { words.contains($0.chip) }.map(\.name)
  }

  /// The word that all GPUs of a family share: `h100`, `4090`.
  private var chip: String { Self.words(of: name).first ?? name }

  /// The form factors and memory types that may follow a family in a GPU's name, by family.
  private static let forms: [String: Set<String>] = [
    "a100": ["sxm", "sxm4", "pcie", "hbm2", "hbm2e"], "h200": ["sxm", "sxm5", "hbm3e"],
    "b200": ["sxm", "hbm3e"], "a30": ["pcie"], "a10": ["pcie"], "l4": ["pcie"], "l40s": ["pcie"],
  ]

  /// The form factors and memory types that may follow a GPU's own name, where that name holds its form.
  private static let ownForms: [String: Set<String>] = [
    "h100-sxm": ["sxm", "sxm5", "hbm3"], "h100-pcie": ["pcie", "hbm2e"],
  ]

  private func fits(_ words: [String]) -> Bool {
    guard words.contains(chip) else { return false }
    let memory = Int(memory)
    let known = Self.ownForms[name] ?? Self.forms[chip] ?? []
    let own = known.union([chip, "\(memory)", "\(memory)g", "\(memory)gb"])
    return words.allSatisfy(own.contains)
  }

  /// The words of a name without those of the maker.
  private static func words(of name: String) -> [String] {
    let makers: Set<String> = ["nvidia", "geforce", "tesla", "rtx"]
    return name.lowercased().split { !($0.isLetter || $0.isNumber) }.map { word in
      // `RTX4090` is written as one word, too.
      word.hasPrefix("rtx") && word.count > 3 ? String(word.dropFirst(3)) : String(word)
    }.filter { !makers.contains($0) }
  }
}
