// The element-wise maths of a decoder.

// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2. The polynomial is Cephes' expf. 2^n is applied in
// two halves, so that results near the ends of the range round to subnormals, 0 or infinity by themselves.
inlined vf exp_lanes(vf x) {
  const float magic = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  x = float_of(choose(x > splat(89), bits_of(splat(89)), bits_of(x)));
  x = float_of(choose(x < splat(-105), bits_of(splat(-105)), bits_of(x)));
  vf shifted = x * splat(0x1.715476p0f) + splat(magic);
  vf n = shifted - splat(magic);
  vf r = x - n * splat(0x1.62e400p-1f);  // the product is exact: 15 bits of ln 2
  r = r - n * splat(0x1.7f7d1cp-20f);
  vf p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  p = p * (r * r) + r + splat(1);
  vi power = __builtin_bit_cast(vi, shifted) - __builtin_bit_cast(vi, splat(magic));
  vi half = power >> 1, rest = power - half;
  vf result = p * float_of(__builtin_bit_cast(vu, (half + 127) << 23));
  return result * float_of(__builtin_bit_cast(vu, (rest + 127) << 23));
}

static void exp_array(intptr_t n, const float *x, float *out) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) store_f(out + i, exp_lanes(load_f(x + i)));
  if (i < n) store_part(out + i, exp_lanes(load_part(x + i, n - i)), n - i);
}

static void rms_norm(intptr_t n, const float *x, const float *weight, float epsilon, float *out) {
  vd sum = (vd)(0.0);
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    vd value = __builtin_convertvector(load_f(x + i), vd);
    sum = value * value + sum;
  }
  double total = lane_sum_double(sum);
  for (; i < n; i++) total += (double)x[i] * x[i];
  float scale = (float)(1 / __builtin_elementwise_sqrt(total / (double)n + epsilon));
  for (i = 0; i + SK_LANES <= n; i += SK_LANES)
    store_f(out + i, load_f(x + i) * splat(scale) * load_f(weight + i));
  for (; i < n; i++) out[i] = x[i] * scale * weight[i];
}

inlined vf silu(vf gate) { return gate / (splat(1) + exp_lanes(-gate)); }

static void silu_multiply(intptr_t n, const float *gate, const float *up, float *out) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) store_f(out + i, silu(load_f(gate + i)) * load_f(up + i));
  if (i < n)
    store_part(out + i, silu(load_part(gate + i, n - i)) * load_part(up + i, n - i), n - i);
}

inlined float array_max(intptr_t n, const float *x) {
  vf most = splat(-__builtin_inff());
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) most = larger(load_f(x + i), most);
  float result = lane_max(most);
  for (; i < n; i++) result = x[i] > result ? x[i] : result;
  return result;
}

// x[i] = exp((x[i] - max) * scale); returns the sum, in an order that depends on n alone.
inlined float exp_and_sum(intptr_t n, float *x, float max, float scale) {
  vf sum = splat(0);
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    vf value = exp_lanes((load_f(x + i) - splat(max)) * splat(scale));
    store_f(x + i, value);
    sum += value;
  }
  float total = lane_sum(sum);
  if (i < n) {
    vf value = exp_lanes((load_part(x + i, n - i) - splat(max)) * splat(scale));
    store_part(x + i, value, n - i);
    for (; i < n; i++) total += x[i];
  }
  return total;
}

static void softmax(intptr_t n, float *x) {
  if (n == 0) return;
  float sum = exp_and_sum(n, x, array_max(n, x), 1);
  for (intptr_t i = 0; i < n; i++) x[i] /= sum;
}

static void log_sum_exp(intptr_t n, const float *x, float *max, double *sum) {
  if (n == 0) return;
  float block = array_max(n, x), most = block > *max ? block : *max;
  if (most == -__builtin_inff()) most = -0x1.fffffep127f;  // nothing but -infinity so far: every term is 0
  vd total = (vd)(0.0);
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES)
    total += __builtin_convertvector(exp_lanes(load_f(x + i) - splat(most)), vd);
  double block_sum = lane_sum_double(total);
  if (i < n) {
    float last[SK_LANES];
    store_f(last, exp_lanes(load_part(x + i, n - i) - splat(most)));
    for (int k = 0; k < n - i; k++) block_sum += last[k];
  }
  *sum = *sum * __builtin_exp((double)*max - most) + block_sum;
  *max = most;
}

// log_sum_exp of x, and besides sum(e^(x - max) (x - y)).
static void log_sum_exp_difference(intptr_t n, const float *x, const float *y, float *max, double *sum,
                                   double *difference) {
  if (n == 0) return;
  float block = array_max(n, x), most = block > *max ? block : *max;
  if (most == -__builtin_inff()) most = -0x1.fffffep127f;
  vd total = (vd)(0.0), apart = (vd)(0.0);
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    vf value = load_f(x + i);
    vd share = __builtin_convertvector(exp_lanes(value - splat(most)), vd);
    total += share;
    apart += share * __builtin_convertvector(value - load_f(y + i), vd);
  }
  double block_sum = lane_sum_double(total), block_difference = lane_sum_double(apart);
  if (i < n) {
    float last[SK_LANES];
    store_f(last, exp_lanes(load_part(x + i, n - i) - splat(most)));
    for (int k = 0; k < n - i; k++) {
      block_sum += last[k];
      block_difference += (double)last[k] * (x[i + k] - y[i + k]);
    }
  }
  double before = __builtin_exp((double)*max - most);
  *sum = *sum * before + block_sum;
  *difference = *difference * before + block_difference;
  *max = most;
}

static void rotate(intptr_t heads, intptr_t width, const float *cosines, const float *sines, float *x) {
  intptr_t half = width / 2;
  for (intptr_t h = 0; h < heads; h++) {
    float *a = x + h * width, *b = a + half;
    intptr_t i = 0;
    for (; i + SK_LANES <= half; i += SK_LANES) {
      vf c = load_f(cosines + i), s = load_f(sines + i), first = load_f(a + i), second = load_f(b + i);
      store_f(a + i, first * c - second * s);
      store_f(b + i, second * c + first * s);
    }
    for (; i < half; i++) {
      float first = a[i], second = b[i];
      a[i] = first * cosines[i] - second * sines[i];
      b[i] = second * cosines[i] + first * sines[i];
    }
  }
}
