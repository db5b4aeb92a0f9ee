// Dot products, scaled additions and column sums. A dot product keeps four vectors of partial sums, enough
// to hide the latency of an addition; vector v goes to partial sum v mod 4.

static float dot(intptr_t n, const float *x, const float *y) {
  vf sums[4] = {splat(0), splat(0), splat(0), splat(0)};
  intptr_t i = 0;
  for (; i + 4 * SK_LANES <= n; i += 4 * SK_LANES)
    for (int k = 0; k < 4; k++)
      sums[k] = load_f(x + i + k * SK_LANES) * load_f(y + i + k * SK_LANES) + sums[k];
  for (; i + SK_LANES <= n; i += SK_LANES) sums[0] = load_f(x + i) * load_f(y + i) + sums[0];
  if (i < n) sums[0] = load_part(x + i, n - i) * load_part(y + i, n - i) + sums[0];
  return lane_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

static void axpy(intptr_t n, float a, const float *x, float *y) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) store_f(y + i, splat(a) * load_f(x + i) + load_f(y + i));
  if (i < n) store_part(y + i, splat(a) * load_part(x + i, n - i) + load_part(y + i, n - i), n - i);
}

static void scaled_add(intptr_t n, float a, const float *x, float b, float *y) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES)
    store_f(y + i, splat(a) * load_f(x + i) + splat(b) * load_f(y + i));
  if (i < n) {
    vf sum = splat(a) * load_part(x + i, n - i) + splat(b) * load_part(y + i, n - i);
    store_part(y + i, sum, n - i);
  }
}

// Four rows at a time, so that each sum is read and written once for four of its terms.
static void sum_squares(intptr_t rows, intptr_t columns, const float *x, intptr_t stride, double *sums) {
  for (intptr_t i = 0; i < rows; i += 4) {
    intptr_t count = rows - i < 4 ? rows - i : 4, j = 0;
    const float *row = x + i * stride;
    for (; j + SK_LANES <= columns; j += SK_LANES) {
      vd sum = load_d(sums + j);
      for (intptr_t r = 0; r < count; r++) {
        vd value = __builtin_convertvector(load_f(row + r * stride + j), vd);
        sum = value * value + sum;  // the product of two float32 is exact in float64
      }
      store_d(sums + j, sum);
    }
    for (; j < columns; j++)
      for (intptr_t r = 0; r < count; r++) {
        double value = row[r * stride + j];
        sums[j] = value * value + sums[j];
      }
  }
}

// Row blocks as above; a NaN is larger than nothing.
static void max_magnitudes(intptr_t rows, intptr_t columns, const float *x, intptr_t stride, float *maxima) {
  for (intptr_t i = 0; i < rows; i += 4) {
    intptr_t count = rows - i < 4 ? rows - i : 4, j = 0;
    const float *row = x + i * stride;
    for (; j + SK_LANES <= columns; j += SK_LANES) {
      vf most = load_f(maxima + j);
      for (intptr_t r = 0; r < count; r++)
        most = larger(__builtin_elementwise_abs(load_f(row + r * stride + j)), most);
      store_f(maxima + j, most);
    }
    for (; j < columns; j++)
      for (intptr_t r = 0; r < count; r++) {
        float value = __builtin_elementwise_abs(row[r * stride + j]);
        maxima[j] = value > maxima[j] ? value : maxima[j];
      }
  }
}
