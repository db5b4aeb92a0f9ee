// How long work takes on a card that does not exist: CUDAStub.h has the formula.
#include "state.h"

static int64_t clock_time;

int64_t now(void) { return clock_time; }

void advance(int64_t nanoseconds) { clock_time += nanoseconds; }

void reset_clock(void) { clock_time = 0; }

static int64_t percent_of_configuration(const struct work *work, bool is_few) {
  int best = work->is_sparse ? (is_few ? 4 : 1) : (is_few ? 1 : 0);
  int distance = work->configuration > best ? work->configuration - best : best - work->configuration;
  return 100 + (work->is_sparse ? 10 : 15) * distance;
}

// Few rows leave most of the card idle: parts of the sums keep more of it at work, up to four.
static int64_t percent_of_split(const struct work *work, bool is_few) {
  int parts = work->split;
  if (parts < 0) return is_few ? 60 : 110;
  if (!is_few) return 100 + 10 * (parts - 1);
  return parts <= 4 ? 100 - 15 * (parts - 1) : 55 + 10 * (parts - 4);
}

int64_t product_nanoseconds(const struct work *work) {
  bool is_few = (work->m < work->n ? work->m : work->n) <= 64;
  int64_t speed = work->type == R_32F ? 8 : work->type == R_8I ? 128 : 64;
  if (work->is_sparse) speed *= 2;
  int64_t time = work->m * work->n * work->k / speed;
  time = time * percent_of_configuration(work, is_few) / 100;
  time = time * percent_of_split(work, is_few) / 100;
  bool is_second_kernel = work->split > 1 && work->split_mode == 2;
  return 1000 + time + (is_second_kernel ? 500 : 0);
}

int64_t transfer_nanoseconds(size_t bytes) { return 1000 + (int64_t)(bytes / 64); }
