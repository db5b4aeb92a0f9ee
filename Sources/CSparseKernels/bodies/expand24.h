// Kept values back to whole rows of a 2:4 weight, with zeros between them. Every group takes the next two values,
// whatever its bits are, so nothing that is read or written depends on the mask.
//
// Included once for processors that must look up where each value goes, and once more, with SK_EXPAND_BYTES, for
// those that spread the elements of a vector by a mask.

#ifdef SK_EXPAND_BYTES
#define SK_EXPAND(name) name##_by_mask
// What a vector holds.
#define SK_EXPAND_COLUMNS(size) (4 * SK_LANES / (size))

inlined void SK_EXPAND(expand_some)(const intptr_t size, const unsigned char *values, const uint8_t *mask,
                                    unsigned char *out) {
  vector(uint8_t, 2 * SK_LANES) kept;
  uint64_t bits = 0;
  __builtin_memcpy(&kept, values, sizeof kept);
  __builtin_memcpy(&bits, mask, (unsigned long)(SK_EXPAND_COLUMNS(size) / 8));
  store_u(out, __builtin_bit_cast(vu, size == 1   ? SK_EXPAND_BYTES(bits, kept)
                                      : size == 2 ? SK_EXPAND_HALVES(bits, kept)
                                                  : SK_EXPAND_WORDS(bits, kept)));
}
#else
#define SK_EXPAND(name) name##_by_places
#define SK_EXPAND_COLUMNS(size) 8

#ifdef SK_SHUFFLE_BYTES
// For each byte of a mask, the places among four values from which its eight columns come, a byte each; one that is
// negative, also when it is doubled twice, stands for none. A nibble without two bits takes any of its two values.
#define place(n, i, before) (uint64_t)((n) >> (i) & 1 ? (before) & 1 : 0xE0) << 8 * (i)
#define group_places(n) \
  (place(n, 0, 0) | place(n, 1, n) | place(n, 2, (n) ^ (n) >> 1) | place(n, 3, (n) ^ (n) >> 1 ^ (n) >> 2))
#define places_of(m) group_places((m) & 15) | (group_places((m) >> 4) + 0x02020202) << 32
#define places_of_4(m) places_of(m), places_of((m) + 1), places_of((m) + 2), places_of((m) + 3)
#define places_of_16(m) places_of_4(m), places_of_4((m) + 4), places_of_4((m) + 8), places_of_4((m) + 12)
#define places_of_64(m) places_of_16(m), places_of_16((m) + 16), places_of_16((m) + 32), places_of_16((m) + 48)
static const uint64_t places24[256] = {places_of_64(0), places_of_64(64), places_of_64(128), places_of_64(192)};

inlined void SK_EXPAND(expand_some)(const intptr_t size, const unsigned char *values, const uint8_t *mask,
                                    unsigned char *out) {
  typedef vector(uint8_t, 16) bytes;
  bytes kept = {0}, places = {0}, spread[2];
  __builtin_memcpy(&kept, values, (unsigned long)(4 * size));
  __builtin_memcpy(&places, &places24[*mask], sizeof places24[0]);
  // From the places of values to those of their bytes.
  if (size == 1) {
    spread[0] = SK_SHUFFLE_BYTES(kept, places);
  } else if (size == 2) {
    bytes twice = __builtin_shufflevector(places, places, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    const bytes order = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    spread[0] = SK_SHUFFLE_BYTES(kept, 2 * twice + order);
  } else {
    bytes low = __builtin_shufflevector(places, places, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    bytes high = __builtin_shufflevector(places, places, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
    const bytes order = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    spread[0] = SK_SHUFFLE_BYTES(kept, 4 * low + order);
    spread[1] = SK_SHUFFLE_BYTES(kept, 4 * high + order);
  }
  __builtin_memcpy(out, spread, (unsigned long)(8 * size));
}
#else
// The places of the two values of a group; those of a nibble without two bits are any within it.
static const uint8_t kept_places[16][2] = {{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 2}, {0, 2}, {1, 2}, {0, 1},
                                           {0, 3}, {0, 3}, {1, 3}, {0, 1}, {2, 3}, {0, 1}, {0, 1}, {0, 1}};

inlined void SK_EXPAND(expand_some)(const intptr_t size, const unsigned char *values, const uint8_t *mask,
                                    unsigned char *out) {
  for (int g = 0; g < 2; g++, values += 2 * size, out += 4 * size) {
    const uint8_t *places = kept_places[*mask >> 4 * g & 15];
    __builtin_memset(out, 0, (unsigned long)(4 * size));
    __builtin_memcpy(out + places[0] * size, values, (unsigned long)size);
    __builtin_memcpy(out + places[1] * size, values + size, (unsigned long)size);
  }
}
#endif
#endif

inlined void SK_EXPAND(expand_typed)(const intptr_t size, intptr_t n, const unsigned char *values,
                                     const uint8_t *mask, unsigned char *out) {
  const intptr_t step = SK_EXPAND_COLUMNS(size);
  intptr_t i = 0;
  for (; i + step <= n; i += step)
    SK_EXPAND(expand_some)(size, values + i / 2 * size, mask + i / 8, out + i * size);
  if (i == n) return;
  // The last columns from and to places that have room for all that is read and written.
  unsigned char last[32] = {0}, bits[8] = {0}, whole[64];
  copy_bytes((n - i) / 2 * size, values + i / 2 * size, last);
  copy_bytes((n - i + 7) / 8, mask + i / 8, bits);
  SK_EXPAND(expand_some)(size, last, bits, whole);
  copy_bytes((n - i) * size, whole, out + i * size);
}

static void SK_EXPAND(expand24)(int bytes, intptr_t n, const void *values, const uint8_t *mask, void *out) {
  if (bytes == 1) SK_EXPAND(expand_typed)(1, n, values, mask, out);
  else if (bytes == 2) SK_EXPAND(expand_typed)(2, n, values, mask, out);
  else SK_EXPAND(expand_typed)(4, n, values, mask, out);
}

// n values of a row of a weight from column i on: where they are or, of a 2:4 weight, expanded into `space`.
inlined const unsigned char *SK_EXPAND(stretch)(const intptr_t size, const sk_rows *weight, intptr_t row, intptr_t i,
                                                intptr_t n, unsigned char *space) {
  const unsigned char *values = stretch_start(size, weight, row, i, n);
  if (!weight->mask) return values;
  SK_EXPAND(expand_typed)(size, n, values, weight->mask + row * weight->mask_bytes + i / 8, space);
  return space;
}

#undef SK_EXPAND
#undef SK_EXPAND_COLUMNS
