// libcusparseLt: algorithms, plans, and the product itself.
#include "sparse.h"

#include <stdlib.h>
#include <string.h>

// ---- The choice of an algorithm

enum { CONFIG_ID, CONFIG_MAX_ID, SEARCH_ITERATIONS, SPLIT_K, SPLIT_K_MODE, SPLIT_K_BUFFERS };
enum { CONFIGURATIONS = 6, LARGEST_SPLIT = 8, SEGMENTS = -1, TWO_KERNELS = 2 };

int cusparseLtMatmulAlgSelectionInit(
    const void *handle, void *selection, const void *matmul, int algorithm) {
  ENTER(NULL);
  struct object *product = handle_of(handle) != NULL ? open_sealed(matmul, MATMUL) : NULL;
  REQUIRE(product != NULL && algorithm == 0, INVALID);
  struct object *object = seal(selection, ALGORITHM);
  REQUIRE(object != NULL, INVALID);
  object->matmul = product;
  object->algorithm = (struct algorithm){.iterations = 10, .split = 1};
  return leave(SUCCESS);
}

int cusparseLtMatmulAlgSelectionDestroy(const void *selection) {
  ENTER(NULL);
  struct object *object = open_sealed(selection, ALGORITHM);
  REQUIRE(object != NULL, INVALID);
  unseal(object);
  return leave(SUCCESS);
}

// Modes beyond two kernels came with 0.7.1.
static int last_split_mode(void) { return setting(SPARSELT_VERSION) >= 701 ? 6 : TWO_KERNELS; }

int cusparseLtMatmulAlgSetAttribute(
    const void *handle, void *selection, int attribute, const void *data, size_t bytes) {
  int value = 0;
  if (data != NULL && bytes == sizeof value) memcpy(&value, data, sizeof value);
  ENTER("attribute=%d value=%d", attribute, value);
  struct object *object = handle_of(handle) != NULL ? open_sealed(selection, ALGORITHM) : NULL;
  REQUIRE(object != NULL && data != NULL && bytes == sizeof value, INVALID);
  REQUIRE(value >= 0 || (attribute == SPLIT_K && value == SEGMENTS), INVALID);
  struct algorithm *algorithm = &object->algorithm;
  switch (attribute) {
  case CONFIG_ID:
    REQUIRE(value < CONFIGURATIONS, INVALID);
    algorithm->configuration = value;
    break;
  case SEARCH_ITERATIONS:
    REQUIRE(value >= 1, INVALID);
    algorithm->iterations = value;
    break;
  case SPLIT_K:
    REQUIRE(value != 0, INVALID);
    algorithm->split = value;
    break;
  case SPLIT_K_MODE:
    REQUIRE(value <= last_split_mode(), INVALID);
    algorithm->split_mode = value;
    break;
  case SPLIT_K_BUFFERS: algorithm->split_buffers = value; break;
  default: return leave(INVALID);
  }
  return leave(SUCCESS);
}

int cusparseLtMatmulAlgGetAttribute(
    const void *handle, const void *selection, int attribute, void *data, size_t bytes) {
  ENTER("attribute=%d", attribute);
  struct object *object = handle_of(handle) != NULL ? open_sealed(selection, ALGORITHM) : NULL;
  REQUIRE(object != NULL && data != NULL && bytes == sizeof(int), INVALID);
  REQUIRE(attribute >= CONFIG_ID && attribute <= SPLIT_K_BUFFERS, INVALID);
  const struct algorithm *algorithm = &object->algorithm;
  const int values[] = {algorithm->configuration, CONFIGURATIONS,        algorithm->iterations,
                        algorithm->split,         algorithm->split_mode, algorithm->split_buffers};
  memcpy(data, &values[attribute], sizeof(int));
  return leave(SUCCESS);
}

// ---- Plans

// Of parts that are summed, as many buffers as there are sums to keep beside the result at most.
static bool is_possible(const struct algorithm *algorithm) {
  int mode = algorithm->split_mode, split = algorithm->split;
  if (mode > last_split_mode()) return false;
  if (split == 1) return true;
  // From 9.0 on the library itself says how sums are cut, or they stay whole.
  if (setting(CAPABILITY) >= 90) return split == SEGMENTS && algorithm->split_buffers == 0;
  if (split == SEGMENTS || split > LARGEST_SPLIT) return false;
  bool can_split = mode != 0 && mode != 4;   // neither invalid nor data-parallel
  return can_split && algorithm->split_buffers < split;
}

// Whether all that a matmul was made of is there.
static bool is_complete(const struct object *matmul) {
  return is_whole(matmul->a) && is_whole(matmul->b) && is_whole(matmul->c) && is_whole(matmul->d);
}

// A plan that can be used: all that it was made of is there.
static struct object *plan_of(const void *handle, const void *plan) {
  struct object *object = handle_of(handle) != NULL ? open_sealed(plan, PLAN) : NULL;
  bool is_usable = object != NULL && is_whole(object->matmul) && is_complete(object->matmul) &&
                   is_whole(object->selection);
  return is_usable ? object : NULL;
}

static struct weight sparse_operand(const struct object *matmul) {
  bool is_a = matmul->a->is_structured;
  return weight_of(is_a ? matmul->a : matmul->b, is_a, is_a ? matmul->op_a : matmul->op_b);
}

static struct work work_of(const struct object *matmul, const struct algorithm *algorithm) {
  const struct view *d = &matmul->d->view;
  return (struct work){
      d->rows, d->columns, sparse_operand(matmul).columns, matmul->a->view.type, true,
      algorithm->configuration, algorithm->split, algorithm->split_mode};
}

