// 2:4 selection. A value beats another if it is larger, or equal and further left. It is dropped if two of
// the three others in its group beat it. Both are total orders on integers, so that exactly two stay
// whatever the bits are, NaN included.

#if SK_LANES == 4
#define rotate_group(v, k) __builtin_shufflevector(v, v, k, (1 + k) % 4, (2 + k) % 4, (3 + k) % 4)
#define each_lane4(a, b, c, d) a, b, c, d
#define each_half4(a, b, c, d) a, b, c, d, a, b, c, d
#elif SK_LANES == 8
#define rotate_group(v, k)                                                                      \
  __builtin_shufflevector(v, v, k, (1 + k) % 4, (2 + k) % 4, (3 + k) % 4, 4 + k, 4 + (1 + k) % 4, \
                          4 + (2 + k) % 4, 4 + (3 + k) % 4)
#define each_lane4(a, b, c, d) a, b, c, d, a, b, c, d
#define each_half4(a, b, c, d) each_lane4(a, b, c, d), each_lane4(a, b, c, d)
#else
#define rotate_group(v, k)                                                                        \
  __builtin_shufflevector(v, v, k, (1 + k) % 4, (2 + k) % 4, (3 + k) % 4, 4 + k, 4 + (1 + k) % 4, \
                          4 + (2 + k) % 4, 4 + (3 + k) % 4, 8 + k, 8 + (1 + k) % 4,               \
                          8 + (2 + k) % 4, 8 + (3 + k) % 4, 12 + k, 12 + (1 + k) % 4,             \
                          12 + (2 + k) % 4, 12 + (3 + k) % 4)
#define each_lane4(a, b, c, d) a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d
#define each_half4(a, b, c, d) each_lane4(a, b, c, d), each_lane4(a, b, c, d)
#endif

// Where the neighbour k further on, counted around the group, lies to the left and so wins a tie:
// other >= own is written other > own - 1.
#define wins_tie_1(each) each(0, 0, 0, 1)
#define wins_tie_2(each) each(0, 0, 1, 1)
#define wins_tie_3(each) each(0, 1, 1, 1)

// All ones where a 32-bit key is among the two largest of its four. No key is the smallest integer.
inlined vi keep_keys(vi own) {
  vi first = rotate_group(own, 1) > own - (vi){wins_tie_1(each_lane4)};
  vi second = rotate_group(own, 2) > own - (vi){wins_tie_2(each_lane4)};
  vi third = rotate_group(own, 3) > own - (vi){wins_tie_3(each_lane4)};
  return ~((first & second) | (third & (first | second)));
}

// The same for 16-bit keys of at least 0: a group is one 64-bit lane, and the neighbours come by rotation.
inlined vs rotate_quarters(vs v, int k) {
  vq lanes = __builtin_bit_cast(vq, v);
  return __builtin_bit_cast(vs, lanes >> (16 * k) | lanes << (64 - 16 * k));
}
inlined vs keep_halves(vs own) {
  vs first = rotate_quarters(own, 1) > own - (vs){wins_tie_1(each_half4)};
  vs second = rotate_quarters(own, 2) > own - (vs){wins_tie_2(each_half4)};
  vs third = rotate_quarters(own, 3) > own - (vs){wins_tie_3(each_half4)};
  return ~((first & second) | (third & (first | second)));
}

// Integers in the order of the floats, with -0.0 equal to +0.0.
inlined vi ordered_keys(vf scores) {
  vi bits = __builtin_bit_cast(vi, scores + splat(0));
  vi keys = bits ^ ((bits >> 31) & 0x7FFFFFFF);
  return keys + (keys == (vi)INT32_MIN) * -1;
}

// Sixteen scores make two bytes of mask.
#define SK_STEP 16
inlined void store_bits(uint32_t bits, intptr_t count, uint8_t *mask) {
  __builtin_memcpy(mask, &bits, count > 8 ? 2 : 1);
}

inlined uint32_t step_bits(const vi *keys) {
  uint32_t bits = 0;
  for (int v = 0; v < SK_STEP / SK_LANES; v++) bits |= lane_bits(keep_keys(keys[v])) << (v * SK_LANES);
  return bits;
}

// Without a sign the bits of a float are ordered as they are.
inlined vi score(sk_type type, const unsigned char *weight, const float *norms, intptr_t i) {
  vf value = load_stored(type, weight, i);
  if (norms) value *= load_f(norms + i);
  return __builtin_bit_cast(vi, bits_of(value) & 0x7FFFFFFF);
}

inlined void select_typed(sk_type type, intptr_t n, const unsigned char *weight, const float *norms,
                          uint8_t *mask) {
  vi scores[SK_STEP / SK_LANES];
  intptr_t i = 0;
  for (; i + SK_STEP <= n; i += SK_STEP) {
    for (int v = 0; v < SK_STEP / SK_LANES; v++) scores[v] = score(type, weight, norms, i + v * SK_LANES);
    store_bits(step_bits(scores), SK_STEP, mask + i / 8);
  }
  if (i == n) return;
  intptr_t count = n - i, size = size_of(type);
  unsigned char last_weight[4 * SK_STEP] = {0};
  float last_norms[SK_STEP] = {0};
  copy_bytes(count * size, weight + i * size, last_weight);
  if (norms) copy_bytes(4 * count, norms + i, last_norms);
  for (int v = 0; v < SK_STEP / SK_LANES; v++)
    scores[v] = score(type, last_weight, norms ? last_norms : norms, v * SK_LANES);
  store_bits(step_bits(scores) & ((1u << count) - 1), count, mask + i / 8);
}

static void select_stored(sk_type type, intptr_t n, const void *weight, const float *norms, uint8_t *mask) {
#define body(t) if (norms) select_typed(t, n, weight, norms, mask); else select_typed(t, n, weight, 0, mask)
  for_each_type(type, body)
#undef body
}

static void select_scores(intptr_t n, const float *scores, uint8_t *mask) {
  vi step[SK_STEP / SK_LANES];
  intptr_t i = 0;
  for (; i + SK_STEP <= n; i += SK_STEP) {
    for (int v = 0; v < SK_STEP / SK_LANES; v++) step[v] = ordered_keys(load_f(scores + i + v * SK_LANES));
    store_bits(step_bits(step), SK_STEP, mask + i / 8);
  }
  if (i == n) return;
  float last[SK_STEP] = {0};
  copy_bytes(4 * (n - i), scores + i, last);
  for (int v = 0; v < SK_STEP / SK_LANES; v++) step[v] = ordered_keys(load_f(last + v * SK_LANES));
  store_bits(step_bits(step) & ((1u << (n - i)) - 1), n - i, mask + i / 8);
}
