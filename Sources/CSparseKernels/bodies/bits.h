// Vectors of yes and no as bits, least significant first, and back.

typedef vector(_Bool, SK_LANES) bool_lanes;
typedef vector(_Bool, SK_HALVES) bool_halves;

#if SK_LANES == 4
// Fewer than eight booleans do not fill a byte: they are gathered by hand.
inlined uint32_t lane_bits(vi m) {
  return (m[0] & 1) | (m[1] & 2) | (m[2] & 4) | (m[3] & 8);
}
inlined vi lanes_from_bits(uint32_t bits) { return ((vi)bits & (vi){1, 2, 4, 8}) != 0; }
inlined uint32_t half_bits(vs m) {
  vs weighted = m & (vs){1, 2, 4, 8, 16, 32, 64, 128};
  return (uint32_t)(uint16_t)__builtin_reduce_or(weighted);
}
inlined vs halves_from_bits(uint32_t bits) {
  return ((vs)(int16_t)bits & (vs){1, 2, 4, 8, 16, 32, 64, 128}) != 0;
}
#else
#if SK_LANES == 8
typedef uint8_t lane_word;
typedef uint16_t half_word;
#else
typedef uint16_t lane_word;
typedef uint32_t half_word;
#endif
inlined uint32_t lane_bits(vi m) {
  return __builtin_bit_cast(lane_word, __builtin_convertvector(m, bool_lanes));
}
inlined vi lanes_from_bits(uint32_t bits) {
  return -__builtin_convertvector(__builtin_bit_cast(bool_lanes, (lane_word)bits), vi);
}
inlined uint32_t half_bits(vs m) {
  return __builtin_bit_cast(half_word, __builtin_convertvector(m, bool_halves));
}
inlined vs halves_from_bits(uint32_t bits) {
  return -__builtin_convertvector(__builtin_bit_cast(bool_halves, (half_word)bits), vs);
}
#endif

inlined vs load_s(const unsigned char *p) {
  vs v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inlined void store_s(unsigned char *p, vs v) { __builtin_memcpy(p, &v, sizeof v); }
