// Causal attention. Scores of a block of queries against the keys they see, a softmax row by row, and the
// product with the values: both products are the GEMM above, so a row's result is made of chains in key
// order that do not depend on the other rows of the block.

static void attend(intptr_t rows, intptr_t visible, intptr_t width, const float *queries,
                   intptr_t query_stride, const float *keys, const float *values,
                   intptr_t value_panel_stride, float scale, float *scratch, float *out,
                   intptr_t out_stride) {
  if (rows == 0) return;
  intptr_t count = visible + rows - 1;
  intptr_t stride = (count + SK_PANEL - 1) / SK_PANEL * SK_PANEL;
  float totals[SK_QUERY_BLOCK];
  gemm(rows, count, width, queries, query_stride, keys, width * SK_PANEL, scratch, stride, 0);
  for (intptr_t r = 0; r < rows; r++) {
    float *scores = scratch + r * stride;
    intptr_t seen = visible + r;
    totals[r] = exp_and_sum(seen, scores, array_max(seen, scores), scale);
    for (intptr_t i = seen; i < count; i++) scores[i] = 0;
  }
  gemm(rows, width, count, scratch, stride, values, value_panel_stride, out, out_stride, 0);
  for (intptr_t r = 0; r < rows; r++)
    for (intptr_t i = 0; i < width; i++) out[r * out_stride + i] /= totals[r];
}

// scores[i] = query . keys[i], four keys at a time: their sums hide each other's latency.
inlined void dot_rows(intptr_t count, const float *query, const float *keys, intptr_t stride,
                      intptr_t width, float *scores) {
  intptr_t i = 0;
  for (; i + 4 <= count; i += 4) {
    vf sums[4] = {splat(0), splat(0), splat(0), splat(0)};
    const float *row = keys + i * stride;
    intptr_t j = 0;
    for (; j + SK_LANES <= width; j += SK_LANES)
      for (int k = 0; k < 4; k++) sums[k] = load_f(query + j) * load_f(row + k * stride + j) + sums[k];
    if (j < width)
      for (int k = 0; k < 4; k++)
        sums[k] = load_part(query + j, width - j) * load_part(row + k * stride + j, width - j) + sums[k];
    for (int k = 0; k < 4; k++) scores[i + k] = lane_sum(sums[k]);
  }
  for (; i < count; i++) scores[i] = dot(width, query, keys + i * stride);
}

// sum over i of weights[i] * rows[i][0 ..< 4 vectors] added to out.
inlined void weighted_rows(intptr_t count, const float *weights, const float *rows, intptr_t stride,
                           intptr_t width, float *out) {
  intptr_t j = 0;
  for (; j + 4 * SK_LANES <= width; j += 4 * SK_LANES) {
    vf sums[4];
    for (int k = 0; k < 4; k++) sums[k] = load_f(out + j + k * SK_LANES);
    for (intptr_t i = 0; i < count; i++)
      for (int k = 0; k < 4; k++)
        sums[k] = splat(weights[i]) * load_f(rows + i * stride + j + k * SK_LANES) + sums[k];
    for (int k = 0; k < 4; k++) store_f(out + j + k * SK_LANES, sums[k]);
  }
  for (; j + SK_LANES <= width; j += SK_LANES) {
    vf sum = load_f(out + j);
    for (intptr_t i = 0; i < count; i++) sum = splat(weights[i]) * load_f(rows + i * stride + j) + sum;
    store_f(out + j, sum);
  }
  for (; j < width; j++)
    for (intptr_t i = 0; i < count; i++) out[j] = weights[i] * rows[i * stride + j] + out[j];
}

// Rows that the heads take turns on while they are in the first-level cache: 32 of 128 floats take 16 KB.
#define SK_CACHED_ROWS 32

static void attend_one(intptr_t heads, intptr_t width, intptr_t count, const float *queries,
                       const float *keys, intptr_t key_stride, const float *values,
                       intptr_t value_stride, float scale, float *scratch, float *out) {
  for (intptr_t i = 0; i < count; i += SK_CACHED_ROWS) {
    intptr_t rows = count - i < SK_CACHED_ROWS ? count - i : SK_CACHED_ROWS;
    for (intptr_t h = 0; h < heads; h++)
      dot_rows(rows, queries + h * width, keys + i * key_stride, key_stride, width,
               scratch + h * count + i);
  }
  for (intptr_t h = 0; h < heads; h++) {
    float *scores = scratch + h * count;
    float total = exp_and_sum(count, scores, array_max(count, scores), scale);
    for (intptr_t i = 0; i < count; i++) scores[i] /= total;
    for (intptr_t j = 0; j < width; j++) out[h * width + j] = 0;
  }
  for (intptr_t i = 0; i < count; i += SK_CACHED_ROWS) {
    intptr_t rows = count - i < SK_CACHED_ROWS ? count - i : SK_CACHED_ROWS;
    for (intptr_t h = 0; h < heads; h++)
      weighted_rows(rows, scratch + h * count + i, values + i * value_stride, value_stride, width,
                    out + h * width);
  }
}
