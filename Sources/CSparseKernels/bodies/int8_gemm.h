// Products of signed bytes, exact in 32 bits. Weights lie four inputs deep in panels, as bytes without a sign
// (128 more than the code), because the fastest instruction multiplies unsigned by signed bytes: a sum is then
// too large by 128 times the sum of its row of activations.
//
// Included once with SK_VNNI, for processors with that instruction, and once for those that multiply 16-bit
// values in pairs. On one core of a Xeon at 2.8 GHz: pairs on AVX2 121 and on AVX-512 175 billion operations a
// second, VNNI 530; float32 products 150.

#define SK_QUAD 4
// Inputs per block: as 16-bit values, those of 8 rows take 16 KB of a first-level cache of 32 or 48 KB.
#define SK_I8_INPUTS 1024

#ifdef SK_VNNI
#define SK_I8(name) name##_vnni
#define SK_I8_VALUE int8_t
#define SK_I8_COLUMNS SK_LANES  // outputs per vector of sums
#else
#define SK_I8(name) name##_pairs
#define SK_I8_VALUE int16_t
#define SK_I8_COLUMNS (SK_LANES / 2)  // outputs per vector of sums, two halves of a sum side by side

// Each pair's a[2i] * b[2i] + a[2i + 1] * b[2i + 1].
inlined vu pair_products(vs a, vs b) {
#ifdef SK_PAIR_PRODUCTS
  return __builtin_bit_cast(vu, SK_PAIR_PRODUCTS(a, b));
#else
  vu x = __builtin_bit_cast(vu, a), y = __builtin_bit_cast(vu, b);
  vi x_low = __builtin_bit_cast(vi, x << 16) >> 16, x_high = __builtin_bit_cast(vi, x) >> 16;
  vi y_low = __builtin_bit_cast(vi, y << 16) >> 16, y_high = __builtin_bit_cast(vi, y) >> 16;
  return __builtin_bit_cast(vu, x_low * y_low + x_high * y_high);
#endif
}
#endif

typedef vector(uint32_t, SK_I8_COLUMNS) SK_I8(columns);

#ifdef SK_VNNI
typedef vu SK_I8(weights);
inlined SK_I8(weights) SK_I8(load_weights)(const uint8_t *p) { return load_u(p); }

inlined vu SK_I8(add_products)(vu sums, SK_I8(weights) weights, const SK_I8_VALUE *x) {
  int32_t quad;
  __builtin_memcpy(&quad, x, sizeof quad);
  return __builtin_bit_cast(vu, SK_BYTE_PRODUCTS(sums, weights, (vi)(quad)));
}

inlined SK_I8(columns) SK_I8(finish)(vu sums) { return sums; }
#else
typedef vs SK_I8(weights);
inlined SK_I8(weights) SK_I8(load_weights)(const uint8_t *p) {
  vector(uint8_t, SK_HALVES) bytes;
  __builtin_memcpy(&bytes, p, SK_HALVES);
  return __builtin_convertvector(bytes, vs);
}

inlined vu SK_I8(add_products)(vu sums, SK_I8(weights) weights, const SK_I8_VALUE *x) {
  uint64_t quad;
  __builtin_memcpy(&quad, x, sizeof quad);
  return sums + pair_products(weights, __builtin_bit_cast(vs, (vq)(quad)));
}

inlined SK_I8(columns) SK_I8(finish)(vu sums) {
  vq halves = __builtin_bit_cast(vq, sums);
  return __builtin_convertvector(halves + (halves >> 32), SK_I8(columns));
}
#endif

#define SK_I8_TILE (SK_TILE_VECTORS * SK_I8_COLUMNS)

