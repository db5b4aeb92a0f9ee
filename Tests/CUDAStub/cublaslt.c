// libcublasLt: dense products.
#include "product.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

// cublasStatus_t
enum { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID = 7, NOT_SUPPORTED = 15 };
// cublasComputeType_t
enum { COMPUTE_32F = 68, COMPUTE_32I = 72 };
enum { ALGORITHMS = 3, WORKSPACE_BYTES = 1 << 16 };

static struct object *live(enum kind kind, const void *address) {
  struct object *object = find(kind, address);
  if (object == NULL) violation("the %s does not live", kind_names[kind]);
  return object;
}

// What all creators and destroyers do.
static int make(enum kind kind, void **result, struct object **object) {
  if (result == NULL) return INVALID;
  *object = create(kind, NULL);
  *result = *object;
  return SUCCESS;
}

static int end(enum kind kind, const void *address) {
  struct object *object = live(kind, address);
  if (object == NULL) return INVALID;
  destroy(object);
  return SUCCESS;
}

int cublasLtCreate(void **handle) {
  ENTER(NULL);
  REQUIRE(setting(DEVICES) > 0, NOT_INITIALIZED);
  struct object *object;
  return leave(make(BLAS_HANDLE, handle, &object));
}

int cublasLtDestroy(void *handle) {
  ENTER(NULL);
  return leave(end(BLAS_HANDLE, handle));
}

size_t cublasLtGetVersion(void) {
  lock_state();
  size_t version = (size_t)setting(BLASLT_VERSION);
  unlock_state();
  return version;
}

// ---- What describes a product

int cublasLtMatmulDescCreate(void **matmul, int compute, int scale) {
  ENTER("compute=%d scale=%d", compute, scale);
  struct object *object;
  REQUIRE(make(BLAS_MATMUL, matmul, &object) == SUCCESS, INVALID);
  object->compute = compute;
  object->scale = scale;
  return leave(SUCCESS);
}

int cublasLtMatmulDescDestroy(void *matmul) {
  ENTER(NULL);
  return leave(end(BLAS_MATMUL, matmul));
}

int cublasLtMatmulDescSetAttribute(void *matmul, int attribute, const void *data, size_t bytes) {
  enum { TRANSPOSE_A = 3, TRANSPOSE_B = 4 };
  int32_t op = 0;
  if (data != NULL && bytes == sizeof op) memcpy(&op, data, sizeof op);
  ENTER("attribute=%d value=%d", attribute, op);
  struct object *object = live(BLAS_MATMUL, matmul);
  REQUIRE(object != NULL && data != NULL, INVALID);
  REQUIRE(attribute == TRANSPOSE_A || attribute == TRANSPOSE_B, NOT_SUPPORTED);
  REQUIRE(bytes == sizeof op && (op == 0 || op == 1), INVALID);
  *(attribute == TRANSPOSE_A ? &object->op_a : &object->op_b) = op;
  return leave(SUCCESS);
}

int cublasLtMatrixLayoutCreate(void **layout, int type, uint64_t rows, uint64_t columns, int64_t ld) {
  ENTER("%lldx%lld ld=%lld type=%d", (long long)rows, (long long)columns, (long long)ld, type);
  struct object *object;
  REQUIRE(make(LAYOUT, layout, &object) == SUCCESS, INVALID);
  object->view = (struct view){type, (int64_t)rows, (int64_t)columns, ld, false};
  return leave(SUCCESS);
}

int cublasLtMatrixLayoutDestroy(void *layout) {
  ENTER(NULL);
  return leave(end(LAYOUT, layout));
}

int cublasLtMatrixLayoutSetAttribute(void *layout, int attribute, const void *data, size_t bytes) {
  enum { ORDER = 1, COLUMNS = 0, ROWS = 1 };
  int32_t order = COLUMNS;
  if (data != NULL && bytes == sizeof order) memcpy(&order, data, sizeof order);
  ENTER("attribute=%d value=%d", attribute, order);
  struct object *object = live(LAYOUT, layout);
  REQUIRE(object != NULL && data != NULL, INVALID);
  REQUIRE(attribute == ORDER, NOT_SUPPORTED);
  REQUIRE(bytes == sizeof order && (order == COLUMNS || order == ROWS), INVALID);
  object->view.is_row_order = order == ROWS;
  return leave(SUCCESS);
}

int cublasLtMatmulPreferenceCreate(void **preference) {
  ENTER(NULL);
  struct object *object;
  return leave(make(PREFERENCE, preference, &object));
}

int cublasLtMatmulPreferenceDestroy(void *preference) {
  ENTER(NULL);
  return leave(end(PREFERENCE, preference));
}

