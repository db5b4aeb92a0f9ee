// Values of each type, to and from float.
#include "product.h"

#include <string.h>

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// The upper bits from `shift` on, rounded to nearest, ties to even.
static uint32_t round_shift(uint32_t bits, uint32_t shift) {
  uint32_t kept = bits >> shift, rest = bits & ((1u << shift) - 1), half = 1u << (shift - 1);
  return kept + (rest > half || (rest == half && kept % 2 == 1));
}

float float_from_half(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3FF;
  if (exponent == 31) return float_of(sign | 0x7F800000 | fraction << 13);
  if (exponent > 0) return float_of(sign | (exponent + 112) << 23 | fraction << 13);
  float value = (float)fraction * 0x1p-24f;   // exact: below the smallest normal number
  return sign != 0 ? -value : value;
}

uint16_t half_from_float(float value) {
  uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00);   // not a number
  if (magnitude >= bits_of(65520)) return (uint16_t)(sign | 0x7C00);
  // The fraction's carry goes into the exponent, as it should.
  if (magnitude >= bits_of(0x1p-14f)) {
    return (uint16_t)(sign | round_shift(magnitude - (112u << 23), 13));
  }
  // In units of 2^-24 there are `fraction` shifted by this much; beyond 24 it is less than half a unit.
  uint32_t fraction = (magnitude & 0x7FFFFF) | 0x800000, shift = 126 - (magnitude >> 23);
  return (uint16_t)(sign | (shift > 24 ? 0 : round_shift(fraction, shift)));
}

float float_from_bfloat(uint16_t bfloat) { return float_of((uint32_t)bfloat << 16); }

uint16_t bfloat_from_float(float value) {
  uint32_t bits = bits_of(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)round_shift(bits, 16);
}

size_t type_bytes(int type) {
  switch (type) {
  case R_8I: return 1;
  case R_16F: case R_16BF: return 2;
  case R_32F: case R_32I: return 4;
  default: return 0;
  }
}

static double load(int type, const void *from) {
  int8_t byte;
  uint16_t half;
  int32_t word;
  float value;
  switch (type) {
  case R_8I: return memcpy(&byte, from, sizeof byte), byte;
  case R_16F: return memcpy(&half, from, sizeof half), float_from_half(half);
  case R_16BF: return memcpy(&half, from, sizeof half), float_from_bfloat(half);
  case R_32I: return memcpy(&word, from, sizeof word), word;
  default: return memcpy(&value, from, sizeof value), value;
  }
}

static int32_t whole(double value, double lowest, double highest) {
  if (!(value > lowest)) return (int32_t)lowest;
  if (value >= highest) return (int32_t)highest;
  int64_t below = (int64_t)value - (value < (double)(int64_t)value);
  double rest = value - (double)below;
  return (int32_t)(below + (rest > 0.5 || (rest == 0.5 && below % 2 != 0)));
}

static void store(int type, void *to, double value) {
  int8_t byte = type == R_8I ? (int8_t)whole(value, -128, 127) : 0;
  int32_t word = type == R_32I ? whole(value, INT32_MIN, INT32_MAX) : 0;
  float single = (float)value;
  uint16_t half = type == R_16F ? half_from_float(single) : bfloat_from_float(single);
  switch (type) {
  case R_8I: memcpy(to, &byte, sizeof byte); break;
  case R_16F: case R_16BF: memcpy(to, &half, sizeof half); break;
  case R_32I: memcpy(to, &word, sizeof word); break;
  default: memcpy(to, &single, sizeof single);
  }
}

size_t place(const struct view *view, int64_t row, int64_t column) {
  int64_t index = view->is_row_order ? row * view->ld + column : column * view->ld + row;
  return (size_t)index * type_bytes(view->type);
}

size_t view_bytes(const struct view *view) {
  if (view->rows == 0 || view->columns == 0) return 0;
  return place(view, view->rows - 1, view->columns - 1) + type_bytes(view->type);
}

bool is_view_sound(const struct view *view) {
  if (view->rows <= 0 || view->columns <= 0) return false;
  return view->ld >= (view->is_row_order ? view->columns : view->rows);
}

double element(const struct view *view, const void *data, int64_t row, int64_t column) {
  return load(view->type, (const char *)data + place(view, row, column));
}

void set_element(const struct view *view, void *data, int64_t row, int64_t column, double value) {
  store(view->type, (char *)data + place(view, row, column), value);
}