// rows × SK_I8_TILE sums over one block of inputs, of which `columns` are stored. `starts`: what each row's sums
// start from.
inlined void SK_I8(tile)(const int rows, intptr_t columns, intptr_t quads, const SK_I8_VALUE *x,
                         const uint32_t *starts, const uint8_t *panel, int32_t *out, intptr_t out_stride,
                         int accumulate) {
  vu sums[SK_TILE_ROWS][SK_TILE_VECTORS] = {{(vu)(0)}};
  for (intptr_t q = 0; q < quads; q++) {
    SK_I8(weights) weights[SK_TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < SK_TILE_VECTORS; v++)
      weights[v] = SK_I8(load_weights)(panel + SK_QUAD * (q * SK_PANEL + v * SK_I8_COLUMNS));
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < SK_TILE_VECTORS; v++)
        sums[r][v] = SK_I8(add_products)(sums[r][v], weights[v], x + r * SK_I8_INPUTS + SK_QUAD * q);
  }
  // Whole tiles straight to their place, the last ones through a small array.
  int32_t block[SK_I8_TILE] = {0};
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    int32_t *row = out + r * out_stride, *place = columns == SK_I8_TILE ? row : block;
    if (accumulate && place == block)
      for (intptr_t c = 0; c < columns; c++) block[c] = row[c];
#pragma clang loop unroll(full)
    for (int v = 0; v < SK_TILE_VECTORS; v++) {
      SK_I8(columns) sum = {0};
      if (accumulate) __builtin_memcpy(&sum, place + v * SK_I8_COLUMNS, sizeof sum);
      sum += SK_I8(finish)(sums[r][v]) + starts[r];
      __builtin_memcpy(place + v * SK_I8_COLUMNS, &sum, sizeof sum);
    }
    if (place == block)
      for (intptr_t c = 0; c < columns; c++) row[c] = block[c];
  }
}

// A few rows against all outputs, one block of inputs after another.
inlined void SK_I8(strip)(const int rows, intptr_t outputs, intptr_t quads, const int8_t *x,
                          intptr_t x_stride, const uint8_t *panels, intptr_t panel_stride, int32_t *out,
                          intptr_t out_stride) {
  SK_I8_VALUE values[SK_TILE_ROWS * SK_I8_INPUTS];
  for (intptr_t q = 0; q < quads || q == 0; q += SK_I8_INPUTS / SK_QUAD) {
    intptr_t count = quads - q < SK_I8_INPUTS / SK_QUAD ? quads - q : SK_I8_INPUTS / SK_QUAD;
    uint32_t starts[SK_TILE_ROWS];
    for (int r = 0; r < rows; r++) {
      const int8_t *from = x + r * x_stride + SK_QUAD * q;
      int32_t sum = 0;
      for (intptr_t i = 0; i < SK_QUAD * count; i++) {
        values[r * SK_I8_INPUTS + i] = from[i];
        sum += from[i];
      }
      starts[r] = (uint32_t)sum * (uint32_t)-128;
    }
    for (intptr_t o = 0; o < outputs; o += SK_I8_TILE) {
      const uint8_t *panel =
        panels + o / SK_PANEL * panel_stride + SK_QUAD * (q * SK_PANEL + o % SK_PANEL);
      intptr_t columns = outputs - o < SK_I8_TILE ? outputs - o : SK_I8_TILE;
      SK_I8(tile)(rows, columns, count, values, starts, panel, out + o, out_stride, q > 0);
    }
  }
}

static void SK_I8(gemm_i8)(intptr_t tokens, intptr_t outputs, intptr_t quads, const int8_t *x,
                           intptr_t x_stride, const uint8_t *panels, intptr_t panel_stride, int32_t *out,
                           intptr_t out_stride) {
  intptr_t t = 0;
#define strips_of(rows)                                                                           \
  for (; t + rows <= tokens; t += rows)                                                           \
    SK_I8(strip)(rows, outputs, quads, x + t * x_stride, x_stride, panels, panel_stride,          \
                 out + t * out_stride, out_stride);
  strips_of(SK_TILE_ROWS)
  strips_of(4)
  strips_of(2)
  strips_of(1)
#undef strips_of
}

#undef SK_QUAD
#undef SK_I8_INPUTS
#undef SK_I8
#undef SK_I8_VALUE
#undef SK_I8_COLUMNS
#undef SK_I8_TILE
