// Channel permutation: what each exchange of channels between groups of four would keep, and the assignment
// that makes the most of it. There are sums, differences and comparisons but no products, so nothing can be
// fused and every instruction set gives the same bits.

inlined vf smaller(vf a, vf b) { return float_of(choose(b < a, bits_of(b), bits_of(a))); }

// n is a multiple of SK_PANEL.
static void median3(intptr_t n, const float *a, const float *b, const float *c, float *out) {
  for (intptr_t i = 0; i < n; i += SK_LANES) {
    vf x = load_f(a + i), y = load_f(b + i), z = load_f(c + i);
    store_f(out + i, larger(smaller(x, y), smaller(larger(x, y), z)));
  }
}

static void two_largest(intptr_t rows, intptr_t stride, const float *members, double *sums) {
  for (intptr_t lane = 0; lane < SK_PANEL; lane += SK_LANES) {
    vd sum = load_d(sums + lane);
    for (intptr_t r = 0; r < rows; r++) {
      const float *at = members + r * SK_PANEL + lane;
      vf a = load_f(at), b = load_f(at + stride), c = load_f(at + 2 * stride), d = load_f(at + 3 * stride);
      vf high = larger(a, b), other = larger(c, d);
      vf second = larger(smaller(high, other), larger(smaller(a, b), smaller(c, d)));
      sum += __builtin_convertvector(larger(high, other), vd) + __builtin_convertvector(second, vd);
    }
    store_d(sums + lane, sum);
  }
}

// A tile of sums for SK_TILE_ROWS groups, whose medians lie side by side, and SK_TILE_VECTORS vectors of candidates.
inlined void maxima_tile(intptr_t rows, const float *medians, const float *candidates, float *out) {
  vf sums[SK_TILE_ROWS][SK_TILE_VECTORS] = {0};
  for (intptr_t r = 0; r < rows; r++) {
    vf values[SK_TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < SK_TILE_VECTORS; v++) values[v] = load_f(candidates + r * SK_PANEL + v * SK_LANES);
#pragma clang loop unroll(full)
    for (int g = 0; g < SK_TILE_ROWS; g++) {
      vf median = splat(medians[r * SK_PANEL + g]);
#pragma clang loop unroll(full)
      for (int v = 0; v < SK_TILE_VECTORS; v++) sums[g][v] += larger(values[v], median);
    }
  }
#pragma clang loop unroll(full)
  for (int g = 0; g < SK_TILE_ROWS; g++)
#pragma clang loop unroll(full)
    for (int v = 0; v < SK_TILE_VECTORS; v++) {
      float *at = out + g * SK_PANEL + v * SK_LANES;
      store_f(at, load_f(at) + sums[g][v]);
    }
}

static void add_maxima(intptr_t rows, const float *medians, const float *candidates, float *sums) {
  for (intptr_t g = 0; g < SK_PANEL; g += SK_TILE_ROWS)
    for (intptr_t c = 0; c < SK_PANEL; c += SK_TILE_COLUMNS)
      maxima_tile(rows, medians + g, candidates + c, sums + g * SK_PANEL + c);
}

// The index of the least distance, of equal ones the first.
inlined intptr_t first_least(vd least, vi where) {
  double values[SK_LANES];
  int32_t places[SK_LANES];
  store_d(values, least);
  __builtin_memcpy(places, &where, sizeof places);
  int best = 0;
  for (int i = 1; i < SK_LANES; i++)
    if (values[i] < values[best] || (values[i] == values[best] && places[i] < places[best])) best = i;
  return places[best];
}

static intptr_t relax_row(intptr_t n, const float *costs, const double *prices, double base, int32_t row,
                          double *distances, int32_t *from) {
  vd least = (vd)(__builtin_inf());
  vi where = 0, index;
  for (int i = 0; i < SK_LANES; i++) index[i] = i;
  intptr_t j = 0;
  for (; j + SK_LANES <= n; j += SK_LANES, index += SK_LANES) {
    vd old = load_d(distances + j);
    vd path = __builtin_convertvector(load_f(costs + j), vd) - load_d(prices + j) + base;
    vi before, shorter = __builtin_convertvector(path < old, vi);
    __builtin_memcpy(&before, from + j, sizeof before);
    vi now = (shorter & row) | (~shorter & before);
    __builtin_memcpy(from + j, &now, sizeof now);
    path = path < old ? path : old;
    store_d(distances + j, path);
    vi nearer = __builtin_convertvector(path < least, vi);
    where = (nearer & index) | (~nearer & where);
    least = path < least ? path : least;
  }
  double least_left = __builtin_inf();
  intptr_t where_left = n;
  for (; j < n; j++) {
    double path = costs[j] - prices[j] + base;
    if (path < distances[j]) {
      distances[j] = path;
      from[j] = row;
    }
    if (distances[j] < least_left) {
      least_left = distances[j];
      where_left = j;
    }
  }
  intptr_t first = first_least(least, where);
  return n >= SK_LANES && distances[first] <= least_left ? first : where_left;
}
