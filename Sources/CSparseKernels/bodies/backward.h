// The way back through a decoder's maths: what the functions of decoder.h and attention.h do to a gradient.

// Both sides come from panels or, the left one, from rows at a stride: the "rows" of a tile lie side by side.
static void outer_product(intptr_t tokens, intptr_t rows, intptr_t columns, const float *a, intptr_t a_stride,
                          const float *b, float *out, intptr_t out_stride) {
  for (intptr_t i = 0; i < rows; i += SK_TILE_ROWS)
    for (intptr_t j = 0; j < columns; j += SK_TILE_COLUMNS) {
      float *here = out + i * out_stride + j;
      intptr_t height = rows - i < SK_TILE_ROWS ? rows - i : SK_TILE_ROWS;
      intptr_t width = columns - j < SK_TILE_COLUMNS ? columns - j : SK_TILE_COLUMNS;
      if (height == SK_TILE_ROWS && width == SK_TILE_COLUMNS) {
        const float *next = i + 2 * SK_TILE_ROWS <= rows ? here + SK_TILE_ROWS * out_stride : here;
        tile(SK_TILE_ROWS, SK_TILE_VECTORS, tokens, a + i, 1, a_stride, b + j, here, out_stride, 1, next);
        continue;
      }
      float block[SK_TILE_ROWS * SK_TILE_COLUMNS] = {0};
      for (intptr_t r = 0; r < height; r++) copy_bytes(4 * width, here + r * out_stride, block + r * SK_TILE_COLUMNS);
      if (width <= SK_LANES)
        tile(SK_TILE_ROWS, 1, tokens, a + i, 1, a_stride, b + j, block, SK_TILE_COLUMNS, 1, block);
      else if (width <= 2 * SK_LANES)
        tile(SK_TILE_ROWS, 2, tokens, a + i, 1, a_stride, b + j, block, SK_TILE_COLUMNS, 1, block);
      else
        tile(SK_TILE_ROWS, SK_TILE_VECTORS, tokens, a + i, 1, a_stride, b + j, block, SK_TILE_COLUMNS, 1, block);
      for (intptr_t r = 0; r < height; r++) copy_bytes(4 * width, block + r * SK_TILE_COLUMNS, here + r * out_stride);
    }
}

// With s = 1 / sqrt(mean x^2 + epsilon) and y = x s w: dx += s w dy - x s^3 / n sum(x w dy), dw += x s dy.
static void rms_norm_backward(intptr_t n, const float *x, const float *weight, float epsilon, const float *gradient,
                              float *x_gradient, float *weight_gradient) {
  vd squares = (vd)(0.0), products = (vd)(0.0);
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    vd value = __builtin_convertvector(load_f(x + i), vd);
    squares = value * value + squares;
    products = value * __builtin_convertvector(load_f(weight + i) * load_f(gradient + i), vd) + products;
  }
  double square = lane_sum_double(squares), product = lane_sum_double(products);
  for (; i < n; i++) {
    square += (double)x[i] * x[i];
    product += (double)x[i] * (weight[i] * gradient[i]);
  }
  double mean = square / (double)n + epsilon, scale = 1 / __builtin_elementwise_sqrt(mean);
  float s = (float)scale, back = (float)(product * scale / mean / (double)n);
  for (i = 0; i + SK_LANES <= n; i += SK_LANES) {
    vf value = load_f(x + i), change = load_f(gradient + i);
    store_f(x_gradient + i,
            load_f(x_gradient + i) + (change * load_f(weight + i) * splat(s) - value * splat(back)));
    store_f(weight_gradient + i, load_f(weight_gradient + i) + value * splat(s) * change);
  }
  for (; i < n; i++) {
    x_gradient[i] += gradient[i] * weight[i] * s - x[i] * back;
    weight_gradient[i] += x[i] * s * gradient[i];
  }
}

// With s = 1 / (1 + e^-gate): d gate = d up s (1 + gate (1 - s)), d up = d gate s. Both replace what they belong to.
inlined void silu_multiply_back(vf *gate, vf *up, vf gradient) {
  vf s = splat(1) / (splat(1) + exp_lanes(-*gate));
  vf through = gradient * s;
  vf up_gradient = through * *gate;
  *gate = through * *up * (splat(1) + *gate * (splat(1) - s));
  *up = up_gradient;
}

