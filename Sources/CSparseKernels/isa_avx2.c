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
#define SK_PAIR_PRODUCTS(a, b) _mm256_madd_epi16((__m256i)(a), (__m256i)(b))
#include "bodies/table.h"
#pragma clang attribute pop
#else
typedef int sk_no_avx2;  // ISO C wants a declaration in every file
#endif