int cublasLtMatmulPreferenceSetAttribute(
    void *preference, int attribute, const void *data, size_t bytes) {
  enum { MAX_WORKSPACE_BYTES = 1 };
  ENTER("attribute=%d", attribute);
  struct object *object = live(PREFERENCE, preference);
  uint64_t limit;
  REQUIRE(object != NULL && data != NULL, INVALID);
  REQUIRE(attribute == MAX_WORKSPACE_BYTES, NOT_SUPPORTED);
  REQUIRE(bytes == sizeof limit, INVALID);
  memcpy(&limit, data, sizeof limit);
  object->bytes = limit;
  return leave(SUCCESS);
}

// ---- Which products there are

struct product {
  const struct object *matmul;
  const struct view *a, *b, *c, *d;
  int64_t m, n, k;
};

// Whether the types can be multiplied; 8-bit operands only if the inputs of each lie side by side, in whole words.
static bool is_supported(const struct product *product) {
  const struct view *a = product->a, *b = product->b, *d = product->d;
  int compute = product->matmul->compute, scale = product->matmul->scale;
  if (a->type != b->type || product->c->type != d->type) return false;
  if (a->type == R_8I) {
    bool is_a_right = a->is_row_order == (product->matmul->op_a == 0);
    bool is_b_right = b->is_row_order == (product->matmul->op_b != 0);
    bool are_words = product->k % 4 == 0 && a->ld % 4 == 0 && b->ld % 4 == 0 && d->ld % 4 == 0;
    bool is_scale_right = d->type == scale || (d->type == R_8I && scale == R_32F);
    return compute == COMPUTE_32I && is_a_right && is_b_right && are_words && is_scale_right &&
           (d->type == R_32I || d->type == R_8I);
  }
  bool is_float = a->type == R_32F || a->type == R_16F || a->type == R_16BF;
  return compute == COMPUTE_32F && scale == R_32F && is_float && (d->type == a->type || d->type == R_32F);
}

// D = op(A) · op(B), if it is one that can be done: the status says.
static int product_of(
    const void *handle, const void *matmul, const void *a, const void *b, const void *c, const void *d,
    struct product *product) {
  if (live(BLAS_HANDLE, handle) == NULL) return NOT_INITIALIZED;
  const struct object *found = live(BLAS_MATMUL, matmul);
  const struct object *layouts[] = {live(LAYOUT, a), live(LAYOUT, b), live(LAYOUT, c), live(LAYOUT, d)};
  if (found == NULL) return INVALID;
  for (int i = 0; i < 4; i++) {
    if (layouts[i] == NULL || !is_view_sound(&layouts[i]->view)) return INVALID;
  }
  *product = (struct product){
      found, &layouts[0]->view, &layouts[1]->view, &layouts[2]->view, &layouts[3]->view, 0, 0, 0};
  product->m = product->d->rows;
  product->n = product->d->columns;
  product->k = found->op_a == 0 ? product->a->columns : product->a->rows;
  int64_t m = found->op_a == 0 ? product->a->rows : product->a->columns;
  int64_t n = found->op_b == 0 ? product->b->columns : product->b->rows;
  int64_t k = found->op_b == 0 ? product->b->rows : product->b->columns;
  if (product->m != m || product->n != n || product->k != k) return INVALID;
  if (product->c->rows != m || product->c->columns != n) return INVALID;
  detail(" %lldx%lldx%lld type=%d", (long long)m, (long long)n, (long long)k, product->a->type);
  return is_supported(product) ? SUCCESS : NOT_SUPPORTED;
}

// ---- Algorithms

// What the 64 bytes of an algorithm hold. It is for products of one size and type.
struct algorithm_bytes {
  uint64_t magic;
  int64_t m, n, k;
  int32_t type, index;
  uint64_t unused[3];
};

