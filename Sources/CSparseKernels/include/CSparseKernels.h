// The whole C surface of the package: one table of function pointers per instruction set, and one lookup.
//
// Contracts that hold for every function unless it says otherwise:
//   - sizes are in elements, strides in elements from one row's start to the next, and any size may be 0;
//   - pointers need only the alignment of one byte where they are `void *`, else that of their element;
//   - inputs and outputs do not overlap, but an output may be exactly the same array as an input where
//     the function is said to work in place;
//   - nothing is allocated, nothing is kept between calls, and every function may run on many threads.
#ifndef CSPARSEKERNELS_H
#define CSPARSEKERNELS_H

#include <stdint.h>

#pragma clang assume_nonnull begin

// Outputs per weight panel: three vectors of 16, and a multiple of every register tile.
#define SK_PANEL 48

// How stored values are encoded, little endian.
typedef enum sk_type : int32_t { sk_f32 = 0, sk_f16 = 1, sk_bf16 = 2, sk_i8 = 3 } sk_type;

// What `check24` counts. A zero is +0.0 or -0.0.
typedef struct sk_counts {
  int64_t over_two;        // groups of four with more than two values that are not zero
  int64_t not_finite;      // groups with at most two such values and a NaN or an infinity among them
  int64_t zeros;           // values that are +0.0 or -0.0
  int64_t negative_zeros;  // values that are -0.0
} sk_counts;

// The rows of a weight as they are stored: all values or, of a 2:4 weight, the kept half of them and a mask with two
// bits in every four. Each row begins on a byte of its own; columns of a 2:4 weight are a multiple of 4.
typedef struct sk_rows {
  const void *values;
  intptr_t value_bytes;           // from one row's values to the next
  const uint8_t *_Nullable mask;  // NULL for all values
  intptr_t mask_bytes;            // from one row's mask to the next
} sk_rows;

// What is the same for all weights in a step of AdamW.
typedef struct sk_adamw {
  float weight_keep;      // 1 - learning rate * weight decay
  float first_share;      // 1 - beta1
  float second_keep;      // beta2
  float second_share;     // 1 - beta2
  float root_correction;  // sqrt(1 - beta2^t)
  float epsilon;
  float step_size;        // learning rate / (1 - beta1^t)
} sk_adamw;

// What is the same for all weights in a step of gradient descent.
typedef struct sk_sgd {
  float weight_keep;  // 1 - learning rate * weight decay
  float momentum;
  float rate;
  int32_t nesterov;
} sk_sgd;

