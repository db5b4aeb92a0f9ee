// The settings, from the environment and from tests, and the way back to how the library was loaded.
#include "product.h"

#include "CUDAStub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A variable whose value is not a number sets what `word` stands for.
static const struct {
  const char *name, *variable;
  int64_t value;
  const char *word;
  int64_t word_value;
} table[SETTING_COUNT] = {
    [DEVICES] = {"devices", "CUDA_STUB_DEVICES", 1, NULL, 0},
    [CAPABILITY] = {"capability", "CUDA_STUB_CAPABILITY", 90, NULL, 0},
    [MULTIPROCESSORS] = {"multiprocessors", "CUDA_STUB_MULTIPROCESSORS", 132, NULL, 0},
    [CACHE] = {"cache", "CUDA_STUB_CACHE", 1 << 16, NULL, 0},
    [MEMORY] = {"memory", "CUDA_STUB_MEMORY", (int64_t)8 << 30, NULL, 0},
    [RUNTIME_VERSION] = {"runtimeVersion", "CUDA_STUB_RUNTIME_VERSION", 12080, NULL, 0},
    [DRIVER_VERSION] = {"driverVersion", "CUDA_STUB_DRIVER_VERSION", 13000, NULL, 0},
    [SPARSELT_VERSION] = {"sparseLtVersion", "CUDA_STUB_SPARSELT_VERSION", 800, NULL, 0},
    [BLASLT_VERSION] = {"blasLtVersion", "CUDA_STUB_BLASLT_VERSION", 120903, NULL, 0},
    [STRUCT_BYTES] = {"structBytes", "CUDA_STUB_STRUCT_BYTES", 512, NULL, 0},
    [WRONG_PRUNE_CHECK] = {"pruneCheck", "CUDA_STUB_PRUNE_CHECK", 0, "wrong", 1},
    [OTHER_BLOB] = {"blob", "CUDA_STUB_BLOB", 0, "other", 1},
};

static int64_t values[SETTING_COUNT];
static char name_of_devices[256];

int64_t setting(enum setting which) { return values[which]; }

const char *device_name(void) { return name_of_devices; }

static void set_device_name(const char *name) {
  snprintf(name_of_devices, sizeof name_of_devices, "%s", name);
}

// A setting that is misspelt must not pass for one that has no effect.
static void refuse(const char *variable, const char *value) {
  fprintf(stderr, "CUDA stub: %s=%s is not understood\n", variable, value);
  abort();
}

static bool parse(const char *text, int64_t *value) {
  char *end;
  *value = strtoll(text, &end, 10);
  return end != text && *end == 0;
}

static void read_setting(enum setting which) {
  values[which] = table[which].value;
  const char *text = getenv(table[which].variable);
  if (text == NULL) return;
  if (table[which].word != NULL && strcmp(text, table[which].word) == 0) {
    values[which] = table[which].word_value;
  } else if (!parse(text, &values[which])) {
    refuse(table[which].variable, text);
  }
}

// "name=status,name@n=status"
static void read_failures(void) {
  const char *variable = "CUDA_STUB_FAIL", *text = getenv(variable);
  if (text == NULL) return;
  char copy[2048];
  snprintf(copy, sizeof copy, "%s", text);
  char *rest = copy;
  for (char *entry = strsep(&rest, ","); entry != NULL; entry = strsep(&rest, ",")) {
    char *status_text = entry;
    char *count_text = strsep(&status_text, "=");
    char *function = strsep(&count_text, "@");
    int64_t status = 0, n = 0;
    bool is_right = status_text != NULL && parse(status_text, &status) &&
                    (count_text == NULL || parse(count_text, &n));
    if (!is_right || !plan_failure(function, n, (int)status)) refuse(variable, text);
  }
}

static void reset(void) {
  forget_calls();
  drop_products();
  forget_objects();
  reset_clock();
  reset_runtime();
  for (enum setting which = 0; which < SETTING_COUNT; which++) read_setting(which);
  const char *name = getenv("CUDA_STUB_NAME");
  set_device_name(name != NULL ? name : "Stub GPU");
  read_failures();
}

__attribute__((constructor)) static void load(void) {
  const char *path = getenv("CUDA_STUB_LOG");
  if (path != NULL) open_log(path);
  reset();
}

void cudaStubReset(void) {
  lock_state();
  reset();
  unlock_state();
}

int cudaStubSet(const char *name, int64_t value) {
  lock_state();
  int is_known = 0;
  for (enum setting which = 0; which < SETTING_COUNT; which++) {
    if (strcmp(table[which].name, name) != 0) continue;
    values[which] = value;
    is_known = 1;
  }
  unlock_state();
  return is_known;
}

void cudaStubSetDeviceName(const char *name) {
  lock_state();
  set_device_name(name);
  unlock_state();
}

int64_t cudaStubNanoseconds(void) {
  lock_state();
  int64_t time = now();
  unlock_state();
  return time;
}
