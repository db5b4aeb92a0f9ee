// 64-bit Arm. Every such processor has these instructions; the wider tile uses its 32 registers.
#if defined(__aarch64__)
#define SK_NAME "neon"
#define SK_TABLE sk_table_neon
#define SK_LANES 4
#define SK_TILE_ROWS 8  // 8 × 3 sums, 3 panel vectors and broadcasts in 32 registers
#define SK_TILE_VECTORS 3
#include "bodies/table.h"
#else
typedef int sk_no_neon;  // ISO C wants a declaration in every file
#endif
