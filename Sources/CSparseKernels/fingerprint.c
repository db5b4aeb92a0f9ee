// The content fingerprint.
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
