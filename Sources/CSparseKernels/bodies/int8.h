// Numbers on a grid of 255 steps: to signed bytes and back, and what goes before and after their products.

// As integers, the bits of numbers without a sign are ordered as the numbers are, with NaN above all.
static float max_abs(intptr_t n, const float *x) {
  vu most = {0};
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    vu size = bits_of(load_f(x + i)) & 0x7FFFFFFF;
    most = choose(size > most, size, most);
  }
  if (i < n) {
    vu size = bits_of(load_part(x + i, n - i)) & 0x7FFFFFFF;
    most = choose(size > most, size, most);
  }
  return __builtin_bit_cast(float, __builtin_reduce_max(most));
}

// Clamped first, which changes no result, so that adding 1.5 · 2^23 leaves a float no bits after the point.
inlined vb to_code(vf x, vf scale) {
  vf ratio = x / scale, limit = splat(127), shift = splat(12582912);
  ratio = larger(-larger(-ratio, -limit), -limit);
  return __builtin_convertvector(__builtin_convertvector((ratio + shift) - shift, vi), vb);
}

static void quantize(intptr_t n, const float *x, float scale, int8_t *out) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) store_b(out + i, to_code(load_f(x + i), splat(scale)));
  if (i < n) {
    int8_t codes[SK_LANES];
    store_b(codes, to_code(load_part(x + i, n - i), splat(scale)));
    copy_bytes(n - i, codes, out + i);
  }
}

static void dequantize(intptr_t n, const int8_t *x, float scale, float *out) {
  const unsigned char *codes = (const unsigned char *)x;
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) store_f(out + i, load_stored(sk_i8, codes, i) * splat(scale));
  if (i < n) store_part(out + i, load_stored_part(sk_i8, codes, i, n - i) * splat(scale), n - i);
}

static void scale_sums(intptr_t n, const int32_t *sums, float factor, const float *scales,
                       int accumulate, float *out) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    vf sum = __builtin_convertvector(__builtin_bit_cast(vi, load_u(sums + i)), vf);
    vf value = splat(factor) * (load_f(scales + i) * sum);
    store_f(out + i, accumulate ? load_f(out + i) + value : value);
  }
  for (; i < n; i++) {
    float value = factor * (scales[i] * (float)sums[i]);
    out[i] = accumulate ? out[i] + value : value;
  }
}
