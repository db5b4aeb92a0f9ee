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
#define SK_DOT_ROWS 4  // 4 × 4 sums, as many values and a vector of activations
#define SK_WIDEN_F16(halves) (vf)_mm512_cvtph_ps((__m256i)(halves))
#define SK_WIDEN_HALF_F16(p) _mm512_zextps256_ps512(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p))))
#define SK_EXPAND_FLOATS(mask, kept) (vf)_mm512_maskz_expand_ps((__mmask16)(mask), (__m512)(kept))
#define SK_SHUFFLE_BYTES(bytes, places) _mm_shuffle_epi8((__m128i)(bytes), (__m128i)(places))
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
#include "bodies/int8_rows.h"
#pragma clang attribute pop

extern const sk_kernels sk_table_avx512vnni;
const sk_kernels sk_table_avx512vnni = {
  .name = "avx512vnni",
  .gemm_i8 = gemm_i8_vnni,
  .multiply_rows_i8 = multiply_i8_rows_vnni,
  .expand24 = expand24_by_places,
#include "bodies/entries.h"
};

// And but for 2:4 rows, which some of those processors spread by their masks.
#pragma clang attribute push( \
    __attribute__((target("avx512vbmi2,avx512vnni,avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi,bmi2,popcnt,lzcnt"))), \
    apply_to = function)
#define SK_WHOLE(half) _mm512_zextsi256_si512((__m256i)(half))
#define SK_EXPAND_BYTES(mask, kept) _mm512_maskz_expand_epi8((__mmask64)(mask), SK_WHOLE(kept))
#define SK_EXPAND_HALVES(mask, kept) _mm512_maskz_expand_epi16((__mmask32)(mask), SK_WHOLE(kept))
#define SK_EXPAND_WORDS(mask, kept) _mm512_maskz_expand_epi32((__mmask16)(mask), SK_WHOLE(kept))
#include "bodies/expand24.h"
#include "bodies/int8_rows.h"
#pragma clang attribute pop

extern const sk_kernels sk_table_avx512vbmi2;
const sk_kernels sk_table_avx512vbmi2 = {
  .name = "avx512vbmi2",
  .gemm_i8 = gemm_i8_vnni,
  .multiply_rows_i8 = multiply_i8_rows_by_mask,
  .expand24 = expand24_by_mask,
#include "bodies/entries.h"
};
#else
typedef int sk_no_avx512;  // ISO C wants a declaration in every file
#endif
