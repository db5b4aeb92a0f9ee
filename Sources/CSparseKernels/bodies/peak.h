// What the processor can do at best, to hold the other kernels against.

static double fma_peak(intptr_t steps, float *sink) {
  vf sums[12];
  for (int k = 0; k < 12; k++) sums[k] = splat(0.25f * (float)k);
  vf a = splat(*sink * 0x1p-60f + 0.5f), b = splat(0.5f);
  for (intptr_t s = 0; s < steps; s++)
    for (int round = 0; round < 8; round++)
#pragma clang loop unroll(full)
      for (int k = 0; k < 12; k++) sums[k] = sums[k] * a + b;
  vf total = sums[0];
  for (int k = 1; k < 12; k++) total += sums[k];
  *sink = lane_sum(total);
  return 2.0 * 12 * 8 * SK_LANES * (double)steps;
}

// Eight streams: more than one, as products with stored weights read them, are faster.
static uint64_t read_words(intptr_t n, const void *bytes) {
  const unsigned char *p = bytes;
  vq sums[8] = {(vq)(0)};
  for (intptr_t i = 0; i < n / 8; i += (intptr_t)sizeof(vq))
#pragma clang loop unroll(full)
    for (int k = 0; k < 8; k++) {
      const unsigned char *from = p + k * (n / 8) + i;
      vq words;
      __builtin_prefetch(from + SK_AHEAD);
      __builtin_memcpy(&words, from, sizeof words);
      sums[k] += words;
    }
  vq all = sums[0];
  for (int k = 1; k < 8; k++) all += sums[k];
  uint64_t total = 0;
  for (int k = 0; k < SK_LANES / 2; k++) total += all[k];
  return total;
}
