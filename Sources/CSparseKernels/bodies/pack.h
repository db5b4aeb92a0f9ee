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

// The words of four signed bytes in 16 columns of four rows are transposed as floats are; of the four words of a row,
// `quads` go to the panel. A byte with its highest bit flipped is 128 more, without a sign.
inlined void transpose_codes(const int8_t *from, intptr_t stride, uint8_t *panel, intptr_t quads) {
  float words[4][4], columns[4][4];
  for (int r = 0; r < 4; r++) {
    vector(uint8_t, 16) codes;
    __builtin_memcpy(&codes, from + r * stride, sizeof codes);
    codes ^= 0x80;
    __builtin_memcpy(words[r], &codes, sizeof codes);
  }
  transpose_quads(words[0], 4, columns[0], 4);
  for (intptr_t q = 0; q < quads; q++) __builtin_memcpy(panel + q * 4 * SK_PANEL, columns[q], 16);
}

// A cache line of each row at a time. What is missing becomes the code 0.
static void pack_i8(intptr_t outputs, intptr_t inputs, const int8_t *weight, intptr_t stride, uint8_t *panels,
                    intptr_t panel_stride) {
  for (intptr_t o = 0; o < outputs; o += SK_PANEL)
    for (intptr_t line = 0; line < inputs; line += 64)
      for (intptr_t r = 0; r < SK_PANEL; r += 4)
        for (intptr_t i = line; i < line + 64 && i < inputs; i += 16) {
          intptr_t rows = outputs - o - r, columns = inputs - i;
          const int8_t *from = weight + (o + r) * stride + i;
          uint8_t *panel = panels + o / SK_PANEL * panel_stride + i * SK_PANEL + 4 * r;
          if (rows >= 4 && columns >= 16) {
            transpose_codes(from, stride, panel, 4);
            continue;
          }
          int8_t block[4 * 16] = {0};
          for (intptr_t k = 0; k < 4 && k < rows; k++)
            copy_bytes(columns < 16 ? columns : 16, from + k * stride, block + 16 * k);
          transpose_codes(block, 16, panel, columns < 16 ? (columns + 3) / 4 : 4);
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
