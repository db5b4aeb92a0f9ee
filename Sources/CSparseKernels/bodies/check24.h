// Counting what stored values look like, 64 values at a time: each property becomes a 64-bit word in which
// a group of four is one nibble.

typedef struct {
  uint64_t nonzero, not_finite, negative_zero;
} findings;

inlined findings find_2(const unsigned char *p, int infinity) {
  findings found = {0, 0, 0};
  for (int v = 0; v < 64; v += SK_HALVES) {
    vs value = load_s(p + 2 * v), size = value & 0x7FFF;
    found.nonzero |= (uint64_t)half_bits(size != 0) << v;
    found.not_finite |= (uint64_t)half_bits(size > (int16_t)(infinity - 1)) << v;
    found.negative_zero |= (uint64_t)half_bits(value == (int16_t)-0x8000) << v;
  }
  return found;
}

inlined findings find_4(const unsigned char *p) {
  findings found = {0, 0, 0};
  for (int v = 0; v < 64; v += SK_LANES) {
    vi value = __builtin_bit_cast(vi, load_u(p + 4 * v)), size = value & 0x7FFFFFFF;
    found.nonzero |= (uint64_t)lane_bits(size != 0) << v;
    found.not_finite |= (uint64_t)lane_bits(size > 0x7F7FFFFF) << v;
    found.negative_zero |= (uint64_t)lane_bits(value == INT32_MIN) << v;
  }
  return found;
}

inlined findings find_1(const unsigned char *p) {
  findings found = {0, 0, 0};
  for (int v = 0; v < 64; v += SK_LANES) {
    vi value = __builtin_convertvector(load_b(p + v), vi);
    found.nonzero |= (uint64_t)lane_bits(value != 0) << v;
  }
  return found;
}

inlined findings find(sk_type type, const unsigned char *p) {
  switch (type) {
    case sk_f32: return find_4(p);
    case sk_f16: return find_2(p, 0x7C00);
    case sk_bf16: return find_2(p, 0x7F80);
    case sk_i8: return find_1(p);
  }
  return (findings){0, 0, 0};
}

#define SK_LOW 0x1111111111111111u  // the lowest bit of every nibble

// Nibbles with at least three bits set, by their lowest bit.
inlined uint64_t over_two(uint64_t x) {
  uint64_t both = x & (x >> 1), either = x | (x >> 1);
  return ((both & (either >> 2)) | ((both >> 2) & either)) & SK_LOW;
}

inlined void count_findings(findings found, sk_counts *counts) {
  uint64_t crowded = over_two(found.nonzero);
  counts->over_two += __builtin_popcountll(crowded);
  counts->zeros -= __builtin_popcountll(found.nonzero);
  counts->negative_zeros += __builtin_popcountll(found.negative_zero);
  if (__builtin_expect(found.not_finite != 0, 0)) {
    uint64_t pairs = found.not_finite | found.not_finite >> 1;
    counts->not_finite += __builtin_popcountll((pairs | pairs >> 2) & SK_LOW & ~crowded);
  }
}

// Values past the end are +0.0: they count as nothing here.
inlined findings find_last(sk_type type, const unsigned char *p, intptr_t n) {
  unsigned char last[256] = {0};
  copy_bytes(n * size_of(type), p, last);
  return find(type, last);
}

inlined void check_typed(sk_type type, intptr_t n, const unsigned char *p, sk_counts *counts) {
  sk_counts sum = *counts;
  intptr_t i = 0;
  for (; i + 64 <= n; i += 64) count_findings(find(type, p + i * size_of(type)), &sum);
  if (i < n) count_findings(find_last(type, p + i * size_of(type), n - i), &sum);
  sum.zeros += n;
  *counts = sum;
}

static void check24(sk_type type, intptr_t n, const void *values, sk_counts *counts) {
#define body(t) check_typed(t, n, values, counts)
  for_each_type(type, body)
#undef body
}

inlined void count_patterns(uint64_t nonzero, int64_t *patterns) {
  static const uint64_t nibbles[6] = {3, 5, 6, 9, 10, 12};
  for (int k = 0; k < 6; k++) {
    uint64_t differs = nonzero ^ nibbles[k] * SK_LOW;
    differs |= differs >> 1;
    differs |= differs >> 2;
    patterns[k] += __builtin_popcountll(~differs & SK_LOW);
  }
}

inlined void patterns_typed(sk_type type, intptr_t n, const unsigned char *p, int64_t *patterns) {
  intptr_t i = 0;
  for (; i + 64 <= n; i += 64) count_patterns(find(type, p + i * size_of(type)).nonzero, patterns);
  if (i < n) count_patterns(find_last(type, p + i * size_of(type), n - i).nonzero, patterns);
}

static void patterns24(sk_type type, intptr_t n, const void *values, int64_t *patterns) {
#define body(t) patterns_typed(t, n, values, patterns)
  for_each_type(type, body)
#undef body
}

inlined int64_t not_finite_typed(sk_type type, intptr_t n, const unsigned char *p) {
  int64_t count = 0;
  intptr_t i = 0;
  for (; i + 64 <= n; i += 64) count += __builtin_popcountll(find(type, p + i * size_of(type)).not_finite);
  if (i < n) count += __builtin_popcountll(find_last(type, p + i * size_of(type), n - i).not_finite);
  return count;
}

static int64_t count_not_finite(sk_type type, intptr_t n, const void *values) {
#define body(t) return not_finite_typed(t, n, values)
  for_each_type(type, body)
#undef body
  return 0;
}
