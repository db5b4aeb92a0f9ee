// 2:4 weights as cuSPARSELt prunes and compresses them.
#ifndef CUDA_STUB_SPARSE_H
#define CUDA_STUB_SPARSE_H

#include "product.h"

#pragma GCC visibility push(hidden)

// cusparseStatus_t
enum { SUCCESS = 0, NOT_INITIALIZED = 1, ALLOC_FAILED = 2, INVALID = 3, ARCH_MISMATCH = 4, NOT_SUPPORTED = 10 };

// A matrix as a 2:4 weight.
struct weight weight_of(const struct object *matrix, bool is_a, int op);
// Where row r, column c lies, in bytes from the start of the stored matrix.
size_t weight_place(const struct weight *weight, int64_t row, int64_t column);
double weight_element(const struct weight *weight, const void *data, int64_t row, int64_t column);

// What is pruned keeps its bits, or becomes +0. `to` may be `from`.
enum { PRUNE_TILE = 0, PRUNE_STRIP = 1 };
void prune(const struct weight *weight, const void *from, void *to, int algorithm);
bool is_pruned(const struct weight *weight, const void *data);

size_t blob_bytes(const struct weight *weight);
void compress(const struct weight *weight, const void *dense, void *blob);
// rows × columns in row order. To be freed.
float *decompress(const struct weight *weight, const void *blob);

// What every call of cuSPARSELt begins with: NULL for a struct that cannot be used.
struct object *handle_of(const void *handle);

#pragma GCC visibility pop
#endif
