// libcusparseLt: pruning and compressing, for a product or for a matrix alone.
#include "sparse.h"

// Whatever it is: to be told, so that a caller must ask for it and allocate it.
enum { COMPRESSION_BUFFER_BYTES = 1024 };

// Which matrix a call is about; false where it cannot be told.
static bool of_matrix(
    const void *handle, const void *matrix, int is_a, int op, struct weight *weight) {
  struct object *object = handle_of(handle) != NULL ? open_sealed(matrix, MATRIX) : NULL;
  if (object == NULL || !object->is_structured || (op != 0 && op != 1)) return false;
  *weight = weight_of(object, is_a != 0, op);
  return true;
}

static bool of_matmul(const struct object *matmul, struct weight *weight) {
  if (matmul == NULL) return false;
  bool is_a = matmul->a->is_structured;
  const struct object *matrix = is_a ? matmul->a : matmul->b;
  if (!is_whole(matrix)) return false;
  *weight = weight_of(matrix, is_a, is_a ? matmul->op_a : matmul->op_b);
  return true;
}

static bool of_product(const void *handle, const void *matmul, struct weight *weight) {
  return of_matmul(handle_of(handle) != NULL ? open_sealed(matmul, MATMUL) : NULL, weight);
}

static bool of_plan(const void *handle, const void *plan, struct weight *weight) {
  struct object *object = handle_of(handle) != NULL ? open_sealed(plan, PLAN) : NULL;
  return object != NULL && is_whole(object->matmul) && of_matmul(object->matmul, weight);
}

// ---- Pruning

static int prune_weight(
    const struct weight *weight, const void *in, void *out, int algorithm, const void *stream) {
  if (algorithm != PRUNE_TILE && algorithm != PRUNE_STRIP) return INVALID;
  size_t bytes = view_bytes(&weight->view);
  bool is_right = is_device(in, bytes, 16, "the input");
  is_right &= is_device(out, bytes, 16, "the output");
  if (!is_right || !is_stream(stream)) return INVALID;
  finish_products();
  prune(weight, in, out, algorithm);
  advance(transfer_nanoseconds(bytes));
  return SUCCESS;
}

static int check_weight(
    const struct weight *weight, const void *in, int *valid, const void *stream) {
  size_t bytes = view_bytes(&weight->view);
  bool is_right = is_device(in, bytes, 16, "the input");
  is_right &= is_device(valid, sizeof *valid, sizeof *valid, "the answer");
  if (!is_right || !is_stream(stream)) return INVALID;
  bool is_wrong = setting(WRONG_PRUNE_CHECK) != 0;
  finish_products();
  bool is_good = is_pruned(weight, in);
  *valid = is_good == is_wrong;   // 0 is the good answer
  advance(transfer_nanoseconds(bytes));
  return SUCCESS;
}

int cusparseLtSpMMAPrune(
    const void *handle, const void *matmul, const void *in, void *out, int algorithm, void *stream) {
  ENTER("algorithm=%d", algorithm);
  struct weight weight;
  REQUIRE(of_product(handle, matmul, &weight), INVALID);
  return leave(prune_weight(&weight, in, out, algorithm, stream));
}

int cusparseLtSpMMAPruneCheck(
    const void *handle, const void *matmul, const void *in, int *valid, void *stream) {
  ENTER(NULL);
  struct weight weight;
  REQUIRE(of_product(handle, matmul, &weight), INVALID);
  return leave(check_weight(&weight, in, valid, stream));
}

int cusparseLtSpMMAPrune2(
    const void *handle, const void *matrix, int is_a, int op, const void *in, void *out, int algorithm,
    void *stream) {
  ENTER("isSparseA=%d op=%d algorithm=%d", is_a, op, algorithm);
  struct weight weight;
  REQUIRE(of_matrix(handle, matrix, is_a, op, &weight), INVALID);
  return leave(prune_weight(&weight, in, out, algorithm, stream));
}

int cusparseLtSpMMAPruneCheck2(
    const void *handle, const void *matrix, int is_a, int op, const void *in, int *valid, void *stream) {
  ENTER("isSparseA=%d op=%d", is_a, op);
  struct weight weight;
  REQUIRE(of_matrix(handle, matrix, is_a, op, &weight), INVALID);
  return leave(check_weight(&weight, in, valid, stream));
}

// ---- Compressing

static int tell_sizes(const struct weight *weight, size_t *bytes, size_t *buffer_bytes) {
  if (bytes == NULL || buffer_bytes == NULL) return INVALID;
  *bytes = blob_bytes(weight);
  *buffer_bytes = COMPRESSION_BUFFER_BYTES;
  return SUCCESS;
}

static int compress_weight(
    const struct weight *weight, const void *dense, void *blob, const void *buffer, const void *stream) {
  size_t bytes = view_bytes(&weight->view);
  bool is_right = is_device(dense, bytes, 16, "the dense matrix");
  is_right &= is_device(blob, blob_bytes(weight), 16, "the compressed matrix");
  is_right &= is_device(buffer, COMPRESSION_BUFFER_BYTES, 16, "the buffer");
  if (!is_right || !is_stream(stream)) return INVALID;
  finish_products();
  compress(weight, dense, blob);
  advance(transfer_nanoseconds(bytes));
  return SUCCESS;
}

int cusparseLtSpMMACompressedSize(
    const void *handle, const void *plan, size_t *bytes, size_t *buffer_bytes) {
  ENTER(NULL);
  struct weight weight;
  REQUIRE(of_plan(handle, plan, &weight), INVALID);
  return leave(tell_sizes(&weight, bytes, buffer_bytes));
}

int cusparseLtSpMMACompress(
    const void *handle, const void *plan, const void *dense, void *blob, void *buffer, void *stream) {
  ENTER(NULL);
  struct weight weight;
  REQUIRE(of_plan(handle, plan, &weight), INVALID);
  return leave(compress_weight(&weight, dense, blob, buffer, stream));
}

// The size is the same whichever way the groups lie.
int cusparseLtSpMMACompressedSize2(
    const void *handle, const void *matrix, size_t *bytes, size_t *buffer_bytes) {
  ENTER(NULL);
  struct weight weight;
  REQUIRE(of_matrix(handle, matrix, 1, 0, &weight), INVALID);
  return leave(tell_sizes(&weight, bytes, buffer_bytes));
}

int cusparseLtSpMMACompress2(
    const void *handle, const void *matrix, int is_a, int op, const void *dense, void *blob, void *buffer,
    void *stream) {
  ENTER("isSparseA=%d op=%d", is_a, op);
  struct weight weight;
  REQUIRE(of_matrix(handle, matrix, is_a, op, &weight), INVALID);
  return leave(compress_weight(&weight, dense, blob, buffer, stream));
}
