// Weights to panels. 64 inputs of the panel's 48 rows are converted into an array that stays in the
// first-level cache, then transposed four by four.

typedef vector(float, 4) quad;

inlined void transpose_quads(const float *from, intptr_t from_stride, float *to, intptr_t to_stride) {
  quad a, b, c, d;
  __builtin_memcpy(&a, from, 16);
  __builtin_memcpy(&b, from + from_stride, 16);
  __builtin_memcpy(&c, from + 2 * from_stride, 16);
  __builtin_memcpy(&d, from + 3 * from_stride, 16);
  quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  quad rows[4] = {
    __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
    __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (int i = 0; i < 4; i++) __builtin_memcpy(to + i * to_stride, &rows[i], 16);
}

#define SK_PACK_INPUTS 64

static void pack(sk_type type, intptr_t outputs, intptr_t inputs, const void *weight, intptr_t row_bytes,
                 float *panels) {
  float block[SK_PANEL][SK_PACK_INPUTS];
  const unsigned char *bytes = weight;
  for (intptr_t o = 0; o < outputs; o += SK_PANEL) {
    intptr_t rows = outputs - o < SK_PANEL ? outputs - o : SK_PANEL;
    for (intptr_t r = rows; r < SK_PANEL; r++)
      for (intptr_t i = 0; i < SK_PACK_INPUTS; i++) block[r][i] = 0;
    float *panel = panels + o * inputs;
    for (intptr_t i = 0; i < inputs; i += SK_PACK_INPUTS) {
      intptr_t count = inputs - i < SK_PACK_INPUTS ? inputs - i : SK_PACK_INPUTS;
      for (intptr_t r = 0; r < rows; r++)
        to_float(type, count, bytes + (o + r) * row_bytes + i * size_of(type), block[r]);
      intptr_t k = 0;
      for (; k + 4 <= count; k += 4)
        for (intptr_t r = 0; r < SK_PANEL; r += 4)
          transpose_quads(&block[r][k], SK_PACK_INPUTS, panel + (i + k) * SK_PANEL + r, SK_PANEL);
      for (; k < count; k++)
        for (intptr_t r = 0; r < SK_PANEL; r++) panel[(i + k) * SK_PANEL + r] = block[r][k];
    }
  }
}

static void pack_columns(intptr_t rows, intptr_t columns, const float *x, intptr_t stride, float *panels,
                         intptr_t panel_stride) {
  for (intptr_t c = 0; c < columns; c += SK_PANEL) {
    float *panel = panels + c / SK_PANEL * panel_stride;
    intptr_t count = columns - c < SK_PANEL ? columns - c : SK_PANEL;
    for (intptr_t r = 0; r < rows; r++) {
      const float *from = x + r * stride + c;
      float *to = panel + r * SK_PANEL;
      if (count == SK_PANEL) {
        for (int k = 0; k < SK_PANEL; k += SK_LANES) store_f(to + k, load_f(from + k));
      } else {
        for (intptr_t k = 0; k < SK_PANEL; k++) to[k] = k < count ? from[k] : 0;
      }
    }
  }
}
