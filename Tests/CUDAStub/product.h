// Matrices and their products, slowly and obviously.
#ifndef CUDA_STUB_PRODUCT_H
#define CUDA_STUB_PRODUCT_H

#include "state.h"

#pragma GCC visibility push(hidden)

// Half precision and bfloat16: to them rounded to nearest, ties to even, overflow to infinity.
float float_from_half(uint16_t half);
uint16_t half_from_float(float value);
float float_from_bfloat(uint16_t bfloat);
uint16_t bfloat_from_float(float value);

// The bytes of a value of a type, 0 for a type that the stub does not know.
size_t type_bytes(int type);
// Where an element lies, in bytes from the start.
size_t place(const struct view *view, int64_t row, int64_t column);
// The bytes from the first element to the end of the last.
size_t view_bytes(const struct view *view);
// Whether `ld` holds a row (a column, in column order).
bool is_view_sound(const struct view *view);

double element(const struct view *view, const void *data, int64_t row, int64_t column);
// Whole numbers are rounded to nearest, ties to even, and clamped.
void set_element(const struct view *view, void *data, int64_t row, int64_t column, double value);

// The matrix as float32, rows × columns in row order; of its transpose where `transposed`. To be freed.
float *values_of(const struct view *view, const void *data, bool transposed);

// d = alpha · a · bᵀ + beta · c, where a is m × k and b is n × k. The sum over k goes up and is taken in float32;
// of 8-bit numbers it is exact. c is not read if beta is 0.
void multiply(
    const float *a, const float *b, int64_t k, bool is_integer, double alpha, double beta, const struct view *c_view,
    const void *c, const struct view *d_view, void *d);

// The matrix whose groups of four are sparse, as `rows` × `columns` with groups along the columns, whatever way it is
// stored: op(A), or the transpose of op(B).
struct weight {
  struct view view;
  bool is_transposed;   // row r, column c is element (c, r) of the view
  int64_t rows, columns;
};

// A product that was started.
struct operand {
  const void *data;
  bool is_weight;       // the compressed one
  struct view view;     // of the other kind
  bool is_transposed;
};
struct job {
  struct operand a, b;  // m × k and n × k
  struct weight weight;
  int64_t k;
  double alpha;
  struct view d_view;
  void *d;
};
// It is computed at once where beta is not 0, else when it is finished.
void start_product(const struct job *job, const struct view *c_view, const void *c, double beta);
void finish_products(void);
// Those that read or write these bytes.
void finish_products_of(const void *data, size_t bytes);
// The same of bytes that cease to be: what would be written there is not computed.
void forget_products_in(const void *data, size_t bytes);
void drop_products(void);

#pragma GCC visibility pop
#endif
