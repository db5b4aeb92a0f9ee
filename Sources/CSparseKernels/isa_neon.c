// 64-bit Arm. Every such processor has these instructions; the wider tile uses its 32 registers.
#if defined(__aarch64__)
#include <arm_neon.h>
#define SK_NAME "neon"
#define SK_TABLE sk_table_neon
#define SK_LANES 4
#define SK_TILE_ROWS 8  // 8 × 3 sums, 3 panel vectors and broadcasts in 32 registers
#define SK_TILE_VECTORS 3
#define SK_DOT_ROWS 4  // 4 × 4 sums, as many values and a vector of activations
#define SK_SHUFFLE_BYTES(bytes, places) vqtbl1q_u8((uint8x16_t)(bytes), (uint8x16_t)(places))
#include "bodies/table.h"
#else
typedef int sk_no_neon;  // ISO C wants a declaration in every file
#endif
