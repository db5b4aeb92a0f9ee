// All bodies, compiled once for the instruction set whose file includes this, and the table of them.
#include "types.h"
#include "convert.h"
#include "vector.h"
#include "rows.h"
#include "expand24.h"
#include "multiply_rows.h"
#include "int8.h"
#include "gemm.h"
#include "int8_gemm.h"
#include "int8_rows.h"
#include "pack.h"
#include "bits.h"
#include "select24.h"
#include "mask24.h"
#include "check24.h"
#include "compress24.h"
#include "decoder.h"
#include "attention.h"
#include "backward.h"
#include "solve.h"
#include "descend.h"
#include "admm.h"
#include "permute.h"
#include "optimize.h"
#include "peak.h"

extern const sk_kernels SK_TABLE;
const sk_kernels SK_TABLE = {
  .name = SK_NAME,
  .gemm_i8 = gemm_i8_pairs,
  .multiply_rows_i8 = multiply_i8_rows_pairs,
  .expand24 = expand24_by_places,
#include "entries.h"
};
