// libcusparseLt: the handle, and what describes matrices and products.
#include "sparse.h"

#include <string.h>

struct object *handle_of(const void *handle) { return open_sealed(handle, SPARSE_HANDLE); }

int cusparseLtInit(void *handle) {
  ENTER(NULL);
  REQUIRE(setting(DEVICES) > 0, NOT_INITIALIZED);
  REQUIRE(setting(CAPABILITY) >= 80, ARCH_MISMATCH);
  return leave(seal(handle, SPARSE_HANDLE) != NULL ? SUCCESS : INVALID);
}

int cusparseLtDestroy(const void *handle) {
  ENTER(NULL);
  struct object *object = handle_of(handle);
  REQUIRE(object != NULL, INVALID);
  int64_t plans = live_count(PLAN);
  if (plans > 0) violation("the handle is destroyed while plans live: %lld", (long long)plans);
  end_matmuls(object);
  unseal(object);
  return leave(SUCCESS);
}

int cusparseLtGetVersion(const void *handle, int *version) {
  ENTER(NULL);
  REQUIRE(handle_of(handle) != NULL && version != NULL, INVALID);
  *version = (int)setting(SPARSELT_VERSION);
  return leave(SUCCESS);
}

int cusparseLtGetProperty(int property, int *value) {
  ENTER("%d", property);
  REQUIRE(value != NULL && property >= 0 && property <= 2, INVALID);
  int version = (int)setting(SPARSELT_VERSION);
  int parts[3] = {version / 1000000, version % 1000000 / 100, version % 100};
  *value = parts[property];
  return leave(SUCCESS);
}

// ---- Matrices

// Both kinds; `multiple` is what rows, columns and the leading dimension must be multiples of, 0 for a type
// that is not taken.
static int describe_matrix(
    const void *handle, void *memory, struct view view, int order, uint32_t alignment, bool is_structured,
    int multiple) {
  if (handle_of(handle) == NULL || memory == NULL) return INVALID;
  if ((order != 1 && order != 2) || alignment == 0 || alignment % 16 != 0) return INVALID;
  view.is_row_order = order == 2;
  if (!is_view_sound(&view)) return INVALID;
  if (multiple == 0) return NOT_SUPPORTED;
  if (view.rows % multiple != 0 || view.columns % multiple != 0 || view.ld % multiple != 0) {
    return NOT_SUPPORTED;
  }
  struct object *matrix = seal(memory, MATRIX);
  if (matrix == NULL) return INVALID;
  matrix->view = view;
  matrix->is_structured = is_structured;
  return SUCCESS;
}

int cusparseLtDenseDescriptorInit(
    const void *handle, void *matrix, int64_t rows, int64_t columns, int64_t ld, uint32_t alignment, int type,
    int order) {
  ENTER("%lldx%lld ld=%lld type=%d order=%d", (long long)rows, (long long)columns, (long long)ld, type, order);
  // Rows of whole 16 bytes.
  int multiple = type_bytes(type) == 0 ? 0 : 16 / (int)type_bytes(type);
  struct view view = {type, rows, columns, ld, true};
  return leave(describe_matrix(handle, matrix, view, order, alignment, false, multiple));
}

int cusparseLtStructuredDescriptorInit(
    const void *handle, void *matrix, int64_t rows, int64_t columns, int64_t ld, uint32_t alignment, int type,
    int order, int sparsity) {
  ENTER("%lldx%lld type=%d order=%d", (long long)rows, (long long)columns, type, order);
  REQUIRE(sparsity == 0, INVALID);
  int multiple = type == R_8I ? 32 : type == R_16F || type == R_16BF ? 16 : 0;
  struct view view = {type, rows, columns, ld, true};
  return leave(describe_matrix(handle, matrix, view, order, alignment, true, multiple));
}

int cusparseLtMatDescriptorDestroy(const void *matrix) {
  ENTER(NULL);
  struct object *object = open_sealed(matrix, MATRIX);
  REQUIRE(object != NULL, INVALID);
  unseal(object);
  return leave(SUCCESS);
}

// Batches of one are all there is.
int cusparseLtMatDescSetAttribute(
    const void *handle, void *matrix, int attribute, const void *data, size_t bytes) {
  ENTER("attribute=%d", attribute);
  REQUIRE(handle_of(handle) != NULL && open_sealed(matrix, MATRIX) != NULL, INVALID);
  REQUIRE(data != NULL, INVALID);
  if (attribute == 1) return leave(bytes == sizeof(int64_t) ? SUCCESS : INVALID);
  int count;
  REQUIRE(attribute == 0 && bytes == sizeof count, INVALID);
  memcpy(&count, data, sizeof count);
  return leave(count == 1 ? SUCCESS : NOT_SUPPORTED);
}

int cusparseLtMatDescGetAttribute(
    const void *handle, const void *matrix, int attribute, void *data, size_t bytes) {
  ENTER("attribute=%d", attribute);
  REQUIRE(handle_of(handle) != NULL && open_sealed(matrix, MATRIX) != NULL, INVALID);
  int count = 1;
  int64_t stride = 0;
  size_t size = attribute == 0 ? sizeof count : sizeof stride;
  REQUIRE((attribute == 0 || attribute == 1) && data != NULL && bytes == size, INVALID);
  memcpy(data, attribute == 0 ? (void *)&count : (void *)&stride, size);
  return leave(SUCCESS);
}

// ---- Products

