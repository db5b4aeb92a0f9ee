// What the files of the stub share: settings, the record of calls, live objects, the clock.
#ifndef CUDA_STUB_STATE_H
#define CUDA_STUB_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Only the libraries' functions and include/CUDAStub.h are for others.
#pragma GCC visibility push(hidden)

// ---- Calls. Every function that returns a status begins with ENTER (what to log of its arguments, or NULL) and
// returns what leave gives; in between it holds the lock and may use everything below.
int enter(const char *function, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Adds to the text of the running call what was not known when it began.
void detail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int leave(int status);

#define ENTER(...)                                \
  do {                                            \
    int failure = enter(__func__, __VA_ARGS__);   \
    if (failure != 0) return leave(failure);      \
  } while (0)

#define REQUIRE(condition, status)                \
  do {                                            \
    if (!(condition)) return leave(status);       \
  } while (0)

// Records a breach of the rules by the running call; returns false, as most checks then do.
bool violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
void lock_state(void);
void unlock_state(void);
// What cudaGetLastError tells, which is forgotten by it.
int take_last_error(void);
void forget_calls(void);
// All functions that return a status; NULL ends them.
extern const char *const function_names[];
// The n-th call from now on fails; false where there is no such function.
bool plan_failure(const char *function, int64_t n, int status);
void open_log(const char *path);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- Settings, see CUDAStub.h.
enum setting {
  DEVICES, CAPABILITY, MULTIPROCESSORS, CACHE, MEMORY, RUNTIME_VERSION, DRIVER_VERSION, SPARSELT_VERSION,
  BLASLT_VERSION, STRUCT_BYTES, WRONG_PRUNE_CHECK, OTHER_BLOB, SETTING_COUNT
};
int64_t setting(enum setting which);
const char *device_name(void);

// ---- The clock.
struct work {
  int64_t m, n, k;
  int type;
  bool is_sparse;
  int configuration, split, split_mode;
};
int64_t product_nanoseconds(const struct work *work);
int64_t transfer_nanoseconds(size_t bytes);
void advance(int64_t nanoseconds);
int64_t now(void);
void reset_clock(void);
void reset_runtime(void);

// ---- Matrices. Types are numbered as in cudaDataType.
enum { R_32F = 0, R_16F = 2, R_8I = 3, R_32I = 10, R_16BF = 14 };

// Element (r, c) lies at r · ld + c in row order, else at c · ld + r.
struct view {
  int type;
  int64_t rows, columns, ld;
  bool is_row_order;
};

// ---- Objects. They stay in memory until the reset, so that one that was destroyed is known as such.
enum kind {
  BUFFER, STREAM, EVENT, SPARSE_HANDLE, MATRIX, MATMUL, ALGORITHM, PLAN, BLAS_HANDLE, BLAS_MATMUL, LAYOUT, PREFERENCE,
  KIND_COUNT
};
extern const char *const kind_names[KIND_COUNT];

struct algorithm {
  int configuration, iterations, split, split_mode, split_buffers;
};

struct object {
  enum kind kind;
  bool is_live;
  void *address;                           // a buffer's memory, or the caller's struct
  int64_t serial;
  size_t bytes;                            // BUFFER, PREFERENCE: the most workspace
  int64_t time, recording;                 // EVENT: when, and as which one; 0 is never
  struct view view;                        // MATRIX, LAYOUT
  bool is_structured;                      // MATRIX
  struct object *handle, *a, *b, *c, *d;   // MATMUL
  int op_a, op_b, compute, scale;          // MATMUL, BLAS_MATMUL
  void *sparse_pointer;                    // MATMUL
  struct object *matmul, *selection;       // ALGORITHM, PLAN
  struct algorithm algorithm;              // ALGORITHM, PLAN
};

struct object *create(enum kind kind, void *address);
// The live object that a caller knows by `address`: a buffer's first byte, or what create returned. NULL if none.
struct object *find(enum kind kind, const void *address);
void destroy(struct object *object);
int64_t live_count(enum kind kind);
int64_t live_bytes(void);
void forget_objects(void);

// cuSPARSELt's structs, which the caller owns: sealing writes the kind's mark, the struct's address and bytes up to
// its end.
struct object *seal(void *memory, enum kind kind);
// NULL, and a violation, unless the struct is sealed, where it was sealed, whole and not destroyed.
struct object *open_sealed(const void *memory, enum kind kind);
void unseal(struct object *object);
// Whether a struct that another one points to is still where it was; if not that is a violation.
bool is_whole(const struct object *object);
// Matmuls have nothing that destroys them: they end with their handle.
void end_matmuls(const struct object *handle);

// Whether so many bytes from `pointer` on lie in one live buffer; if not that is a violation, which names `what`.
bool is_device(const void *pointer, size_t bytes, size_t alignment, const char *what);
// Whether the stream is the default one or lives; if not that is a violation.
bool is_stream(const void *stream);

// Memory, or the process ends.
void *allocate(size_t bytes);

#pragma GCC visibility pop
#endif
