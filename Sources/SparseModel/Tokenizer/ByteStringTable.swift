/// A set of byte strings, numbered from 0 in the order of insertion.
///
/// Keys are bytes and never `String`s, whose equality is canonical equivalence: "é" as one scalar and
/// as two would be one key. All keys lie end to end in one array.
struct ByteStringTable: Sendable {
  private var pool: [UInt8] = []
  private var ends: [Int] = []
  // Open addressing: the upper half of a slot is the key's hash, the lower its number plus one, and 0
  // means free. The length is a power of two, at least twice the number of keys.
  private var slots: [UInt64] = Array(repeating: 0, count: 16)

  /// The number of keys.
  var count: Int { ends.count }

  /// The bytes of the key with this number.
  subscript(number: Int) -> ArraySlice<UInt8> {
    pool[(number == 0 ? 0 : ends[number - 1])..<ends[number]]
  }

  /// The number of `key`; nil if it was never inserted.
  func number(of key: Span<UInt8>) -> Int? {
    let place = place(of: key, hash: hash(of: key))
    return slots[place] == 0 ? nil : Int(UInt32(truncatingIfNeeded: slots[place])) - 1
  }

  /// The number of `key`, which is inserted if it is new.
  mutating func insert(_ key: Span<UInt8>) -> Int {
    let hash = hash(of: key)
    var place = place(of: key, hash: hash)
    if slots[place] != 0 { return Int(UInt32(truncatingIfNeeded: slots[place])) - 1 }
    if 2 * (count + 1) > slots.count {
      grow()
      place = self.place(of: key, hash: hash)
    }
    for index in key.indices { pool.append(key[index]) }
    ends.append(pool.count)
    slots[place] = UInt64(hash) << 32 | UInt64(count)
    return count - 1
  }

  /// The slot that holds `key`, or the free one where it belongs.
  private func place(of key: Span<UInt8>, hash: UInt32) -> Int {
    let mask = slots.count - 1
    var place = Int(hash) & mask
    while slots[place] != 0 {
      let slot = slots[place]
      if slot >> 32 == UInt64(hash), holds(key, number: Int(UInt32(truncatingIfNeeded: slot)) - 1) {
        return place
      }
      place = (place + 1) & mask
    }
    return place
  }

  private func holds(_ key: Span<UInt8>, number: Int) -> Bool {
    let start = number == 0 ? 0 : ends[number - 1]
    guard ends[number] - start == key.count else { return false }
    for index in key.indices where pool[start + index] != key[index] { return false }
    return true
  }

  private mutating func grow() {
    var larger = [UInt64](repeating: 0, count: 2 * slots.count)
    let mask = larger.count - 1
    for slot in slots where slot != 0 {
      var place = Int(slot >> 32) & mask
      while larger[place] != 0 { place = (place + 1) & mask }
      larger[place] = slot
    }
    slots = larger
  }

  /// Swift's own hash, seeded anew in each process: no file can bring keys that all collide.
  private func hash(of key: Span<UInt8>) -> UInt32 {
    var hasher = Hasher()
    key.bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    return UInt32(truncatingIfNeeded: hasher.finalize())
  }
}
