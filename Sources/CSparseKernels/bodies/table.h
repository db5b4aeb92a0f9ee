// All bodies, compiled once for the instruction set whose file includes this, and the table of them.
#include "types.h"
#include "convert.h"
#include "vector.h"
#include "int8.h"
#include "gemm.h"
#include "pack.h"
#include "bits.h"
#include "select24.h"
#include "mask24.h"
#include "check24.h"
#include "decoder.h"
#include "attention.h"
#include "solve.h"
#include "descend.h"
#include "admm.h"
#include "permute.h"
#include "peak.h"

extern const sk_kernels SK_TABLE;
const sk_kernels SK_TABLE = {
  .name = SK_NAME,
  .to_float = to_float,
  .from_float = from_float,
  .dot = dot,
  .dot_stored = dot_stored,
  .axpy = axpy,
  .scaled_add = scaled_add,
  .sum_squares = sum_squares,
  .max_abs = max_abs,
  .quantize = quantize,
  .dequantize = dequantize,
  .max_magnitudes = max_magnitudes,
  .pack = pack,
  .pack_columns = pack_columns,
  .gemm = gemm,
  .rank_update = rank_update,
  .select_scores = select_scores,
  .select_stored = select_stored,
  .apply_mask = apply_mask,
  .magnitude = magnitude,
  .check24 = check24,
  .patterns24 = patterns24,
  .count_not_finite = count_not_finite,
  .rms_norm = rms_norm,
  .silu_multiply = silu_multiply,
  .exp = exp_array,
  .softmax = softmax,
  .log_sum_exp = log_sum_exp,
  .rotate = rotate,
  .attend = attend,
  .attend_one = attend_one,
  .factor_tile = factor_tile,
  .prune_tile = prune_tile,
  .descend_tile = descend_tile,
  .admm_target = admm_target,
  .admm_project = admm_project,
  .median3 = median3,
  .two_largest = two_largest,
  .add_maxima = add_maxima,
  .relax_row = relax_row,
  .fma_peak = fma_peak,
  .read_words = read_words,
};
