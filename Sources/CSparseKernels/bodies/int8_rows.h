// Products of rows of signed bytes with the rows of a weight as it is stored, exact in 32 bits: all codes of a row or,
// of a 2:4 weight, a stretch of them at a time that is expanded into an array in the first-level cache.
//
// Included after rows.h for each form of int8_gemm.h and expand24.h.

#if defined(SK_EXPAND_BYTES)
#define SK_DOT(name) name##_rows_by_mask
#define SK_STRETCH_OF stretch_by_mask
#elif defined(SK_VNNI)
#define SK_DOT(name) name##_rows_vnni
#define SK_STRETCH_OF stretch_by_places
#else
#define SK_DOT(name) name##_rows_pairs
#define SK_STRETCH_OF stretch_by_places
#endif

#ifdef SK_VNNI
#define SK_DOT_STEP (4 * SK_LANES)  // columns per vector

typedef vu SK_DOT(factors);
// 128 more than the codes, without a sign.
inlined vu SK_DOT(load_codes)(const unsigned char *p) { return load_u(p) ^ 0x80808080; }
inlined vu SK_DOT(load_x)(const int8_t *p) { return load_u(p); }

inlined vu SK_DOT(add_products)(vu sums, vu codes, vu x) {
  return __builtin_bit_cast(vu, SK_BYTE_PRODUCTS(sums, codes, x));
}
#else
#define SK_DOT_STEP SK_HALVES

typedef vs SK_DOT(factors);
inlined vs SK_DOT(load_x)(const int8_t *p) {
  vector(int8_t, SK_HALVES) bytes;
  __builtin_memcpy(&bytes, p, SK_HALVES);
  return __builtin_convertvector(bytes, vs);
}
inlined vs SK_DOT(load_codes)(const unsigned char *p) { return SK_DOT(load_x)((const int8_t *)p); }

inlined vu SK_DOT(add_products)(vu sums, vs codes, vs x) { return sums + pair_products(codes, x); }
#endif

// n columns of some rows; what is missing from the last vector is 0 on both sides.
inlined void SK_DOT(add_stretch)(const int tokens, const int rows, intptr_t n, const int8_t *x, intptr_t x_stride,
                                 const unsigned char *const *codes, vu (*sums)[4]) {
  intptr_t i = 0;
  for (; i + SK_DOT_STEP <= n; i += SK_DOT_STEP)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      SK_DOT(factors) row = SK_DOT(load_codes)(codes[r] + i);
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++)
        sums[t][r] = SK_DOT(add_products)(sums[t][r], row, SK_DOT(load_x)(x + t * x_stride + i));
    }
  if (i == n) return;
  int8_t last_x[4][SK_DOT_STEP] = {{0}};
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) copy_bytes(n - i, x + t * x_stride + i, last_x[t]);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    unsigned char last[SK_DOT_STEP] = {0};
    copy_bytes(n - i, codes[r] + i, last);
    SK_DOT(factors) row = SK_DOT(load_codes)(last);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
      sums[t][r] = SK_DOT(add_products)(sums[t][r], row, SK_DOT(load_x)(last_x[t]));
  }
}

// Some rows of activations with all rows of a weight, which are cut into as many blocks as rows go together.
inlined void SK_DOT(strip)(const int tokens, const int rows, intptr_t outputs, intptr_t columns, const int8_t *x,
                           intptr_t x_stride, const sk_rows *weight, int32_t *out, intptr_t out_stride) {
  uint32_t starts[4] = {0};
#ifdef SK_VNNI
  for (int t = 0; t < tokens; t++)
    for (intptr_t i = 0; i < columns; i++) starts[t] -= 128 * (uint32_t)x[t * x_stride + i];
#endif
  intptr_t block = (outputs + rows - 1) / rows;
  for (intptr_t o = 0; o < block; o++) {
    vu sums[4][4] = {{(vu)(0)}};
    for (intptr_t i = 0; i < columns; i += SK_STRETCH) {
      intptr_t n = columns - i < SK_STRETCH ? columns - i : SK_STRETCH;
      unsigned char stretches[4][SK_STRETCH];
      const unsigned char *codes[4];
      for (int r = 0; r < rows; r++)
        codes[r] = SK_STRETCH_OF(1, weight, row_of(o + r * block, outputs), i, n, stretches[r]);
      SK_DOT(add_stretch)(tokens, rows, n, x + i, x_stride, codes, sums);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++)
        out[t * out_stride + row_of(o + r * block, outputs)] =
          (int32_t)(starts[t] + __builtin_reduce_add(sums[t][r]));
  }
}

static void SK_DOT(multiply_i8)(intptr_t tokens, intptr_t outputs, intptr_t columns, const int8_t *x,
                                intptr_t x_stride, const sk_rows *weight, int32_t *out, intptr_t out_stride) {
  intptr_t t = 0;
#define strips_of(count, rows)                                                             \
  for (; t + count <= tokens; t += count)                                                  \
    SK_DOT(strip)(count, rows, outputs, columns, x + t * x_stride, x_stride, weight,       \
                  out + t * out_stride, out_stride);
  strips_of(4, SK_DOT_ROWS)
  strips_of(2, 4)
  strips_of(1, 4)
#undef strips_of
}

#undef SK_DOT
#undef SK_STRETCH_OF
#undef SK_DOT_STEP
