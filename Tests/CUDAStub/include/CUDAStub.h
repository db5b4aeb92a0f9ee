// What tests ask of the stub of libcudart, libcusparseLt and libcublasLt, beside the functions of those libraries.
//
// One shared library stands for all three: link it as libcudart.so.12, libcusparseLt.so.0 and libcublasLt.so.12.
// It needs no GPU: device memory is the host's, and products are computed by plain loops, once their result is looked
// at. What it holds belongs to the loaded library: a test gets these functions from there, by dlsym, as it gets those
// of CUDA. All of them may be called from any thread.
#ifndef CUDA_STUB_H
#define CUDA_STUB_H

#include <stdint.h>

// Back to how the library was when it was loaded: settings as the environment has them, nothing called, nothing live.
void cudaStubReset(void);

// ---- What was called: functions that return a status, in order. Their text is the name and what matters of
// the arguments, such as "cusparseLtStructuredDescriptorInit 64x128 type=3 order=2". Texts are valid until the reset.
int64_t cudaStubCallCount(void);
const char *cudaStubCall(int64_t index);
// How many of these calls were of one function.
int64_t cudaStubCallsOf(const char *function);
// All functions that return a status, that is those that can be told to fail. NULL beyond the last.
const char *cudaStubFunction(int64_t index);

// ---- Failures. The n-th call from now on of a function (1 is the next, 0 stands for each) returns `status` and does
// nothing else; with the function "*" the n-th call of any. Returns 0 where there is no such function, and 1.
int cudaStubFail(const char *function, int64_t n, int status);

// ---- What lives: buffer, stream, event, handle, matrix, matmul, algorithm and plan (cuSPARSELt), blasHandle,
// blasMatmul, layout and preference (cuBLASLt); NULL counts all. -1 for another kind. cuSPARSELt has nothing that
// destroys a matmul: it ends with its handle, or where its memory is initialised as something else.
int64_t cudaStubLive(const char *kind);
// The bytes of all live buffers.
int64_t cudaStubLiveBytes(void);
// What was done that the libraries forbid, but may not notice: each as a line, valid until the reset.
int64_t cudaStubViolationCount(void);
const char *cudaStubViolation(int64_t index);

// ---- Settings. Returns 0 where there is no such setting, and 1. In brackets the environment's variable and the
// value without one.
//   devices          how many GPUs there are                                   [CUDA_STUB_DEVICES, 1]
//   capability       their compute capability, 90 for 9.0                      [CUDA_STUB_CAPABILITY, 90]
//   multiprocessors  of each GPU                                               [CUDA_STUB_MULTIPROCESSORS, 132]
//   cache            bytes of the L2 cache                                     [CUDA_STUB_CACHE, 65536]
//   memory           bytes of a GPU; more cannot be allocated                  [CUDA_STUB_MEMORY, 8 GiB]
//   runtimeVersion                                                             [CUDA_STUB_RUNTIME_VERSION, 12080]
//   driverVersion                                                              [CUDA_STUB_DRIVER_VERSION, 13000]
//   sparseLtVersion                                                            [CUDA_STUB_SPARSELT_VERSION, 800]
//   blasLtVersion                                                              [CUDA_STUB_BLASLT_VERSION, 120903]
//   structBytes      size of cuSPARSELt's structs: 512 (16-byte aligned), 1024, 13072  [CUDA_STUB_STRUCT_BYTES, 512]
//   pruneCheck       1: the prune check answers the opposite                   [CUDA_STUB_PRUNE_CHECK=wrong, 0]
//   blob             1: compresses with metadata in another order              [CUDA_STUB_BLOB=other, 0]
int cudaStubSet(const char *setting, int64_t value);
// The name of the GPUs. [CUDA_STUB_NAME, "Stub GPU"]
void cudaStubSetDeviceName(const char *name);

// Of the environment alone:
//   CUDA_STUB_FAIL=name=status,...   each call of the function fails; name@n=status: only the n-th
//   CUDA_STUB_LOG=file               appends each call, "violation: ..." and, at exit, "live: n kind"

// ---- The clock that events record. It stands still but for the work that is started, in nanoseconds:
//   product: 1000 + m·n·k / speed · configuration · split + (500 for a split in two kernels)
//     speed: 8 multiplications per nanosecond in float32, 64 with 16 bits, 128 with 8 bits; twice that for 2:4
//     rows are few if min(m, n) <= 64
//     configuration: 1 + 0.10 · |id - best|; 2:4 (ids 0...5): best 4 for few rows, else 1
//                    1 + 0.15 · |id - best|; dense (0...2): best 1 for few rows, else 0
//     split into s parts, 2:4 only: few rows 1, 0.85, 0.7, 0.55, then 0.1 more for each; else 1 + 0.1 · (s - 1)
//   copy, fill, prune, prune check, compress: 1000 + bytes / 64
//   search: the sum over all ids 0...5, times the search iterations
// All in whole numbers, in the order given.
int64_t cudaStubNanoseconds(void);

#endif
