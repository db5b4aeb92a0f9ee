// Masks applied to stored values, and magnitude pruning that selects and applies in one pass over memory.

// 32 values of 2 bytes or 16 of 4 at a time fill whole registers on every instruction set.
static void apply_mask_2(intptr_t n, const unsigned char *weight, const uint8_t *mask, unsigned char *out) {
  intptr_t i = 0;
  for (; i + 32 <= n; i += 32) {
    uint32_t bits;
    __builtin_memcpy(&bits, mask + i / 8, 4);
    for (int v = 0; v < 32; v += SK_HALVES)
      store_s(out + 2 * (i + v), load_s(weight + 2 * (i + v)) & halves_from_bits(bits >> v));
  }
  for (; i < n; i++) {
    int kept = mask[i / 8] >> (i % 8) & 1;
    for (int b = 0; b < 2; b++) out[2 * i + b] = kept ? weight[2 * i + b] : 0;
  }
}

static void apply_mask_4(intptr_t n, const unsigned char *weight, const uint8_t *mask, unsigned char *out) {
  intptr_t i = 0;
  for (; i + 16 <= n; i += 16) {
    uint16_t bits;
    __builtin_memcpy(&bits, mask + i / 8, 2);
    for (int v = 0; v < 16; v += SK_LANES) {
      vu kept = __builtin_bit_cast(vu, lanes_from_bits((uint32_t)bits >> v));
      store_u(out + 4 * (i + v), load_u(weight + 4 * (i + v)) & kept);
    }
  }
  for (; i < n; i++) {
    int kept = mask[i / 8] >> (i % 8) & 1;
    for (int b = 0; b < 4; b++) out[4 * i + b] = kept ? weight[4 * i + b] : 0;
  }
}

static void apply_mask_1(intptr_t n, const unsigned char *weight, const uint8_t *mask, unsigned char *out) {
  intptr_t i = 0;
  for (; i + 16 <= n; i += 16) {
    uint16_t bits;
    __builtin_memcpy(&bits, mask + i / 8, 2);
    for (int v = 0; v < 16; v += SK_LANES) {
      vb kept = __builtin_convertvector(lanes_from_bits((uint32_t)bits >> v), vb);
      store_b(out + i + v, load_b(weight + i + v) & kept);
    }
  }
  for (; i < n; i++) out[i] = mask[i / 8] >> (i % 8) & 1 ? weight[i] : 0;
}

static void apply_mask(int bytes, intptr_t n, const void *weight, const uint8_t *mask, void *out) {
  if (bytes == 1) apply_mask_1(n, weight, mask, out);
  else if (bytes == 2) apply_mask_2(n, weight, mask, out);
  else apply_mask_4(n, weight, mask, out);
}

// Both 16-bit formats order magnitudes as the integers of their lower 15 bits.
inlined uint32_t magnitude_step_2(const unsigned char *weight, unsigned char *out, int with_bits) {
  uint32_t bits = 0;
  for (int v = 0; v < 32; v += SK_HALVES) {
    vs value = load_s(weight + 2 * v), keep = keep_halves(value & 0x7FFF);
    store_s(out + 2 * v, value & keep);
    if (with_bits) bits |= half_bits(keep) << v;
  }
  return bits;
}

inlined void magnitude_2(intptr_t n, const unsigned char *weight, unsigned char *out, uint8_t *mask) {
  intptr_t i = 0;
  for (; i + 32 <= n; i += 32) {
    uint32_t bits = magnitude_step_2(weight + 2 * i, out + 2 * i, mask != 0);
    if (mask) __builtin_memcpy(mask + i / 8, &bits, 4);
  }
  if (i == n) return;
  unsigned char last[64] = {0}, kept[64];
  copy_bytes(2 * (n - i), weight + 2 * i, last);
  uint32_t bits = magnitude_step_2(last, kept, 1) & ((1u << (n - i)) - 1);
  copy_bytes(2 * (n - i), kept, out + 2 * i);
  if (mask) copy_bytes((n - i + 7) / 8, &bits, mask + i / 8);
}

inlined uint32_t magnitude_step_4(const unsigned char *weight, unsigned char *out, int with_bits) {
  uint32_t bits = 0;
  for (int v = 0; v < 16; v += SK_LANES) {
    vu value = load_u(weight + 4 * v);
    vi keep = keep_keys(__builtin_bit_cast(vi, value & 0x7FFFFFFF));
    store_u(out + 4 * v, value & __builtin_bit_cast(vu, keep));
    if (with_bits) bits |= lane_bits(keep) << v;
  }
  return bits;
}

inlined void magnitude_4(intptr_t n, const unsigned char *weight, unsigned char *out, uint8_t *mask) {
  intptr_t i = 0;
  for (; i + 16 <= n; i += 16) {
    uint32_t bits = magnitude_step_4(weight + 4 * i, out + 4 * i, mask != 0);
    if (mask) __builtin_memcpy(mask + i / 8, &bits, 2);
  }
  if (i == n) return;
  unsigned char last[64] = {0}, kept[64];
  copy_bytes(4 * (n - i), weight + 4 * i, last);
  uint32_t bits = magnitude_step_4(last, kept, 1) & ((1u << (n - i)) - 1);
  copy_bytes(4 * (n - i), kept, out + 4 * i);
  if (mask) copy_bytes((n - i + 7) / 8, &bits, mask + i / 8);
}

// Signed bytes: the mask of some, then what it keeps of them.
static void magnitude_1(intptr_t n, const unsigned char *weight, unsigned char *out, uint8_t *mask) {
  uint8_t bits[64];
  for (intptr_t i = 0; i < n; i += 512) {
    intptr_t count = n - i < 512 ? n - i : 512;
    select_stored(sk_i8, count, weight + i, 0, bits);
    apply_mask_1(count, weight + i, bits, out + i);
    if (mask) copy_bytes((count + 7) / 8, bits, mask + i / 8);
  }
}

static void magnitude(sk_type type, intptr_t n, const void *weight, void *out, uint8_t *mask) {
  if (type == sk_f32) {
    if (mask) magnitude_4(n, weight, out, mask);
    else magnitude_4(n, weight, out, 0);
  } else if (type == sk_i8) {
    magnitude_1(n, weight, out, mask);
  } else {
    if (mask) magnitude_2(n, weight, out, mask);
    else magnitude_2(n, weight, out, 0);
  }
}