struct heuristic_result {
  struct algorithm_bytes algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

_Static_assert(sizeof(struct algorithm_bytes) == 64, "cublasLtMatmulAlgo_t");
_Static_assert(sizeof(struct heuristic_result) == 96, "cublasLtMatmulHeuristicResult_t");

static const uint64_t algorithm_magic = 0xB1A5A160B1A5A160;

// The second algorithm is the one that needs memory.
static size_t workspace_of(int index) { return index == 1 ? WORKSPACE_BYTES : 0; }

int cublasLtMatmulAlgoGetHeuristic(
    void *handle, void *matmul, void *a, void *b, void *c, void *d, void *preference, int requested,
    struct heuristic_result *results, int *returned) {
  ENTER("requested=%d", requested);
  REQUIRE(requested > 0 && results != NULL && returned != NULL, INVALID);
  *returned = 0;
  struct product product;
  int status = product_of(handle, matmul, a, b, c, d, &product);
  REQUIRE(status == SUCCESS, status);
  const struct object *limits = live(PREFERENCE, preference);
  REQUIRE(limits != NULL, INVALID);
  for (int index = 0; index < ALGORITHMS && *returned < requested; index++) {
    if (workspace_of(index) > limits->bytes) continue;
    struct heuristic_result *result = &results[(*returned)++];
    memset(result, 0, sizeof *result);
    result->algorithm = (struct algorithm_bytes){
        algorithm_magic, product.m, product.n, product.k, product.a->type, index, {0}};
    result->workspace = workspace_of(index);
    result->waves = 1;
  }
  return leave(SUCCESS);
}

// The number of an algorithm, that of the first without one; -1 for one that is for another product.
static int index_of_algorithm(const void *bytes, const struct product *product) {
  if (bytes == NULL) return 0;
  struct algorithm_bytes algorithm;
  memcpy(&algorithm, bytes, sizeof algorithm);
  bool is_right = algorithm.magic == algorithm_magic && algorithm.m == product->m &&
                  algorithm.n == product->n && algorithm.k == product->k &&
                  algorithm.type == product->a->type;
  return is_right ? algorithm.index : -1;
}

static double scale_factor(const struct object *matmul, const void *factor) {
  int32_t whole;
  float single;
  if (matmul->scale == R_32I) return memcpy(&whole, factor, sizeof whole), whole;
  return memcpy(&single, factor, sizeof single), single;
}

int cublasLtMatmul(
    void *handle, void *matmul, const void *alpha, const void *a, void *a_layout, const void *b,
    void *b_layout, const void *beta, const void *c, void *c_layout, void *d, void *d_layout,
    const void *algorithm, void *workspace, size_t workspace_bytes, void *stream) {
  ENTER(NULL);
  struct product product;
  int status = product_of(handle, matmul, a_layout, b_layout, c_layout, d_layout, &product);
  REQUIRE(status == SUCCESS, status);
  int index = index_of_algorithm(algorithm, &product);
  detail(" algorithm=%d", index);
  REQUIRE(alpha != NULL && beta != NULL && index >= 0 && is_stream(stream), INVALID);
  double alpha_value = scale_factor(product.matmul, alpha), beta_value = scale_factor(product.matmul, beta);

  bool is_right = is_device(a, view_bytes(product.a), 4, "A");
  is_right &= is_device(b, view_bytes(product.b), 4, "B");
  is_right &= beta_value == 0 || is_device(c, view_bytes(product.c), 4, "C");
  is_right &= is_device(d, view_bytes(product.d), 4, "D");
  size_t needed = workspace_of(index);
  if (workspace_bytes < needed) is_right = violation("the workspace is too small");
  is_right &= workspace_bytes == 0 || is_device(workspace, workspace_bytes, 16, "the workspace");
  REQUIRE(is_right, INVALID);

  struct job job = {
      {a, false, *product.a, product.matmul->op_a != 0},
      {b, false, *product.b, product.matmul->op_b == 0},
      {0}, product.k, alpha_value, *product.d, d};
  start_product(&job, product.c, c, beta_value);
  struct work work = {product.m, product.n, product.k, product.a->type, false, index, 1, 0};
  advance(product_nanoseconds(&work));
  return leave(SUCCESS);
}

// ---- Errors

static const struct {
  int status;
  const char *name, *message;
} errors[] = {
    {SUCCESS, "CUBLAS_STATUS_SUCCESS", "success"},
    {NOT_INITIALIZED, "CUBLAS_STATUS_NOT_INITIALIZED", "the library was not initialized"},
    {3, "CUBLAS_STATUS_ALLOC_FAILED", "resource allocation failed"},
    {INVALID, "CUBLAS_STATUS_INVALID_VALUE", "an unsupported value or parameter was passed"},
    {8, "CUBLAS_STATUS_ARCH_MISMATCH", "the device lacks a feature that is needed"},
    {11, "CUBLAS_STATUS_MAPPING_ERROR", "an access to GPU memory failed"},
    {13, "CUBLAS_STATUS_EXECUTION_FAILED", "the GPU program failed to execute"},
    {14, "CUBLAS_STATUS_INTERNAL_ERROR", "an internal operation failed"},
    {NOT_SUPPORTED, "CUBLAS_STATUS_NOT_SUPPORTED", "the functionality is not supported"},
};

const char *cublasLtGetStatusName(int status) {
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    if (errors[i].status == status) return errors[i].name;
  }
  return "unknown status";
}

const char *cublasLtGetStatusString(int status) {
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    if (errors[i].status == status) return errors[i].message;
  }
  return "unknown status";
}