typedef struct sk_kernels {
  const char *name;

  // Stored values to float32 and back. To f16 and bf16 they round to nearest, ties to even, overflow to
  // infinity; a NaN stays a NaN. f32 is copied. `from_float` does not take i8.
  void (*to_float)(sk_type type, intptr_t n, const void *from, float *to);
  void (*from_float)(sk_type type, intptr_t n, const float *from, void *to);

  // Sum of x[i] * y[i], in an order that depends on n alone.
  float (*dot)(intptr_t n, const float *x, const float *y);
  // y[i] += a * x[i]
  void (*axpy)(intptr_t n, float a, const float *x, float *y);
  // y[i] = a * x[i] + b * y[i]
  void (*scaled_add)(intptr_t n, float a, const float *x, float b, float *y);
  // sums[j] += x[i][j]^2 in float64, row after row: splitting the rows into calls changes no bit.
  void (*sum_squares)(intptr_t rows, intptr_t columns, const float *x, intptr_t stride, double *sums);
  // maxima[j] = max(maxima[j], |x[i][j]|) over all rows; a NaN changes nothing.
  void (*max_magnitudes)(intptr_t rows, intptr_t columns, const float *x, intptr_t stride, float *maxima);

  // The largest |x[i]|, 0 of none; a NaN where there is one.
  float (*max_abs)(intptr_t n, const float *x);
  // out[i] = x[i] / scale rounded to the nearest whole number, ties to even, and clamped to -127...127.
  // A NaN becomes -127.
  void (*quantize)(intptr_t n, const float *x, float scale, int8_t *out);
  // out[i] = x[i] * scale
  void (*dequantize)(intptr_t n, const int8_t *x, float scale, float *out);
  // Weight rows of signed bytes to panels [ceil(inputs / 4)][48][4], `panel_stride` bytes apart, padded with the
  // code 0. Bytes of panels are 128 more than the codes.
  void (*pack_i8)(intptr_t outputs, intptr_t inputs, const int8_t *weight, intptr_t stride, uint8_t *panels,
                  intptr_t panel_stride);
  // out[t][o] = sum over i < 4 * quads of x[t][i] * code (i, o), in 32 bits: exact for up to 131,072 inputs, and
  // the same on every instruction set.
  void (*gemm_i8)(intptr_t tokens, intptr_t outputs, intptr_t quads, const int8_t *x, intptr_t x_stride,
                  const uint8_t *panels, intptr_t panel_stride, int32_t *out, intptr_t out_stride);
  // out[i] = (accumulate ? out[i] : 0) + factor * (scales[i] * sums[i])
  void (*scale_sums)(intptr_t n, const int32_t *sums, float factor, const float *scales, int accumulate,
                     float *out);

  // Weight rows to panels [ceil(outputs / 48)][inputs][48], float32; the last panel is padded with zeros.
  // `row_bytes` is the distance between the starts of two rows of `weight`. `panels`: 64-byte aligned.
  void (*pack)(sk_type type, intptr_t outputs, intptr_t inputs, const void *weight,
               intptr_t row_bytes, float *panels);
  // Columns of a row-major matrix to panels [ceil(columns / 48)][rows][48], padded likewise.
  // Panel p starts at panels + p * panel_stride.
  void (*pack_columns)(intptr_t rows, intptr_t columns, const float *x, intptr_t stride,
                       float *panels, intptr_t panel_stride);
  // out[t][o] = (accumulate ? out[t][o] : 0) + sum over i of x[t][i] * panel value (i, o).
  // Every output is one chain of multiply-adds over i = 0, 1, 2, ... that starts from its first value, so
  // its bits do not depend on where tiles, blocks, threads or calls cut the work.
  void (*gemm)(intptr_t tokens, intptr_t outputs, intptr_t inputs, const float *x, intptr_t x_stride,
               const float *panels, intptr_t panel_stride, float *out, intptr_t out_stride,
               int accumulate);
  // tile[i][j] += sum over t of a[t][i] * b[t][j], for two panels [tokens][48] and a tile [48][48].
  // One chain over t from the tile's first value, as in gemm. On the diagonal, where a and b are the same
  // panel, only values with j <= i are promised.
  void (*rank_update)(intptr_t tokens, const float *a, const float *b, float *tile, int diagonal);

  // out[t][o] = sum over i < columns of x[t][i] * weight value (o, i), in the order of `dot`: the bits of an output
  // depend on its two rows of numbers alone, and are those of the dense weight where the weight is 2:4.
  void (*multiply_rows)(sk_type type, intptr_t tokens, intptr_t outputs, intptr_t columns, const float *x,
                   intptr_t x_stride, const sk_rows *weight, float *out, intptr_t out_stride);
  // The same from signed bytes, in 32 bits: exact for up to 131,072 columns.
  void (*multiply_rows_i8)(intptr_t tokens, intptr_t outputs, intptr_t columns, const int8_t *x, intptr_t x_stride,
                      const sk_rows *weight, int32_t *out, intptr_t out_stride);

  // 2:4 selection. Of each four scores the two largest are kept; equal ones keep the lower index; a NaN
  // counts as larger than all or smaller than all. n is a multiple of 4. Bit i of `mask` (least significant
  // first, 8 to a byte) is set where value i is kept; unused bits of the last byte are 0.
  void (*select_scores)(intptr_t n, const float *scores, uint8_t *mask);
  // The same from stored values, scored |w[i] * norms[i]| in float32, or |w[i]| where norms is NULL.
  void (*select_stored)(sk_type type, intptr_t n, const void *weight, const float *_Nullable norms,
                        uint8_t *mask);
  // out = weight with +0.0 where the mask bit is 0; what is kept is copied bit for bit. May work in place.
  // `bytes` per value: 1, 2 or 4.
  void (*apply_mask)(int bytes, intptr_t n, const void *weight, const uint8_t *mask, void *out);
  // Select by |w| and apply, in one pass; the mask is written where it is not NULL. May work in place.
  void (*magnitude)(sk_type type, intptr_t n, const void *weight, void *out, uint8_t *_Nullable mask);

  // Adds what it finds in n stored values to `counts`. n is a multiple of 4.
  void (*check24)(sk_type type, intptr_t n, const void *values, sk_counts *counts);
  // Adds to patterns[0...5] the groups with exactly two values that are not zero, by the positions of
  // these two: 01, 02, 12, 03, 13, 23 (the order of the nibbles 3, 5, 6, 9, 10, 12). n: a multiple of 4.
  void (*patterns24)(sk_type type, intptr_t n, const void *values, int64_t *patterns);
  // How many of n stored values are NaN or infinite.
  int64_t (*count_not_finite)(sk_type type, intptr_t n, const void *values);
  // n stored values (a multiple of 4) that are 2:4 to the n / 2 kept ones and their mask. `filler`: for each
  // nibble of non-zeros the nibble of two places that are kept. A kept zero is written as +0.0. Returns the
  // number of groups that are not 2:4: with more than two non-zeros, or a NaN or infinity; then neither output
  // is of use.
  int64_t (*compress24)(sk_type type, intptr_t n, const void *weight, const uint8_t *filler, void *values,
                        uint8_t *mask);
  // The n values back, of `bytes` each (1, 2 or 4), with +0.0 where the mask has no bit. Nothing outside the
  // arrays is touched whatever the mask's bits are.
  void (*expand24)(int bytes, intptr_t n, const void *values, const uint8_t *mask, void *out);

  // Decoder.
  // out[i] = x[i] / sqrt(mean of squares + epsilon) * weight[i], mean in float64. May work in place.
  void (*rms_norm)(intptr_t n, const float *x, const float *weight, float epsilon, float *out);
  // out[i] = gate[i] / (1 + exp(-gate[i])) * up[i]. May work in place on either.
  void (*silu_multiply)(intptr_t n, const float *gate, const float *up, float *out);
  // exp(x[i]) within 2 ulp. May work in place.
  void (*exp)(intptr_t n, const float *x, float *out);
  // x[i] = exp(x[i] - max) / sum, in place.
  void (*softmax)(intptr_t n, float *x);
  // One step of log(sum of exp): *max and *sum (of exp(x - *max), in float64) take in n more values.
  // Start with *max = -infinity, *sum = 0. The value is *max + log(*sum).
  void (*log_sum_exp)(intptr_t n, const float *x, float *max, double *sum);
  // The same for finite x, and *difference takes in sum(exp(x - *max) (x - y)); start with *difference = 0.
  void (*log_sum_exp_difference)(intptr_t n, const float *x, const float *y, float *max, double *sum,
                                 double *difference);
  // Rotary embedding of `heads` heads that lie one after another, in place; the first half of a head turns
  // against its second half: width is even, cosines and sines hold width / 2 values.
  void (*rotate)(intptr_t heads, intptr_t width, const float *cosines, const float *sines, float *x);

  // Causal attention of one head for a block of at most SK_QUERY_BLOCK queries. Query r sees the first
  // `visible + r` keys. keys: `pack` of the key rows [.., width]; values: `pack_columns` of the value rows.
  // scratch: rows * (visible + rows - 1 rounded up to 48) floats. A query's result depends on what it sees
  // alone, as long as all keys and values are finite.
  void (*attend)(intptr_t rows, intptr_t visible, intptr_t width, const float *queries,
                 intptr_t query_stride, const float *keys, const float *values,
                 intptr_t value_panel_stride, float scale, float *scratch, float *out,
                 intptr_t out_stride);
  // One query of each of `heads` heads that share the same `count` keys and values, rows at a stride.
  // Queries and outputs of the heads lie one after another. scratch: heads * count floats.
  void (*attend_one)(intptr_t heads, intptr_t width, intptr_t count, const float *queries,
                     const float *keys, intptr_t key_stride, const float *values,
                     intptr_t value_stride, float scale, float *scratch, float *out);

  // The way back through a decoder.
  // out[i][j] += sum over t of a[t][i] * b[t][j], for i < rows <= 48 and j < columns <= 48: one chain over t from
  // the first value. b is a panel [tokens][48]; rows of a are `a_stride` apart and hold `rows` values rounded up to
  // 8 or more.
  void (*outer_product)(intptr_t tokens, intptr_t rows, intptr_t columns, const float *a, intptr_t a_stride,
                        const float *b, float *out, intptr_t out_stride);
  // Adds to the gradients of x and weight what follows from `gradient`, that of the outputs of rms_norm.
  void (*rms_norm_backward)(intptr_t n, const float *x, const float *weight, float epsilon, const float *gradient,
                            float *x_gradient, float *weight_gradient);
  // Puts into gate and up their own gradients, which follow from that of the outputs of silu_multiply.
  void (*silu_multiply_backward)(intptr_t n, float *gate, float *up, const float *gradient);
  // x[i] = x_factor * exp(x[i] - x_max) - y_factor * exp(y[i] - y_max); without y only the first term.
  void (*softmax_difference)(intptr_t n, float *x, float x_max, float x_factor, const float *_Nullable y,
                             float y_max, float y_factor);
  // The gradients of attend's inputs for the same block of queries, `gradient` being that of its outputs. keys and
  // values: `pack` of their rows; key_columns: `pack_columns` of the key rows. Queries' gradients are written, those
  // of keys and values are added to, rows `key_stride` apart. queries, gradient and query_gradient: `query_stride`.
  // scratch: rows * (2 * (visible + rows - 1 rounded up to 48) + 2 * (width rounded up to 48)) floats.
  void (*attend_backward)(intptr_t rows, intptr_t visible, intptr_t width, const float *queries,
                          const float *gradient, intptr_t query_stride, const float *keys,
                          const float *key_columns, const float *values, intptr_t key_panel_stride, float scale,
                          float *scratch, float *query_gradient, float *key_gradient, float *value_gradient,
                          intptr_t key_stride);

  // Solvers, on 48 x 48 tiles whose rows lie one after another.
  // The factor S of a symmetric A = S^T S, S lower triangular: `tile` holds -A on and below the diagonal, and
  // S, with zeros above the diagonal, afterwards. `inverse` receives minus the inverse of S. Returns 0, or
  // 1 + the row whose pivot is not a positive number; then both hold nothing of use.
  intptr_t (*factor_tile)(float *tile, float *inverse);
  // SparseGPT on `columns` (a multiple of 4, at most 48) columns of 48 rows of weights, which lie column after
  // column: tile[column][row]. `factor`: the upper triangular tile R of the gram's factor. `sums`: for each
  // weight, the sum over all columns before the tile of its row's errors times R. Afterwards `weights` holds the
  // pruned weights, `sums` the errors (old weight minus new), and mask[byte][row] the bits of 8 columns each.
  // With `scales` every kept weight is rounded to the INT8 grid before the next column: the scale of row r and
  // column c is scales[c * scale_step + r].
  void (*prune_tile)(intptr_t columns, const float *factor, float *weights, float *sums, uint8_t *mask,
                     const float *_Nullable scales, intptr_t scale_step);
  // Coordinate descent on tiles of the same form: group after group takes its best pair of weights while all
  // others are held. `gram`: the tile on the diagonal. `weights`: V; `errors`: W - V, changed with it; `sums`:
  // (W - V) times the gram's columns of this tile; `changes` receives old minus new weights. Where `is_fixed`,
  // `mask` says what is kept (at most two of a group), otherwise it receives what is. With `scales`, which needs
  // a fixed mask, new pairs are grid points, taken only where they lower the error.
  void (*descend_tile)(intptr_t columns, const float *gram, float *weights, float *errors, float *sums,
                       float *changes, uint8_t *mask, int is_fixed, const float *_Nullable scales,
                       intptr_t scale_step);
  // ADMM on columns of 48 rows. dual *= dual_factor; target = products + penalty * squares[c] * (kept - dual).
  void (*admm_target)(intptr_t columns, const float *products, const float *kept, float *dual,
                      const float *squares, float penalty, float dual_factor, float *target);
  // kept = of each four of solution + dual the two with the largest square times squares[c]; dual = the rest.
  void (*admm_project)(intptr_t columns, const float *solution, const float *squares, float *kept, float *dual);

  // Channel permutation, on panels of 48 groups of four channels: [rows][48] scores, none negative, of one member
  // of each group. Sums, differences and comparisons only, in a stated order: the same bits from every table.
  // out[i] = the middle one of a[i], b[i] and c[i]. n is a multiple of 48.
  void (*median3)(intptr_t n, const float *a, const float *b, const float *c, float *out);
  // sums[g] += sum over rows of the two largest of the four members of group g; member m's panel starts at
  // members + m * stride. One chain of additions in float64 over the rows.
  void (*two_largest)(intptr_t rows, intptr_t stride, const float *members, double *sums);
  // sums[g][c] (48 x 48) += sum over rows of the larger one of medians[row][g] and candidates[row][c]; the rows of a
  // call are one chain of additions from 0.
  void (*add_maxima)(intptr_t rows, const float *medians, const float *candidates, float *sums);
  // One step of a shortest path search: distances[j] = min(distances[j], costs[j] - prices[j] + base), and where
  // that lowers it, from[j] = row. Columns that are done have a price of -infinity and a distance of +infinity.
  // Returns the index of the least distance, of equal ones the first: at least one is below infinity.
  intptr_t (*relax_row)(intptr_t n, const float *costs, const double *prices, double base, int32_t row,
                        double *distances, int32_t *from);

  // Training. Sums, products, quotients and roots in a stated order, none fused: the same bits from every table.
  // out = the two values of each four of x that the mask keeps, n / 2 of them; n is a multiple of 4.
  void (*keep24)(intptr_t n, const float *x, const uint8_t *mask, float *out);
  // Sum of x[i]^2 in float64: sixteen chains of additions, i modulo 16, added in halves. Finite if all x[i] are.
  double (*square_sum)(intptr_t n, const float *x);
  // x[i] *= factor
  void (*scale)(intptr_t n, float factor, float *x);
  // One step of AdamW; weights and both moments change in place.
  void (*adamw)(intptr_t n, float *weights, const float *gradients, float *first, float *second,
                const sk_adamw *step);
  // One step of gradient descent; weights and velocity change in place. No velocity is one without momentum.
  void (*sgd)(intptr_t n, float *weights, const float *gradients, float *_Nullable velocity, const sk_sgd *step);

  // Benchmark. Runs `steps` rounds of independent multiply-adds that fill the pipelines and returns how
  // many floating-point operations that was; *sink receives a value that depends on them.
  double (*fma_peak)(intptr_t steps, float *sink);
  // Sum of all 8-byte words of n bytes (a multiple of 512): reads memory and does next to nothing else.
  uint64_t (*read_words)(intptr_t n, const void *bytes);
} sk_kernels;

