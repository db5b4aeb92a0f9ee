// Optimizers, on weights that lie side by side: all of a row, or the kept half of a masked one, which `keep24` brings
// together and `expand24` puts back. No product is fused with a sum and every sum has a stated order, so every
// instruction set gives the same bits.

// The places of the two values that a group of four keeps; those of a nibble without two bits are any within it.
static const uint8_t pair24[16][2] = {{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 2}, {0, 2}, {1, 2}, {0, 1},
                                      {0, 3}, {0, 3}, {1, 3}, {0, 1}, {2, 3}, {0, 1}, {0, 1}, {0, 1}};

static void keep24(intptr_t n, const float *x, const uint8_t *mask, float *out) {
  for (intptr_t g = 0; g < n / 4; g++) {
    const uint8_t *pair = pair24[mask[g / 2] >> (g % 2 * 4) & 15];
    out[2 * g] = x[4 * g + pair[0]];
    out[2 * g + 1] = x[4 * g + pair[1]];
  }
}

// Sixteen sums on every instruction set. Squares of float32 are exact in float64, so it is all one whether a compiler
// fuses them with the sum.
static double square_sum(intptr_t n, const float *x) {
  double lanes[16];
  vd sums[16 / SK_LANES] = {0};
  intptr_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int k = 0; k < 16 / SK_LANES; k++) {
      vd value = __builtin_convertvector(load_f(x + i + k * SK_LANES), vd);
      sums[k] += value * value;
    }
  for (int k = 0; k < 16 / SK_LANES; k++) store_d(lanes + k * SK_LANES, sums[k]);
  for (int k = 0; i < n; i++, k++) lanes[k] += (double)x[i] * (double)x[i];
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; k++) lanes[k] += lanes[k + half];
  return lanes[0];
}

static void scale(intptr_t n, float factor, float *x) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) store_f(x + i, load_f(x + i) * splat(factor));
  for (; i < n; i++) x[i] *= factor;
}

// In the order of operations of torch.optim.AdamW.
inlined void adamw_step(vf *w, vf g, vf *first, vf *second, const sk_adamw *step) {
#pragma clang fp contract(off)
  *first = *first + splat(step->first_share) * (g - *first);
  *second = *second * splat(step->second_keep) + splat(step->second_share) * g * g;
  vf root = __builtin_elementwise_sqrt(*second) / splat(step->root_correction) + splat(step->epsilon);
  *w = *w * splat(step->weight_keep) - splat(step->step_size) * *first / root;
}

static void adamw(intptr_t n, float *weights, const float *gradients, float *first, float *second,
                  const sk_adamw *step) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    vf w = load_f(weights + i), m = load_f(first + i), v = load_f(second + i);
    adamw_step(&w, load_f(gradients + i), &m, &v, step);
    store_f(weights + i, w);
    store_f(first + i, m);
    store_f(second + i, v);
  }
  if (i == n) return;
  vf w = load_part(weights + i, n - i), m = load_part(first + i, n - i), v = load_part(second + i, n - i);
  adamw_step(&w, load_part(gradients + i, n - i), &m, &v, step);
  store_part(weights + i, w, n - i);
  store_part(first + i, m, n - i);
  store_part(second + i, v, n - i);
}

// Without a velocity the gradient itself is what is taken off.
inlined void sgd_step(vf *w, vf g, vf *velocity, const int has_velocity, const sk_sgd *step) {
#pragma clang fp contract(off)
  vf change = g;
  if (has_velocity) {
    *velocity = *velocity * splat(step->momentum) + g;
    change = step->nesterov ? g + splat(step->momentum) * *velocity : *velocity;
  }
  *w = *w * splat(step->weight_keep) - splat(step->rate) * change;
}

inlined void sgd_all(intptr_t n, float *weights, const float *gradients, float *velocity, const int has_velocity,
                     const sk_sgd *step) {
  vf w, v = splat(0);
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    w = load_f(weights + i);
    if (has_velocity) v = load_f(velocity + i);
    sgd_step(&w, load_f(gradients + i), &v, has_velocity, step);
    store_f(weights + i, w);
    if (has_velocity) store_f(velocity + i, v);
  }
  if (i == n) return;
  w = load_part(weights + i, n - i);
  if (has_velocity) v = load_part(velocity + i, n - i);
  sgd_step(&w, load_part(gradients + i, n - i), &v, has_velocity, step);
  store_part(weights + i, w, n - i);
  if (has_velocity) store_part(velocity + i, v, n - i);
}

static void sgd(intptr_t n, float *weights, const float *gradients, float *velocity, const sk_sgd *step) {
  if (velocity) sgd_all(n, weights, gradients, velocity, 1, step);
  else sgd_all(n, weights, gradients, velocity, 0, step);
}
