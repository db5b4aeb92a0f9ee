// 2:4 weights to their kept values and mask. Groups go one at a time: two values are fetched from the places that a
// small table gives for the group's nibble.

// What to do with a group: the places of its two kept values, and their bits.
typedef struct {
  uint8_t first, second, bits;
} kept_pair;

inlined kept_pair pair_of(unsigned bits) {
  // Of a nibble without two bits any two places within the group will do.
  unsigned first = bits ? (unsigned)__builtin_ctz(bits) : 0;
  unsigned second = bits ? 31 - (unsigned)__builtin_clz(bits) : 0;
  return (kept_pair){(uint8_t)first, (uint8_t)second, (uint8_t)bits};
}

// Up to 64 values whose non-zeros are known. A value that is not among them becomes +0.0.
inlined void compress_some(const intptr_t size, intptr_t n, const unsigned char *weight, uint64_t nonzero,
                           const kept_pair *pairs, unsigned char *values, uint8_t *mask) {
  uint64_t bits = 0;
  for (intptr_t g = 0; g < n / 4; g++) {
    unsigned nibble = nonzero >> 4 * g & 15;
    kept_pair pair = pairs[nibble];
    const unsigned char *group = weight + 4 * g * size;
    uint32_t kept[2] = {0};
    __builtin_memcpy(&kept[0], group + pair.first * size, (unsigned long)size);
    __builtin_memcpy(&kept[1], group + pair.second * size, (unsigned long)size);
    kept[0] &= 0u - (nibble >> pair.first & 1);
    kept[1] &= 0u - (nibble >> pair.second & 1);
    __builtin_memcpy(values + 2 * g * size, &kept[0], (unsigned long)size);
    __builtin_memcpy(values + (2 * g + 1) * size, &kept[1], (unsigned long)size);
    bits |= (uint64_t)pair.bits << 4 * g;
  }
  copy_bytes((n + 7) / 8, &bits, mask);
}

inlined int64_t compress_typed(sk_type type, intptr_t n, const unsigned char *weight, const uint8_t *filler,
                               unsigned char *values, uint8_t *mask) {
  const intptr_t size = size_of(type);
  kept_pair pairs[16];
  for (unsigned nibble = 0; nibble < 16; nibble++) pairs[nibble] = pair_of(filler[nibble] & 15u);
  sk_counts counts = {0, 0, 0, 0};
  for (intptr_t i = 0; i < n; i += 64) {
    intptr_t count = n - i < 64 ? n - i : 64;
    const unsigned char *from = weight + i * size;
    findings found = count == 64 ? find(type, from) : find_last(type, from, count);
    count_findings(found, &counts);
    compress_some(size, count, from, found.nonzero, pairs, values + i / 2 * size, mask + i / 8);
  }
  return counts.over_two + counts.not_finite;
}

static int64_t compress24(sk_type type, intptr_t n, const void *weight, const uint8_t *filler, void *values,
                          uint8_t *mask) {
#define body(t) return compress_typed(t, n, weight, filler, values, mask)
  for_each_type(type, body)
#undef body
  return 0;
}
