// The parts of factorisations and solves that are no matrix products: what happens inside a 48 × 48 tile.

#define SK_PANEL_VECTORS (SK_PANEL / SK_LANES)

// A = S^T S, last row first: row j of S is row j of what is left of A by the root of its diagonal, and
// what is left above loses the product of that row with itself. Whole rows are updated, of which what lies
// above the diagonal means nothing until it is set to 0.
static intptr_t factor_tile(float *tile, float *inverse) {
  for (intptr_t j = SK_PANEL - 1; j >= 0; j--) {
    float *row = tile + j * SK_PANEL;
    float pivot = -row[j];
    if (!(pivot > 0) || pivot > 0x1.fffffep127f) return j + 1;
    float root = __builtin_elementwise_sqrt(pivot), scale = -1 / root;
    for (intptr_t k = 0; k < j; k++) row[k] *= scale;
    row[j] = root;
    for (intptr_t k = j + 1; k < SK_PANEL; k++) row[k] = 0;
    vf values[SK_PANEL_VECTORS];
    for (int v = 0; v < SK_PANEL_VECTORS; v++) values[v] = load_f(row + v * SK_LANES);
    for (intptr_t i = 0; i < j; i++) {
      float *above = tile + i * SK_PANEL;
      for (int v = 0; v < SK_PANEL_VECTORS; v++)
        store_f(above + v * SK_LANES, splat(row[i]) * values[v] + load_f(above + v * SK_LANES));
    }
  }
  // Minus the inverse, first row first: S[i][i] V[i] = -e_i - (sum over k < i of S[i][k] V[k]).
  for (intptr_t i = 0; i < SK_PANEL; i++) {
    const float *row = tile + i * SK_PANEL;
    float *out = inverse + i * SK_PANEL;
    vf sums[SK_PANEL_VECTORS];
    for (int v = 0; v < SK_PANEL_VECTORS; v++) sums[v] = splat(0);
    for (intptr_t k = 0; k < i; k++)
      for (int v = 0; v < SK_PANEL_VECTORS; v++)
        sums[v] = splat(row[k]) * load_f(inverse + k * SK_PANEL + v * SK_LANES) + sums[v];
    float scale = -1 / row[i];
    for (int v = 0; v < SK_PANEL_VECTORS; v++) store_f(out + v * SK_LANES, splat(scale) * sums[v]);
    out[i] = scale;
  }
  return 0;
}

// Of each two scores one loses: the lower, of equal ones the later. Kept is what loses at most once.
inlined void count_losses(const vf *score, vi *losses) {
  for (int j = 0; j < 4; j++) losses[j] = (vi)(0);
  for (int i = 0; i < 4; i++)
    for (int j = i + 1; j < 4; j++) {
      vi first = score[i] >= score[j];
      losses[j] -= first;
      losses[i] += first + 1;
    }
}

// The nearest point of a symmetric INT8 grid, ties to even. Between -2^22 and 2^22 adding 1.5 * 2^23 leaves no
// fraction, so subtracting it again is rounding.
inlined vf snap(vf x, vf scale) {
  vf steps = x / scale;
  steps = float_of(choose(steps > 127.0f, bits_of(splat(127)), bits_of(steps)));
  steps = float_of(choose(steps < -127.0f, bits_of(splat(-127)), bits_of(steps)));
  return (steps + 0x1.8p23f - 0x1.8p23f) * scale;
}

// One vector of weight rows against one group: chooses the pattern, prunes and leaves the errors in place of
// the sums. `r` is the group's 4 × 4 piece of the factor.
inlined vu prune_group(const float *r, float *weights, float *sums, const float *scales,
                       intptr_t scale_step) {
  vf w[4], c[4], y[4], score[4];
  float diagonal[4], reciprocal[4];
  for (int j = 0; j < 4; j++) {
    w[j] = load_f(weights + j * SK_PANEL);
    c[j] = load_f(sums + j * SK_PANEL);
    diagonal[j] = r[j * SK_PANEL + j];
    reciprocal[j] = 1 / diagonal[j];
  }
  // What each weight is now: its own value plus y, where y R = c within the group.
  for (int j = 0; j < 4; j++) {
    vf rest = c[j];
    for (int k = 0; k < j; k++) rest = rest - y[k] * splat(r[k * SK_PANEL + j]);
    y[j] = rest * splat(reciprocal[j]);
    score[j] = __builtin_elementwise_abs(w[j] * splat(diagonal[j]) + rest);  // |w + y| R
  }
  vi losses[4];
  count_losses(score, losses);
  vu pattern = 0;
  for (int j = 0; j < 4; j++) {
    vu keep = __builtin_bit_cast(vu, losses[j] < 2);
    vf now = c[j] * splat(reciprocal[j]) + w[j];
    if (scales) now = snap(now, load_f(scales + j * scale_step));
    vf kept = float_of(bits_of(now) & keep);
    vf error = w[j] - kept;
    for (int k = j + 1; k < 4; k++) c[k] = error * splat(r[j * SK_PANEL + k]) + c[k];
    store_f(weights + j * SK_PANEL, kept);
    store_f(sums + j * SK_PANEL, error);
    pattern |= keep & (1u << j);
  }
  return pattern;
}

// What the earlier columns of a tile add to the sums of a group: they go on as one chain.
inlined void add_within_tile(intptr_t group, const float *coefficients, const float *columns, float *sums) {
  for (intptr_t lane = 0; lane < SK_PANEL; lane += SK_TILE_COLUMNS)
    tile(4, SK_TILE_VECTORS, group, coefficients + group, 1, SK_PANEL, columns + lane,
         sums + group * SK_PANEL + lane, SK_PANEL, 1, sums + group * SK_PANEL + lane);
}

// A group's nibbles of one vector of rows into the mask bytes of a tile; the lower group of a byte comes first.
inlined void store_nibbles(uint8_t *bits, intptr_t group, vu pattern) {
  vb nibbles = __builtin_convertvector(pattern, vb);
  store_b(bits, group % 8 == 0 ? nibbles : load_b(bits) | nibbles << 4);
}

static void prune_tile(intptr_t columns, const float *factor, float *weights, float *sums, uint8_t *mask,
                       const float *scales, intptr_t scale_step) {
  for (intptr_t g = 0; g < columns; g += 4) {
    add_within_tile(g, factor, sums, sums);
    for (intptr_t lane = 0; lane < SK_PANEL; lane += SK_LANES) {
      const float *group_scales = scales ? scales + g * scale_step + lane : 0;
      vu pattern = prune_group(factor + g * SK_PANEL + g, weights + g * SK_PANEL + lane,
                               sums + g * SK_PANEL + lane, group_scales, scale_step);
      store_nibbles(mask + g / 8 * SK_PANEL + lane, g, pattern);
    }
  }
}