static void log_plan(const struct object *plan) {
  struct work work = work_of(plan->matmul, &plan->algorithm);
  detail(
      " %lldx%lldx%lld type=%d configuration=%d split=%d mode=%d", (long long)work.m, (long long)work.n,
      (long long)work.k, work.type, work.configuration, work.split, work.split_mode);
}

int cusparseLtMatmulPlanInit(
    const void *handle, void *plan, const void *matmul, const void *selection) {
  ENTER(NULL);
  REQUIRE(handle_of(handle) != NULL, INVALID);
  struct object *product = open_sealed(matmul, MATMUL), *choice = open_sealed(selection, ALGORITHM);
  REQUIRE(product != NULL && choice != NULL && choice->matmul == product, INVALID);
  REQUIRE(is_complete(product), INVALID);
  REQUIRE(is_possible(&choice->algorithm), NOT_SUPPORTED);
  struct object *object = seal(plan, PLAN);
  REQUIRE(object != NULL, INVALID);
  object->matmul = product;
  object->selection = choice;
  object->algorithm = choice->algorithm;
  log_plan(object);
  return leave(SUCCESS);
}

int cusparseLtMatmulPlanDestroy(const void *plan) {
  ENTER(NULL);
  struct object *object = open_sealed(plan, PLAN);
  REQUIRE(object != NULL, INVALID);
  unseal(object);
  return leave(SUCCESS);
}

// The parts of the sums, in 32 bits each.
static size_t workspace_bytes(const struct object *plan) {
  const struct view *d = &plan->matmul->d->view;
  int split = plan->algorithm.split;
  if (split == 1) return 0;
  return (size_t)(d->rows * d->columns) * 4 * (size_t)(split == SEGMENTS ? 2 : split);
}

int cusparseLtMatmulGetWorkspace(const void *handle, const void *plan, size_t *bytes) {
  ENTER(NULL);
  struct object *object = plan_of(handle, plan);
  REQUIRE(object != NULL && bytes != NULL, INVALID);
  *bytes = workspace_bytes(object);
  return leave(SUCCESS);
}

// ---- Products

struct operands {
  const float *alpha, *beta;
  const void *a, *b, *c, *d;
  void *const *streams;
  int32_t stream_count;
};

static bool are_sound(const struct operands *operands, const struct object *matmul) {
  if (operands->alpha == NULL || operands->beta == NULL) return false;
  struct weight weight = sparse_operand(matmul);
  bool is_a_sparse = matmul->a->is_structured;
  size_t a_bytes = is_a_sparse ? blob_bytes(&weight) : view_bytes(&matmul->a->view);
  size_t b_bytes = is_a_sparse ? view_bytes(&matmul->b->view) : blob_bytes(&weight);
  bool is_right = is_device(operands->a, a_bytes, 16, "A");
  is_right &= is_device(operands->b, b_bytes, 16, "B");
  is_right &= is_device(operands->c, view_bytes(&matmul->c->view), 16, "C");
  is_right &= is_device(operands->d, view_bytes(&matmul->d->view), 16, "D");
  for (int32_t i = 0; i < operands->stream_count; i++) is_right &= is_stream(operands->streams[i]);
  return is_right;
}

static void start(const struct operands *operands, const struct object *matmul, void *d) {
  bool is_a_sparse = matmul->a->is_structured;
  struct weight weight = sparse_operand(matmul);
  struct job job = {
      {operands->a, is_a_sparse, matmul->a->view, matmul->op_a != 0},
      {operands->b, !is_a_sparse, matmul->b->view, matmul->op_b == 0},
      weight, weight.columns, (double)*operands->alpha, matmul->d->view, d};
  start_product(&job, &matmul->c->view, operands->c, (double)*operands->beta);
}

int cusparseLtMatmul(
    const void *handle, const void *plan, const void *alpha, const void *a, const void *b, const void *beta,
    const void *c, void *d, void *workspace, void **streams, int32_t stream_count) {
  ENTER(NULL);
  struct object *object = plan_of(handle, plan);
  REQUIRE(object != NULL, INVALID);
  log_plan(object);
  struct operands operands = {alpha, beta, a, b, c, d, streams, stream_count};
  REQUIRE(are_sound(&operands, object->matmul), INVALID);
  size_t needed = workspace_bytes(object);
  REQUIRE(needed == 0 || is_device(workspace, needed, 16, "the workspace"), INVALID);
  start(&operands, object->matmul, d);
  struct work work = work_of(object->matmul, &object->algorithm);
  advance(product_nanoseconds(&work));
  return leave(SUCCESS);
}

// Tries all configurations with whole sums.
int cusparseLtMatmulSearch(
    const void *handle, void *plan, const void *alpha, const void *a, const void *b, const void *beta,
    const void *c, void *d, void *workspace, void **streams, int32_t stream_count) {
  ENTER(NULL);
  struct object *object = plan_of(handle, plan);
  REQUIRE(object != NULL, INVALID);
  log_plan(object);
  struct operands operands = {alpha, beta, a, b, c, d, streams, stream_count};
  REQUIRE(are_sound(&operands, object->matmul), INVALID);
  REQUIRE(workspace == NULL || is_device(workspace, 1, 16, "the workspace"), INVALID);
  start(&operands, object->matmul, d);
  struct algorithm best = object->algorithm;
  int64_t shortest = INT64_MAX;
  for (int configuration = 0; configuration < CONFIGURATIONS; configuration++) {
    struct algorithm tried = {configuration, best.iterations, 1, 0, 0};
    struct work work = work_of(object->matmul, &tried);
    int64_t time = product_nanoseconds(&work);
    advance(time * tried.iterations);
    if (time >= shortest) continue;
    shortest = time;
    best = tried;
  }
  object->algorithm = best;
  object->selection->algorithm = best;
  return leave(SUCCESS);
}
