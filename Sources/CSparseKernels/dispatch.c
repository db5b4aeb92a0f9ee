// Which tables exist, and which of them this processor can run; and what else is asked of the C library.
#define _GNU_SOURCE
#include "CSparseKernels.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__GLIBC__)
#include <malloc.h>
#endif

extern const sk_kernels sk_table_scalar;
#if defined(__aarch64__)
extern const sk_kernels sk_table_neon;
#elif defined(__x86_64__)
extern const sk_kernels sk_table_avx2, sk_table_avx512, sk_table_avx512vnni, sk_table_avx512vbmi2;

static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
         __builtin_cpu_supports("lzcnt");
}

static int has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static int has_avx512vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }

static int has_avx512vbmi2(void) { return has_avx512vnni() && __builtin_cpu_supports("avx512vbmi2"); }
#endif

const sk_kernels *sk_available(intptr_t index) {
  const sk_kernels *found[5];
  intptr_t count = 0;
  found[count++] = &sk_table_scalar;
#if defined(__aarch64__)
  found[count++] = &sk_table_neon;
#elif defined(__x86_64__)
  if (has_avx2()) found[count++] = &sk_table_avx2;
  if (has_avx512()) found[count++] = &sk_table_avx512;
  if (has_avx512vnni()) found[count++] = &sk_table_avx512vnni;
  if (has_avx512vbmi2()) found[count++] = &sk_table_avx512vbmi2;
#endif
  return index >= 0 && index < count ? found[index] : NULL;
}

const char *sk_forced_name(void) {
  const char *name = getenv("SPARSIFY_KERNEL");
  return name && *name ? name : NULL;
}

intptr_t sk_processors(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? online : 1;
}

void sk_keep_freed_memory(int keeps) {
#if defined(__GLIBC__)
  // Older versions take no more than 32 MiB, which is also where the limit settles by itself.
  const int settled = 1 << 25;
  if (!keeps || !mallopt(M_MMAP_THRESHOLD, 1 << 30)) mallopt(M_MMAP_THRESHOLD, settled);
  mallopt(M_TRIM_THRESHOLD, keeps ? INT_MAX : 2 * settled);
#else
  (void)keeps;
#endif
}

void sk_return_freed_memory(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}
