// The baseline: four-lane vectors that the compiler lowers to whatever every processor of the platform has.
#define SK_NAME "scalar"
#define SK_TABLE sk_table_scalar
#define SK_LANES 4
#define SK_TILE_ROWS 6  // 6 × 2 sums, 2 panel vectors and a broadcast in 16 registers
#define SK_TILE_VECTORS 2
#define SK_DOT_ROWS 2
#include "bodies/table.h"
