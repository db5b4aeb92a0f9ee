#if defined(__x86_64__)
#include "CSparseKernels.h"

#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,bmi,bmi2,popcnt,lzcnt"))), \
    apply_to = function)
#define SK_NAME "avx2"
#define SK_TABLE sk_table_avx2
#define SK_LANES 8
#define SK_TILE_ROWS 6  // 6 × 2 sums, 2 panel vectors and a broadcast in 16 registers
#define SK_TILE_VECTORS 2
#define SK_DOT_ROWS 2  // 2 × 4 sums, as many values and a vector of activations
#define SK_WIDEN_F16(halves) (vf)_mm256_cvtph_ps((__m128i)(halves))
#define SK_SHUFFLE_BYTES(bytes, places) _mm_shuffle_epi8((__m128i)(bytes), (__m128i)(places))
#define SK_PAIR_PRODUCTS(a, b) _mm256_madd_epi16((__m256i)(a), (__m256i)(b))
#include "bodies/table.h"
#pragma clang attribute pop
#else
typedef int sk_no_avx2;  // ISO C wants a declaration in every file
#endif
