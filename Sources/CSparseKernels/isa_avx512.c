#if defined(__x86_64__)
#include "CSparseKernels.h"

#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi,bmi2,popcnt,lzcnt"))), \
    apply_to = function)
#define SK_NAME "avx512"
#define SK_TABLE sk_table_avx512
#define SK_LANES 16
#define SK_TILE_ROWS 8  // 8 × 3 sums, 3 panel vectors and broadcasts in 32 registers
#define SK_TILE_VECTORS 3
#define SK_PAIR_PRODUCTS(a, b) _mm512_madd_epi16((__m512i)(a), (__m512i)(b))
#include "bodies/table.h"
#pragma clang attribute pop

// The same kernels but for the products of signed bytes, for which some of these processors have an instruction.
#pragma clang attribute push( \
    __attribute__((target("avx512vnni,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi,bmi2,popcnt,lzcnt"))), \
    apply_to = function)
#define SK_VNNI
#define SK_BYTE_PRODUCTS(sums, weights, x) \
  _mm512_dpbusd_epi32((__m512i)(sums), (__m512i)(weights), (__m512i)(x))
#include "bodies/int8_gemm.h"
#pragma clang attribute pop

extern const sk_kernels sk_table_avx512vnni;
const sk_kernels sk_table_avx512vnni = {
  .name = "avx512vnni",
  .gemm_i8 = gemm_i8_vnni,
#include "bodies/entries.h"
};
#else
typedef int sk_no_avx512;  // ISO C wants a declaration in every file
#endif
