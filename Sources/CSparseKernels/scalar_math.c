// What is computed once and not in bulk: the content fingerprint and two functions in float64.
#include "CSparseKernels.h"

static uint64_t rotate_left(uint64_t x, int r) { return x << r | x >> (64 - r); }

static uint64_t little64(const unsigned char *p) {
  uint64_t x;
  __builtin_memcpy(&x, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap64(x);
#endif
  return x;
}

static uint64_t little32(const unsigned char *p) {
  uint32_t x;
  __builtin_memcpy(&x, p, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap32(x);
#endif
  return x;
}

// XXH64 as its specification has it, with the specification's names. Four independent accumulators keep
// the multiplier busy: 32 bytes per 5 cycles, faster than memory.
static const uint64_t prime1 = 0x9E3779B185EBCA87u, prime2 = 0xC2B2AE3D27D4EB4Fu,
                      prime3 = 0x165667B19E3779F9u, prime4 = 0x85EBCA77C2B2AE63u,
                      prime5 = 0x27D4EB2F165667C5u;

static uint64_t round64(uint64_t acc, uint64_t lane) {
  return rotate_left(acc + lane * prime2, 31) * prime1;
}

static uint64_t merge(uint64_t acc, uint64_t lane) {
  return (acc ^ round64(0, lane)) * prime1 + prime4;
}

uint64_t sk_fingerprint(intptr_t n, const void *bytes) {
  const unsigned char *p = bytes, *end = p + n;
  uint64_t acc = prime5;
  if (n >= 32) {
    uint64_t a = prime1 + prime2, b = prime2, c = 0, d = 0 - prime1;
    for (; end - p >= 32; p += 32) {
      a = round64(a, little64(p));
      b = round64(b, little64(p + 8));
      c = round64(c, little64(p + 16));
      d = round64(d, little64(p + 24));
    }
    acc = rotate_left(a, 1) + rotate_left(b, 7) + rotate_left(c, 12) + rotate_left(d, 18);
    acc = merge(merge(merge(merge(acc, a), b), c), d);
  }
  acc += (uint64_t)n;
  for (; end - p >= 8; p += 8)
    acc = rotate_left(acc ^ round64(0, little64(p)), 27) * prime1 + prime4;
  if (end - p >= 4) {
    acc = rotate_left(acc ^ little32(p) * prime1, 23) * prime2 + prime3;
    p += 4;
  }
  for (; p < end; p++) acc = rotate_left(acc ^ *p * prime5, 11) * prime1;
  acc = (acc ^ acc >> 33) * prime2;
  acc = (acc ^ acc >> 29) * prime3;
  return acc ^ acc >> 32;
}

static double double_of(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, 8);
  return x;
}

static const double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;

// x = 2^e * m with m in [sqrt 1/2, sqrt 2]; log m = 2 atanh((m - 1) / (m + 1)), its series to s^21.
double sk_log(double x) {
  if (!(x > 0)) return x == 0 ? -__builtin_inf() : __builtin_nan("");
  if (x == __builtin_inf()) return x;
  int e = 0;
  if (x < 0x1p-1022) x *= 0x1p54, e = -54;
  uint64_t bits;
  __builtin_memcpy(&bits, &x, 8);
  e += (int)(bits >> 52) - 1023;
  double m = double_of((bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u);
  if (m > 0x1.6a09e667f3bcdp0) m *= 0.5, e += 1;
  double f = m - 1, s = f / (2 + f), z = s * s, series = 0;
  for (int k = 21; k >= 3; k -= 2) series = (series + 1.0 / k) * z;
  // log m = f - (f^2/2 - s (f^2/2 + 2 series)): the large term f is exact.
  double h = 0.5 * f * f;
  return e * ln2_high + (f - (h - (s * (h + 2 * series) + e * ln2_low)));
}

// x = n ln 2 + r; exp r by its series to r^13.
double sk_exp(double x) {
  if (x != x) return x;
  if (x > 709.8) return __builtin_inf();
  if (x < -745.2) return 0;
  double scaled = x * 0x1.71547652b82fep0;
  int n = (int)(scaled + (scaled < 0 ? -0.5 : 0.5));
  double r = (x - n * ln2_high) - n * ln2_low, sum = 1;
  for (int k = 13; k >= 1; k--) sum = 1 + sum * r / k;
  int half = n / 2;
  return sum * double_of((uint64_t)(half + 1023) << 52) * double_of((uint64_t)(n - half + 1023) << 52);
}
