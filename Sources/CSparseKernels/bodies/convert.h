// float16 and bfloat16 to and from float32, in integer arithmetic without branches: the same bits on
// every instruction set, and no processor support needed.
// (After Fabian Giesen's float_to_half_fast3_rtne and half_to_float_fast5, public domain.)

inlined vf widen_bf16(vh h) { return float_of(__builtin_convertvector(h, vu) << 16); }

inlined vf widen_f16(vh h) {
  vu half = __builtin_convertvector(h, vu);
  vu magnitude = (half & 0x7FFF) << 13, sign = (half & 0x8000) << 16;
  vu exponent = magnitude & 0x0F800000;
  vu bits = magnitude + (112u << 23);                                      // from bias 15 to bias 127
  bits = choose(exponent == 0x0F800000, bits + (112u << 23), bits);        // infinity and NaN
  vf small = float_of(bits + (1u << 23)) - float_of((vu)(113u << 23));     // subnormal: renormalised, exactly
  return float_of(choose(exponent == 0, bits_of(small), bits) | sign);
}

inlined vh narrow_bf16(vf x) {
  vu bits = bits_of(x);
  vu rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  vu nan = (bits >> 16) | 0x40;
  return __builtin_convertvector(choose((bits & 0x7FFFFFFF) > 0x7F800000, nan, rounded), vh);
}

inlined vh narrow_f16(vf x) {
  vu bits = bits_of(x) & 0x7FFFFFFF, sign = (bits_of(x) >> 16) & 0x8000;
  vu normal = (bits + (((vu)15 - 127) << 23) + 0xFFF + ((bits >> 13) & 1)) >> 13;
  // A subnormal result: adding 2^-1 lets the float adder round at the right place.
  vu magic = (vu)(126u << 23);
  vu small = bits_of(float_of(bits) + float_of(magic)) - magic;
  vu half = choose(bits < (113u << 23), small, normal);
  half = choose(bits >= (143u << 23), (vu)0x7C00, half);
  half = choose(bits > 0x7F800000, 0x7E00 | ((bits >> 13) & 0x3FF), half);
  return __builtin_convertvector(half | sign, vh);
}

// One vector of stored values; `type` is a constant where this is inlined into a loop.
inlined vf load_stored(sk_type type, const unsigned char *p, intptr_t index) {
  switch (type) {
    case sk_f32: return load_f(p + 4 * index);
    case sk_f16: return widen_f16(load_h(p + 2 * index));
    case sk_bf16: return widen_bf16(load_h(p + 2 * index));
    case sk_i8: return __builtin_convertvector(load_b(p + index), vf);
  }
  return splat(0);
}

inlined intptr_t size_of(sk_type type) { return type == sk_f32 ? 4 : type == sk_i8 ? 1 : 2; }

// The first n < SK_LANES stored values, the rest 0.
inlined vf load_stored_part(sk_type type, const unsigned char *p, intptr_t index, intptr_t n) {
  unsigned char bytes[4 * SK_LANES] = {0};
  intptr_t size = size_of(type);
  for (intptr_t i = 0; i < n * size; i++) bytes[i] = p[index * size + i];
  return load_stored(type, bytes, 0);
}

// Calls `body(constant)` with the type as a constant, so that each loop is compiled once per type.
#define for_each_type(type, body)      \
  switch (type) {                      \
    case sk_f32: body(sk_f32); break;  \
    case sk_f16: body(sk_f16); break;  \
    case sk_bf16: body(sk_bf16); break; \
    case sk_i8: body(sk_i8); break;    \
  }

inlined void to_float_typed(sk_type type, intptr_t n, const unsigned char *from, float *to) {
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) store_f(to + i, load_stored(type, from, i));
  if (i < n) store_part(to + i, load_stored_part(type, from, i, n - i), n - i);
}

static void to_float(sk_type type, intptr_t n, const void *from, float *to) {
#define body(t) to_float_typed(t, n, from, to)
  for_each_type(type, body)
#undef body
}

static void from_float(sk_type type, intptr_t n, const float *from, void *to) {
  if (type == sk_f32) {
    copy_bytes(4 * n, from, to);
    return;
  }
  unsigned char *out = to;
  intptr_t i = 0;
  for (; i + SK_LANES <= n; i += SK_LANES) {
    vf x = load_f(from + i);
    store_h(out + 2 * i, type == sk_f16 ? narrow_f16(x) : narrow_bf16(x));
  }
  if (i < n) {
    vf x = load_part(from + i, n - i);
    uint16_t halves[SK_LANES];
    store_h(halves, type == sk_f16 ? narrow_f16(x) : narrow_bf16(x));
    copy_bytes(2 * (n - i), halves, out + 2 * i);
  }
}
