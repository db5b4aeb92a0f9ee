// Coordinate descent: one group of four weights at a time takes the values, and the pattern, with the least
// squared output error while all others are held.

// The six patterns as the kept pair, in the order in which equal gains are decided.
static const int sk_pairs[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};

// Below this share of H_ii H_jj a pair's determinant is float32 rounding of the gram: two inputs that cannot be
// told apart. Such a pair is not taken.
#define SK_LEAST_DETERMINANT 1e-6

// A group's 4 × 4 piece H of the gram, and for each pair the inverse of its 2 × 2 piece.
typedef struct group_system {
  float h[4][4];
  float reciprocal[4];  // 1 / H_ii
  int is_usable[6];
  float inverse[6][3];  // H_jj, H_ij and H_ii, each divided by the determinant
} group_system;

inlined group_system system_of(const float *gram) {
  group_system s;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) s.h[i][j] = gram[i * SK_PANEL + j];
  for (int i = 0; i < 4; i++) s.reciprocal[i] = 1 / s.h[i][i];
  int count = 0;
  for (int p = 0; p < 6; p++) {
    int i = sk_pairs[p][0], j = sk_pairs[p][1];
    double product = (double)s.h[i][i] * s.h[j][j];
    double determinant = product - (double)s.h[i][j] * s.h[i][j];
    s.is_usable[p] = determinant > SK_LEAST_DETERMINANT * product;
    s.inverse[p][0] = (float)(s.h[j][j] / determinant);
    s.inverse[p][1] = (float)(s.h[i][j] / determinant);
    s.inverse[p][2] = (float)(s.h[i][i] / determinant);
    count += s.is_usable[p];
  }
  if (count == 0) {
    // Four inputs that are one and the same: one weight does what all four did.
    s.is_usable[0] = 1;
    s.inverse[0][0] = s.reciprocal[0];
    s.inverse[0][1] = s.inverse[0][2] = 0;
  }
  return s;
}

// The squared error of the values v but for a constant: v H v - 2 b v.
inlined vf cost_of(const group_system *s, const vf *v, const vf *b) {
  vf cost = splat(0);
  for (int i = 0; i < 4; i++) {
    vf product = splat(-2) * b[i];
    for (int j = 0; j < 4; j++) product = v[j] * splat(s->h[j][i]) + product;
    cost = v[i] * product + cost;
  }
  return cost;
}

// One vector of rows. `sums` holds (W - V) G of the group, `changes` receives old minus new values.
// `fixed`: the nibbles that must stay, NULL to choose; on a grid they stay. Returns the nibbles of the kept weights.
inlined vu descend_group(const group_system *s, float *weights, float *errors, const float *sums,
                         float *changes, const vu *fixed, const float *scales, intptr_t scale_step) {
  vf old[4], b[4], now[4];
  for (int i = 0; i < 4; i++) old[i] = load_f(weights + i * SK_PANEL);
  for (int i = 0; i < 4; i++) {
    b[i] = load_f(sums + i * SK_PANEL);
    for (int j = 0; j < 4; j++) b[i] = old[j] * splat(s->h[j][i]) + b[i];
    now[i] = old[i];
  }
  vf best = splat(-1);  // no gain is below 0 but by rounding
  vu pattern = fixed ? *fixed : (vu)(0);
  for (int p = 0; p < 6; p++) {
    if (!s->is_usable[p]) continue;
    int i = sk_pairs[p][0], j = sk_pairs[p][1];
    vu bits = (vu)(1u << i | 1u << j);
    vf x = splat(s->inverse[p][0]) * b[i] - splat(s->inverse[p][1]) * b[j];
    vf y = splat(s->inverse[p][2]) * b[j] - splat(s->inverse[p][1]) * b[i];
    vf gain = x * b[i] + y * b[j];
    // No gain is below 0 but by rounding; the first pair wins where all are 0.
    gain = float_of(choose(gain > 0.0f, bits_of(gain), bits_of(splat(0))));
    vi take = fixed ? *fixed == bits : gain > best;
    if (scales) {
      vf first = snap(x, load_f(scales + i * scale_step));
      y = snap((b[j] - splat(s->h[i][j]) * first) * splat(s->reciprocal[j]), load_f(scales + j * scale_step));
      x = first;
    }
    best = float_of(choose(take, bits_of(gain), bits_of(best)));
    if (!fixed) pattern = choose(take, bits, pattern);
    for (int k = 0; k < 4; k++)
      now[k] = float_of(choose(take, bits_of(k == i ? x : k == j ? y : splat(0)), bits_of(now[k])));
  }
  if (fixed)
    // Groups that keep only one weight.
    for (int i = 0; i < 4; i++) {
      vf x = b[i] * splat(s->reciprocal[i]);
      if (scales) x = snap(x, load_f(scales + i * scale_step));
      now[i] = float_of(choose(*fixed == (vu)(1u << i), bits_of(x), bits_of(now[i])));
    }
  if (scales) {
    // On the grid the nearest point is not always a better one.
    vi better = cost_of(s, now, b) < cost_of(s, old, b);
    for (int i = 0; i < 4; i++) now[i] = float_of(choose(better, bits_of(now[i]), bits_of(old[i])));
  }
  for (int i = 0; i < 4; i++) {
    vf change = old[i] - now[i];
    store_f(weights + i * SK_PANEL, now[i]);
    store_f(errors + i * SK_PANEL, load_f(errors + i * SK_PANEL) + change);
    store_f(changes + i * SK_PANEL, change);
  }
  return pattern;
}

static void descend_tile(intptr_t columns, const float *gram, float *weights, float *errors, float *sums,
                         float *changes, uint8_t *mask, int is_fixed, const float *scales,
                         intptr_t scale_step) {
  for (intptr_t g = 0; g < columns; g += 4) {
    add_within_tile(g, gram, changes, sums);
    group_system s = system_of(gram + g * SK_PANEL + g);
    for (intptr_t lane = 0; lane < SK_PANEL; lane += SK_LANES) {
      intptr_t at = g * SK_PANEL + lane;
      uint8_t *bits = mask + g / 8 * SK_PANEL + lane;
      vu fixed = __builtin_convertvector(g % 8 == 0 ? load_b(bits) & 15 : load_b(bits) >> 4 & 15, vu);
      vu pattern = descend_group(&s, weights + at, errors + at, sums + at, changes + at,
                                 is_fixed ? &fixed : 0, scales ? scales + g * scale_step + lane : 0, scale_step);
      if (!is_fixed) store_nibbles(bits, g, pattern);
    }
  }
}
