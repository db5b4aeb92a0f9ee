// Vectors of SK_LANES floats and the integers beside them, as clang's own vector types: one source for
// every instruction set. Everything here is inlined, so no vector is ever passed in a call, and warnings
// about how it would be passed mean nothing.
#include "../include/CSparseKernels.h"

#pragma clang diagnostic ignored "-Wpsabi"

#define inlined static inline __attribute__((always_inline))
#define vector(type, lanes) type __attribute__((ext_vector_type(lanes)))

typedef vector(float, SK_LANES) vf;
typedef vector(double, SK_LANES) vd;
typedef vector(int32_t, SK_LANES) vi;
typedef vector(uint32_t, SK_LANES) vu;
typedef vector(uint16_t, SK_LANES) vh;
typedef vector(int8_t, SK_LANES) vb;
// A whole register of 16-bit values, and the same register as 64-bit lanes that hold one group of four each.
#define SK_HALVES (2 * SK_LANES)
typedef vector(int16_t, SK_HALVES) vs;
typedef vector(uint64_t, SK_LANES / 2) vq;

#define define_load_store(type, element, suffix)                       \
  inlined type load_##suffix(const void *p) {                          \
    type v;                                                            \
    __builtin_memcpy(&v, p, sizeof(element) * SK_LANES);               \
    return v;                                                          \
  }                                                                    \
  inlined void store_##suffix(void *p, type v) {                       \
    __builtin_memcpy(p, &v, sizeof(element) * SK_LANES);               \
  }
define_load_store(vf, float, f)
define_load_store(vu, uint32_t, u)
define_load_store(vh, uint16_t, h)
define_load_store(vb, int8_t, b)
define_load_store(vd, double, d)

// The first n < SK_LANES floats, the rest 0.
inlined vf load_part(const float *p, intptr_t n) {
  float lanes[SK_LANES] = {0};
  for (intptr_t i = 0; i < n; i++) lanes[i] = p[i];
  return load_f(lanes);
}

inlined void store_part(float *p, vf v, intptr_t n) {
  float lanes[SK_LANES];
  store_f(lanes, v);
  for (intptr_t i = 0; i < n; i++) p[i] = lanes[i];
}

inlined vf splat(float x) { return (vf)(x); }
inlined vu bits_of(vf x) { return __builtin_bit_cast(vu, x); }
inlined vf float_of(vu x) { return __builtin_bit_cast(vf, x); }
inlined vu choose(vi condition, vu yes, vu no) {
  vu c = __builtin_bit_cast(vu, condition);
  return (yes & c) | (no & ~c);
}
inlined vf larger(vf a, vf b) { return float_of(choose(a > b, bits_of(a), bits_of(b))); }

// The upper half is added to the lower one until one lane is left: always in the same order.
inlined float lane_sum(vf v) {
#if SK_LANES == 16
  vector(float, 8) eight = v.lo + v.hi;
#elif SK_LANES == 8
  vector(float, 8) eight = v;
#endif
#if SK_LANES >= 8
  vector(float, 4) four = eight.lo + eight.hi;
#else
  vector(float, 4) four = v;
#endif
  vector(float, 2) two = four.lo + four.hi;
  return two.x + two.y;
}

inlined double lane_sum_double(vd v) {
  double lanes[SK_LANES];
  store_d(lanes, v);
  for (int half = SK_LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  return lanes[0];
}

inlined float lane_max(vf v) {
  float lanes[SK_LANES];
  store_f(lanes, v);
  float most = lanes[0];
  for (int i = 1; i < SK_LANES; i++) most = lanes[i] > most ? lanes[i] : most;
  return most;
}

inlined void copy_bytes(intptr_t n, const void *from, void *to) {
  if (n > 0 && from != to) __builtin_memcpy(to, from, (unsigned long)n);
}