// Queries per call of `attend`: six tiles of 8 rows, whose scores against 2,048 keys take 384 KB of a
// core's second-level cache.
#define SK_QUERY_BLOCK 48

// The tables that this processor can run, slowest first; NULL past the last one.
const sk_kernels *_Nullable sk_available(intptr_t index);

// The value of the environment variable SPARSIFY_KERNEL, or NULL where it is unset or empty.
const char *_Nullable sk_forced_name(void);
// Processors that this process may run on, at least 1.
intptr_t sk_processors(void);

// Gives memory that was freed back to the system; does nothing where the C library has no such call.
void sk_return_freed_memory(void);

// Has the C library keep memory that was freed, of any size, until this is called with 0; does nothing where it has no
// such call. Afterwards large pieces go back to the system as they do by default.
void sk_keep_freed_memory(int keeps);

// Renames `from` to `to` unless something has that name: -1 with EEXIST in errno then, with EINVAL, ENOSYS or ENOTSUP where
// the system or the file system cannot do it in one step.
int sk_rename_new(const char *from, const char *to);

// Exchanges what two names stand for in one step; -1 with the errors of `sk_rename_new`.
int sk_rename_exchange(const char *a, const char *b);

// Whether all processes that can open the file see each other's locks: 1 for known file systems of one machine, 0 for all others.
int sk_has_common_locks(int descriptor);

// XXH64 with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): the same value as `xxhsum -H1`.
uint64_t sk_fingerprint(intptr_t n, const void *bytes);

#pragma clang assume_nonnull end
#endif