// D = op(A) · op(B): whether the sizes fit.
static bool do_sizes_fit(const struct object *matmul) {
  const struct view *a = &matmul->a->view, *b = &matmul->b->view;
  const struct view *c = &matmul->c->view, *d = &matmul->d->view;
  int64_t m = matmul->op_a == 0 ? a->rows : a->columns, k = matmul->op_a == 0 ? a->columns : a->rows;
  int64_t n = matmul->op_b == 0 ? b->columns : b->rows;
  bool is_inner_same = k == (matmul->op_b == 0 ? b->rows : b->columns);
  bool is_c_same = c->rows == d->rows && c->columns == d->columns && c->is_row_order == d->is_row_order;
  return is_inner_same && d->rows == m && d->columns == n && is_c_same;
}

// Whether there is a kernel for the types, and for 8 bits for the orders.
static bool is_supported(const struct object *matmul) {
  enum { COMPUTE_32I = 0, COMPUTE_16F = 1, COMPUTE_32F = 2 };
  const struct object *a = matmul->a, *b = matmul->b, *c = matmul->c, *d = matmul->d;
  if (a->is_structured == b->is_structured || c->is_structured || d->is_structured) return false;
  int type = a->view.type, out = d->view.type, compute = matmul->compute;
  if (b->view.type != type || c->view.type != out) return false;
  if (type == R_16F) return out == R_16F && (compute == COMPUTE_16F || compute == COMPUTE_32F);
  if (type == R_16BF) return out == R_16BF && compute == COMPUTE_32F;
  if (type != R_8I || compute != COMPUTE_32I) return false;
  // The inputs of each operand must lie side by side.
  bool is_a_right = a->view.is_row_order == (matmul->op_a == 0);
  bool is_b_right = b->view.is_row_order == (matmul->op_b != 0);
  bool is_out_right = out == R_8I || out == R_32I || out == R_16F || out == R_16BF;
  return is_a_right && is_b_right && is_out_right;
}

int cusparseLtMatmulDescriptorInit(
    const void *handle, void *matmul, int op_a, int op_b, const void *a, const void *b, const void *c,
    const void *d, int compute) {
  ENTER("opA=%d opB=%d compute=%d", op_a, op_b, compute);
  struct object made = {.handle = handle_of(handle), .op_a = op_a, .op_b = op_b, .compute = compute};
  REQUIRE(made.handle != NULL && matmul != NULL, INVALID);
  REQUIRE((op_a == 0 || op_a == 1) && (op_b == 0 || op_b == 1), INVALID);
  made.a = open_sealed(a, MATRIX);
  made.b = open_sealed(b, MATRIX);
  made.c = open_sealed(c, MATRIX);
  made.d = open_sealed(d, MATRIX);
  REQUIRE(made.a != NULL && made.b != NULL && made.c != NULL && made.d != NULL, INVALID);
  REQUIRE(do_sizes_fit(&made), INVALID);
  REQUIRE(is_supported(&made), NOT_SUPPORTED);
  struct object *object = seal(matmul, MATMUL);
  REQUIRE(object != NULL, INVALID);
  object->handle = made.handle;
  object->a = made.a;
  object->b = made.b;
  object->c = made.c;
  object->d = made.d;
  object->op_a = op_a;
  object->op_b = op_b;
  object->compute = compute;
  return leave(SUCCESS);
}

// Only the place of the sparse matrix can be told, which changes nothing: activations, biases and scales are not done.
enum { SPARSE_MAT_POINTER = 9 };

int cusparseLtMatmulDescSetAttribute(
    const void *handle, void *matmul, int attribute, const void *data, size_t bytes) {
  ENTER("attribute=%d", attribute);
  struct object *object = handle_of(handle) != NULL ? open_sealed(matmul, MATMUL) : NULL;
  REQUIRE(object != NULL && data != NULL, INVALID);
  REQUIRE(attribute == SPARSE_MAT_POINTER, NOT_SUPPORTED);
  REQUIRE(bytes == sizeof object->sparse_pointer, INVALID);
  memcpy(&object->sparse_pointer, data, bytes);
  return leave(SUCCESS);
}

int cusparseLtMatmulDescGetAttribute(
    const void *handle, const void *matmul, int attribute, void *data, size_t bytes) {
  ENTER("attribute=%d", attribute);
  struct object *object = handle_of(handle) != NULL ? open_sealed(matmul, MATMUL) : NULL;
  REQUIRE(object != NULL && data != NULL, INVALID);
  REQUIRE(attribute == SPARSE_MAT_POINTER, NOT_SUPPORTED);
  REQUIRE(bytes == sizeof object->sparse_pointer, INVALID);
  memcpy(data, &object->sparse_pointer, bytes);
  return leave(SUCCESS);
}

// ---- Errors

static const char *const names[] = {
    "CUSPARSE_STATUS_SUCCESS",           "CUSPARSE_STATUS_NOT_INITIALIZED",
    "CUSPARSE_STATUS_ALLOC_FAILED",      "CUSPARSE_STATUS_INVALID_VALUE",
    "CUSPARSE_STATUS_ARCH_MISMATCH",     "CUSPARSE_STATUS_MAPPING_ERROR",
    "CUSPARSE_STATUS_EXECUTION_FAILED",  "CUSPARSE_STATUS_INTERNAL_ERROR",
    "CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED", "CUSPARSE_STATUS_ZERO_PIVOT",
    "CUSPARSE_STATUS_NOT_SUPPORTED",     "CUSPARSE_STATUS_INSUFFICIENT_RESOURCES",
};

static const char *const messages[] = {
    "success",
    "initialization error",
    "resource allocation failed",
    "invalid value",
    "architecture mismatch",
    "mapping error",
    "kernel launch failure",
    "internal error",
    "matrix type not supported",
    "zero pivot",
    "operation not supported",
    "insufficient resources",
};

const char *cusparseLtGetErrorName(int status) {
  return status >= 0 && status <= 11 ? names[status] : "unrecognized error code";
}

const char *cusparseLtGetErrorString(int status) {
  return status >= 0 && status <= 11 ? messages[status] : "unrecognized error code";
}