static void silu_multiply_backward(intptr_t n, float *gate, float *up, const float *gradient) {
  intptr_t i = 0;
  for (; i < n; i += SK_LANES) {
    intptr_t count = n - i;
    if (count >= SK_LANES) {
      vf g = load_f(gate + i), u = load_f(up + i);
      silu_multiply_back(&g, &u, load_f(gradient + i));
      store_f(gate + i, g);
      store_f(up + i, u);
    } else {
      vf g = load_part(gate + i, count), u = load_part(up + i, count);
      silu_multiply_back(&g, &u, load_part(gradient + i, count));
      store_part(gate + i, g, count);
      store_part(up + i, u, count);
    }
  }
}

// x[i] = x_factor e^(x[i] - x_max) - y_factor e^(y[i] - y_max); without y only the first term.
static void softmax_difference(intptr_t n, float *x, float x_max, float x_factor, const float *y, float y_max,
                               float y_factor) {
  for (intptr_t i = 0; i < n; i += SK_LANES) {
    intptr_t count = n - i < SK_LANES ? n - i : SK_LANES;
    vf value = count == SK_LANES ? load_f(x + i) : load_part(x + i, count);
    value = exp_lanes(value - splat(x_max)) * splat(x_factor);
    if (y) {
      vf other = count == SK_LANES ? load_f(y + i) : load_part(y + i, count);
      value -= exp_lanes(other - splat(y_max)) * splat(y_factor);
    }
    if (count == SK_LANES)
      store_f(x + i, value);
    else
      store_part(x + i, value, count);
  }
}

// With P = softmax(scale Q K^T), out = P V and G the gradient of out:
// dV += P^T G, dS = P (G V^T - rowsum(P G V^T)) scale, dQ = dS K, dK += dS^T Q.
static void attend_backward(intptr_t rows, intptr_t visible, intptr_t width, const float *queries,
                            const float *gradient, intptr_t query_stride, const float *keys,
                            const float *key_columns, const float *values, intptr_t key_panel_stride, float scale,
                            float *scratch, float *query_gradient, float *key_gradient, float *value_gradient,
                            intptr_t key_stride) {
  if (rows == 0) return;
  intptr_t count = visible + rows - 1, widths = (width + SK_PANEL - 1) / SK_PANEL;
  intptr_t stride = (count + SK_PANEL - 1) / SK_PANEL * SK_PANEL;
  float *shares = scratch, *changes = shares + rows * stride;
  float *query_panels = changes + rows * stride, *gradient_panels = query_panels + widths * rows * SK_PANEL;
  gemm(rows, count, width, queries, query_stride, keys, width * SK_PANEL, shares, stride, 0);
  gemm(rows, count, width, gradient, query_stride, values, width * SK_PANEL, changes, stride, 0);
  for (intptr_t r = 0; r < rows; r++) {
    float *share = shares + r * stride, *change = changes + r * stride;
    intptr_t seen = visible + r, i = 0;
    float total = exp_and_sum(seen, share, array_max(seen, share), scale);
    for (i = 0; i < seen; i++) share[i] /= total;
    float mean = dot(seen, share, change);
    for (i = 0; i < seen; i++) change[i] = share[i] * (change[i] - mean) * scale;
    for (; i < stride; i++) share[i] = change[i] = 0;
  }
  gemm(rows, width, count, changes, stride, key_columns, key_panel_stride, query_gradient, query_stride, 0);
  pack_columns(rows, width, queries, query_stride, query_panels, rows * SK_PANEL);
  pack_columns(rows, width, gradient, query_stride, gradient_panels, rows * SK_PANEL);
  for (intptr_t k = 0; k < count; k += SK_PANEL)
    for (intptr_t w = 0; w < widths; w++) {
      intptr_t height = count - k < SK_PANEL ? count - k : SK_PANEL;
      intptr_t columns = width - w * SK_PANEL < SK_PANEL ? width - w * SK_PANEL : SK_PANEL;
      intptr_t place = k * key_stride + w * SK_PANEL, panel = w * rows * SK_PANEL;
      outer_product(rows, height, columns, changes + k, stride, query_panels + panel, key_gradient + place, key_stride);
      outer_product(rows, height, columns, shares + k, stride, gradient_panels + panel, value_gradient + place,
                    key_stride);
    }
}
