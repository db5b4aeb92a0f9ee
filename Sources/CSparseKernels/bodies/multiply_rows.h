// Dot products of rows of float32 activations with the rows of a weight as it is stored, in the order of `dot`: four
// vectors of partial sums, vector v of a row in partial sum v mod 4, and those that do not fill another round of four
// in the first. A weight that is not kept adds 0 times its activation, so that the sums of a 2:4 weight are those of
// the dense one, bit for bit.
//
// Why several rows of a weight go together is said in rows.h.

#ifdef SK_EXPAND_FLOATS
#define SK_SPREADS 1
#else
#define SK_SPREADS 0
#endif

// A stretch of a row: all values or, where vectors of them can be spread, the kept half and the mask.
typedef struct {
  const unsigned char *values;
  const uint8_t *mask;
} row_stretch;

// The processor's own conversion gives the same numbers, but may give a NaN other bits.
inlined vf load_factor(sk_type type, const unsigned char *p, intptr_t index) {
#ifdef SK_WIDEN_F16
  if (type == sk_f16) return SK_WIDEN_F16(load_h(p + 2 * index));
#endif
  return load_stored(type, p, index);
}

inlined vf load_row(sk_type type, const int is_spread, row_stretch row, intptr_t i) {
#if SK_SPREADS
  if (is_spread) {
    const unsigned char *values = row.values + i / 2 * size_of(type);
    uint16_t bits;
    __builtin_memcpy(&bits, row.mask + i / 8, sizeof bits);
    if (type == sk_f16) return SK_EXPAND_FLOATS(bits, SK_WIDEN_HALF_F16(values));
    unsigned char half[4 * SK_LANES] = {0};
    __builtin_memcpy(half, values, (unsigned long)(SK_LANES / 2 * size_of(type)));
    return SK_EXPAND_FLOATS(bits, load_stored(type, half, 0));
  }
#endif
  return load_factor(type, row.values, i);
}

// The first n < SK_LANES values, the rest 0.
inlined vf load_row_part(sk_type type, const int is_spread, row_stretch row, intptr_t i, intptr_t n) {
  const intptr_t part = is_spread ? 2 : 1;
  unsigned char values[4 * SK_LANES] = {0};
  uint8_t mask[2] = {0};
  copy_bytes(n / part * size_of(type), row.values + i / part * size_of(type), values);
  if (is_spread) copy_bytes((n + 7) / 8, row.mask + i / 8, mask);
  return load_row(type, is_spread, (row_stretch){values, mask}, 0);
}

// Adds one vector of each row, of n values or all, to partial sum k.
inlined void add_vectors(sk_type type, const int is_spread, const int tokens, const int rows, const int k, intptr_t i,
                         intptr_t n, const float *x, intptr_t x_stride, const row_stretch *weight,
                         vf (*sums)[4][4]) {
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    vf values = n < SK_LANES ? load_row_part(type, is_spread, weight[r], i, n)
                             : load_row(type, is_spread, weight[r], i);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      const float *from = x + t * x_stride + i;
      sums[t][r][k] = values * (n < SK_LANES ? load_part(from, n) : load_f(from)) + sums[t][r][k];
    }
  }
}

inlined void add_stretch(sk_type type, const int is_spread, const int tokens, const int rows, intptr_t n,
                         const float *x, intptr_t x_stride, const row_stretch *weight, vf (*sums)[4][4]) {
  intptr_t i = 0;
  for (; i + 4 * SK_LANES <= n; i += 4 * SK_LANES)
#pragma clang loop unroll(full)
    for (int k = 0; k < 4; k++)
      add_vectors(type, is_spread, tokens, rows, k, i + k * SK_LANES, SK_LANES, x, x_stride, weight, sums);
  for (; i + SK_LANES <= n; i += SK_LANES)
    add_vectors(type, is_spread, tokens, rows, 0, i, SK_LANES, x, x_stride, weight, sums);
  if (i < n) add_vectors(type, is_spread, tokens, rows, 0, i, n - i, x, x_stride, weight, sums);
}

// Some rows of activations with all rows of a weight, which are cut into as many blocks as rows go together.
inlined void row_strip(sk_type type, const int is_spread, const int tokens, const int rows, intptr_t outputs,
                       intptr_t columns, const float *x, intptr_t x_stride, const sk_rows *weight, float *out,
                       intptr_t out_stride) {
  intptr_t block = (outputs + rows - 1) / rows;
  for (intptr_t o = 0; o < block; o++) {
    vf sums[2][4][4] = {{{splat(0)}}};
    for (intptr_t i = 0; i < columns; i += SK_STRETCH) {
      intptr_t n = columns - i < SK_STRETCH ? columns - i : SK_STRETCH;
      unsigned char space[4][4 * SK_STRETCH];
      row_stretch stretches[4];
      for (int r = 0; r < rows; r++) {
        intptr_t row = row_of(o + r * block, outputs);
        if (is_spread)
          stretches[r] = (row_stretch){stretch_start(size_of(type), weight, row, i, n),
                                       weight->mask + row * weight->mask_bytes + i / 8};
        else
          stretches[r].values = stretch_by_places(size_of(type), weight, row, i, n, space[r]);
      }
      add_stretch(type, is_spread, tokens, rows, n, x + i, x_stride, stretches, sums);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) {
        const vf *sum = sums[t][r];
        out[t * out_stride + row_of(o + r * block, outputs)] = lane_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
      }
  }
}

inlined void multiply_typed(sk_type type, const int is_spread, intptr_t tokens, intptr_t outputs, intptr_t columns,
                            const float *x, intptr_t x_stride, const sk_rows *weight, float *out,
                            intptr_t out_stride) {
  intptr_t t = 0;
  for (; t + 2 <= tokens; t += 2)
    row_strip(type, is_spread, 2, SK_DOT_ROWS / 2, outputs, columns, x + t * x_stride, x_stride, weight,
              out + t * out_stride, out_stride);
  if (t < tokens)
    row_strip(type, is_spread, 1, SK_DOT_ROWS, outputs, columns, x + t * x_stride, x_stride, weight,
              out + t * out_stride, out_stride);
}

static void multiply_rows(sk_type type, intptr_t tokens, intptr_t outputs, intptr_t columns, const float *x,
                          intptr_t x_stride, const sk_rows *weight, float *out, intptr_t out_stride) {
  const int is_spread = SK_SPREADS && weight->mask;
#define spread_body(t) multiply_typed(t, SK_SPREADS, tokens, outputs, columns, x, x_stride, weight, out, out_stride)
#define body(t) multiply_typed(t, 0, tokens, outputs, columns, x, x_stride, weight, out, out_stride)
  if (is_spread) for_each_type(type, spread_body) else for_each_type(type, body)
#undef body
#undef spread_body
}
