// The product that both libraries compute, in three loops.
#include "product.h"

float *values_of(const struct view *view, const void *data, bool transposed) {
  int64_t rows = transposed ? view->columns : view->rows;
  int64_t columns = transposed ? view->rows : view->columns;
  float *values = allocate((size_t)(rows * columns) * sizeof *values);
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) {
      double value = transposed ? element(view, data, j, i) : element(view, data, i, j);
      values[i * columns + j] = (float)value;
    }
  }
  return values;
}

// Exact: both are whole numbers of 8 bits.
static double whole_dot(const float *x, const float *y, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (double)x[i] * (double)y[i];
  return sum;
}

// Rounded after each product and each sum, on every processor.
static float float_dot(const float *x, const float *y, int64_t count) {
#pragma STDC FP_CONTRACT OFF
  float sum = 0;
  for (int64_t i = 0; i < count; i++) sum += x[i] * y[i];
  return sum;
}

void multiply(
    const float *a, const float *b, int64_t k, bool is_integer, double alpha, double beta, const struct view *c_view,
    const void *c, const struct view *d_view, void *d) {
#pragma STDC FP_CONTRACT OFF
  for (int64_t i = 0; i < d_view->rows; i++) {
    for (int64_t j = 0; j < d_view->columns; j++) {
      const float *x = a + i * k, *y = b + j * k;
      double added = beta == 0 ? 0 : beta * element(c_view, c, i, j);
      double value;
      if (is_integer) {
        value = alpha * whole_dot(x, y, k) + added;
      } else {
        value = (float)alpha * float_dot(x, y, k) + (float)added;
      }
      set_element(d_view, d, i, j, value);
    }
  }
}
