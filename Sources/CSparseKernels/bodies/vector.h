// Dot products, scaled additions and column sums. A dot product keeps four vectors of partial sums, enough
// to hide the latency of an addition; vector v goes to partial sum v mod 4.

inlined float dot_typed(sk_type type, intptr_t n, const unsigned char *x, const float *y) {
  vf sums[4] = {splat(0), splat(0), splat(0), splat(0)};
  intptr_t i = 0;
  for (; i + 4 * SK_LANES <= n; i += 4 * SK_LANES)
    for (int k = 0; k < 4; k++)
      sums[k] = load_stored(type, x, i + k * SK_LANES) * load_f(y + i + k * SK_LANES) + sums[k];
  for (; i + SK_LANES <= n; i += SK_LANES)
    sums[0] = load_stored(type, x, i) * load_f(y + i) + sums[0];
  if (i < n) sums[0] = load_stored_part(type, x, i, n - i) * load_part(y + i, n - i) + sums[0];
  return lane_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

static float dot_stored(sk_type type, intptr_t n, const void *x, const float *y) {
#define body(t) return dot_typed(t, n, x, y)
  for_each_type(type, body)
#undef body
  return 0;
}

static float dot(intptr_t n, const float *x, const float *y) {
  return dot_typed(sk_f32, n, (const unsigned char *)x, y);
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

// Columns in strips of 4 vectors, whose sums stay in registers while all rows pass by.
static void sum_squares(intptr_t rows, intptr_t columns, const float *x, intptr_t stride, double *sums) {
  intptr_t j = 0;
  for (; j + 4 * SK_LANES <= columns; j += 4 * SK_LANES) {
    vd strip[4];
    for (int k = 0; k < 4; k++) strip[k] = load_d(sums + j + k * SK_LANES);
    for (intptr_t i = 0; i < rows; i++)
      for (int k = 0; k < 4; k++) {
        vd value = __builtin_convertvector(load_f(x + i * stride + j + k * SK_LANES), vd);
        strip[k] = value * value + strip[k];  // the product of two float32 is exact in float64
      }
    for (int k = 0; k < 4; k++) store_d(sums + j + k * SK_LANES, strip[k]);
  }
  for (intptr_t i = 0; i < rows; i++)
    for (intptr_t c = j; c < columns; c++) {
      double value = x[i * stride + c];
      sums[c] = value * value + sums[c];
    }
}
