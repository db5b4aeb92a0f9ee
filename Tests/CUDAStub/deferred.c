// Products are computed when somebody could see them: those that a later one overwrites unseen, as in a loop that
// measures them, cost nothing.
#include "sparse.h"

#include <stdlib.h>

static struct job pending;
static bool is_pending;

static float *operand(const struct operand *operand, const struct weight *weight) {
  return operand->is_weight ? decompress(weight, operand->data)
                            : values_of(&operand->view, operand->data, operand->is_transposed);
}

static void run(const struct job *job, const struct view *c_view, const void *c, double beta) {
  float *a = operand(&job->a, &job->weight), *b = operand(&job->b, &job->weight);
  multiply(a, b, job->k, job->a.view.type == R_8I, job->alpha, beta, c_view, c, &job->d_view, job->d);
  free(a);
  free(b);
}

static bool overlap(const void *x, size_t x_bytes, const void *y, size_t y_bytes) {
  const char *a = x, *b = y;
  return a < b + y_bytes && b < a + x_bytes;
}

static bool reads(const struct job *job, const void *data, size_t bytes) {
  const struct operand *operands[] = {&job->a, &job->b};
  for (int i = 0; i < 2; i++) {
    size_t operand_bytes = operands[i]->is_weight ? blob_bytes(&job->weight) : view_bytes(&operands[i]->view);
    if (overlap(operands[i]->data, operand_bytes, data, bytes)) return true;
  }
  return false;
}

void start_product(const struct job *job, const struct view *c_view, const void *c, double beta) {
  size_t bytes = view_bytes(&job->d_view);
  bool replaces = is_pending && pending.d == job->d && view_bytes(&pending.d_view) <= bytes &&
                  !reads(job, pending.d, view_bytes(&pending.d_view)) && beta == 0;
  if (!replaces) finish_products();
  if (beta != 0) {
    run(job, c_view, c, beta);
  } else {
    pending = *job;
    is_pending = true;
  }
}

void finish_products(void) {
  if (is_pending) run(&pending, NULL, NULL, 0);
  is_pending = false;
}

void finish_products_of(const void *data, size_t bytes) {
  if (!is_pending) return;
  if (reads(&pending, data, bytes) || overlap(pending.d, view_bytes(&pending.d_view), data, bytes)) {
    finish_products();
  }
}

void forget_products_in(const void *data, size_t bytes) {
  if (is_pending && overlap(pending.d, view_bytes(&pending.d_view), data, bytes)) is_pending = false;
  finish_products_of(data, bytes);
}

void drop_products(void) { is_pending = false; }
