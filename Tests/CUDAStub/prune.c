// Which weights cuSPARSELt prunes.
#include "sparse.h"

#include <string.h>

struct weight weight_of(const struct object *matrix, bool is_a, int op) {
  bool is_op_transposed = op != 0;
  // Inputs are the columns of op(A), and the rows of op(B).
  struct weight weight = {.view = matrix->view, .is_transposed = is_a == is_op_transposed};
  weight.rows = weight.is_transposed ? matrix->view.columns : matrix->view.rows;
  weight.columns = weight.is_transposed ? matrix->view.rows : matrix->view.columns;
  return weight;
}

size_t weight_place(const struct weight *weight, int64_t row, int64_t column) {
  return weight->is_transposed ? place(&weight->view, column, row) : place(&weight->view, row, column);
}

double weight_element(const struct weight *weight, const void *data, int64_t row, int64_t column) {
  return weight->is_transposed ? element(&weight->view, data, column, row)
                               : element(&weight->view, data, row, column);
}

// The magnitudes of four weights of a row.
static void magnitudes(
    const struct weight *weight, const void *data, int64_t row, int64_t column, double result[4]) {
  for (int i = 0; i < 4; i++) {
    double value = weight_element(weight, data, row, column + i);
    result[i] = value < 0 ? -value : value;
  }
}

// Bit i: the i-th of four is kept. The two largest, of equal ones those further to the left.
static unsigned strip_mask(const double magnitude[4]) {
  unsigned mask = 0;
  for (int i = 0; i < 4; i++) {
    int before = 0;
    for (int j = 0; j < 4; j++) {
      before += magnitude[j] > magnitude[i] || (magnitude[j] == magnitude[i] && j < i);
    }
    if (before < 2) mask |= 1u << i;
  }
  return mask;
}

// Of all masks of 4 × 4 with two in each row and each column the first with the largest sum.
static void tile_masks(double magnitude[4][4], unsigned masks[4]) {
  static const unsigned pairs[6] = {3, 5, 6, 9, 10, 12};
  double best = -1;
  for (int choice = 0; choice < 6 * 6 * 6 * 6; choice++) {
    unsigned rows[4];
    int rest = choice, in_column[4] = {0};
    double sum = 0;
    for (int r = 0; r < 4; r++, rest /= 6) {
      rows[r] = pairs[rest % 6];
      for (int c = 0; c < 4; c++) {
        bool is_kept = rows[r] >> c & 1;
        in_column[c] += is_kept;
        if (is_kept) sum += magnitude[r][c];
      }
    }
    bool is_valid = in_column[0] == 2 && in_column[1] == 2 && in_column[2] == 2 && in_column[3] == 2;
    if (!is_valid || !(sum > best)) continue;
    best = sum;
    memcpy(masks, rows, sizeof rows);
  }
}

static void keep(
    const struct weight *weight, const char *from, char *to, int64_t row, int64_t column, unsigned mask) {
  size_t bytes = type_bytes(weight->view.type);
  for (int i = 0; i < 4; i++) {
    size_t offset = weight_place(weight, row, column + i);
    if (mask >> i & 1) memmove(to + offset, from + offset, bytes);
    else memset(to + offset, 0, bytes);
  }
}

void prune(const struct weight *weight, const void *from, void *to, int algorithm) {
  for (int64_t row = 0; row < weight->rows; row += 4) {
    for (int64_t column = 0; column < weight->columns; column += 4) {
      double magnitude[4][4];
      unsigned masks[4] = {0};
      for (int r = 0; r < 4; r++) magnitudes(weight, from, row + r, column, magnitude[r]);
      if (algorithm == PRUNE_TILE) tile_masks(magnitude, masks);
      for (int r = 0; r < 4; r++) {
        unsigned mask = algorithm == PRUNE_TILE ? masks[r] : strip_mask(magnitude[r]);
        keep(weight, from, to, row + r, column, mask);
      }
    }
  }
}

bool is_pruned(const struct weight *weight, const void *data) {
  for (int64_t row = 0; row < weight->rows; row++) {
    for (int64_t column = 0; column < weight->columns; column += 4) {
      int nonzeros = 0;
      for (int i = 0; i < 4; i++) nonzeros += weight_element(weight, data, row, column + i) != 0;
      if (nonzeros > 2) return false;
    }
  }
  return true;
}
