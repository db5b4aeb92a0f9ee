#if defined(__x86_64__)
#include "CSparseKernels.h"
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi,bmi2,popcnt,lzcnt"))), \
    apply_to = function)
#define SK_NAME "avx512"
#define SK_TABLE sk_table_avx512
#define SK_LANES 16
#define SK_TILE_ROWS 8  // 8 × 3 sums, 3 panel vectors and broadcasts in 32 registers
#define SK_TILE_VECTORS 3
#include "bodies/table.h"
#pragma clang attribute pop
#else
typedef int sk_no_avx512;  // ISO C wants a declaration in every file
#endif
