// The record of what was called and of what was wrong with it, and the failures that are planned.
#include "state.h"

#include "CUDAStub.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Lines of text, kept until the reset.
struct lines {
  char **text;
  int64_t count, capacity;
};

struct failure {
  char *function;
  int64_t countdown;   // 0: each call
  int status;
  struct failure *next;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct lines calls, violations;
static struct failure *failures;
static int64_t counts[128];
// The call that runs: its name, and its text as far as it is known.
static const char *running = "";
static char running_text[512];
static int last_error;
static FILE *log_file;

void lock_state(void) { pthread_mutex_lock(&mutex); }

void unlock_state(void) { pthread_mutex_unlock(&mutex); }

void *allocate(size_t bytes) {
  void *memory = malloc(bytes > 0 ? bytes : 1);
  if (memory == NULL) {
    fprintf(stderr, "CUDA stub: no memory for %zu bytes\n", bytes);
    abort();
  }
  return memory;
}

static void add_line(struct lines *lines, const char *text) {
  if (lines->count == lines->capacity) {
    lines->capacity = lines->capacity == 0 ? 64 : 2 * lines->capacity;
    char **grown = allocate((size_t)lines->capacity * sizeof *grown);
    if (lines->count > 0) memcpy(grown, lines->text, (size_t)lines->count * sizeof *grown);
    free(lines->text);
    lines->text = grown;
  }
  size_t bytes = strlen(text) + 1;
  lines->text[lines->count++] = memcpy(allocate(bytes), text, bytes);
}

static void forget_lines(struct lines *lines) {
  for (int64_t i = 0; i < lines->count; i++) free(lines->text[i]);
  free(lines->text);
  *lines = (struct lines){0};
}

// The place of a function in the list of names; -1 where it is not there.
static int64_t index_of(const char *function) {
  for (int64_t i = 0; function_names[i] != NULL; i++) {
    if (strcmp(function_names[i], function) == 0) return i;
  }
  return -1;
}

// ---- Failures

bool plan_failure(const char *function, int64_t n, int status) {
  if (n < 0 || (strcmp(function, "*") != 0 && index_of(function) < 0)) return false;
  struct failure *failure = allocate(sizeof *failure);
  size_t bytes = strlen(function) + 1;
  *failure = (struct failure){memcpy(allocate(bytes), function, bytes), n, status, failures};
  failures = failure;
  return true;
}

// The status that the running call has to fail with, 0 for none.
static int planned_status(const char *function) {
  int status = 0;
  for (struct failure *failure = failures; failure != NULL; failure = failure->next) {
    if (strcmp(failure->function, "*") != 0 && strcmp(failure->function, function) != 0) continue;
    if (failure->countdown == 0) status = failure->status;
    if (failure->countdown == 1) {
      status = failure->status;
      failure->countdown = -1;
    }
    if (failure->countdown > 1) failure->countdown--;
  }
  return status;
}

// ---- Calls

static void append(const char *format, va_list arguments) {
  size_t length = strlen(running_text);
  vsnprintf(running_text + length, sizeof running_text - length, format, arguments);
}

int enter(const char *function, const char *format, ...) {
  lock_state();
  running = function;
  snprintf(running_text, sizeof running_text, format != NULL ? "%s " : "%s", function);
  if (format != NULL) {
    va_list arguments;
    va_start(arguments, format);
    append(format, arguments);
    va_end(arguments);
  }
  int64_t index = index_of(function);
  if (index < 0) {
    fprintf(stderr, "CUDA stub: %s is not in functions.c\n", function);
    abort();
  }
  counts[index]++;
  return planned_status(function);
}

void detail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  append(format, arguments);
  va_end(arguments);
}

int leave(int status) {
  bool is_runtime = strncmp(running, "cuda", 4) == 0;
  if (is_runtime && status != 0) last_error = status;
  add_line(&calls, running_text);
  log_line("%s", running_text);
  running = "";
  unlock_state();
  return status;
}

bool violation(const char *format, ...) {
  char text[512];
  int length = snprintf(text, sizeof text, "%s: ", running);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
  va_end(arguments);
  add_line(&violations, text);
  log_line("violation: %s", text);
  return false;
}

int take_last_error(void) {
  int status = last_error;
  last_error = 0;
  return status;
}

void forget_calls(void) {
  forget_lines(&calls);
  forget_lines(&violations);
  memset(counts, 0, sizeof counts);
  last_error = 0;
  while (failures != NULL) {
    struct failure *next = failures->next;
    free(failures->function);
    free(failures);
    failures = next;
  }
}

// ---- The log

void open_log(const char *path) { log_file = fopen(path, "a"); }

void log_line(const char *format, ...) {
  if (log_file == NULL) return;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(log_file, format, arguments);
  va_end(arguments);
  fputc('\n', log_file);
  fflush(log_file);
}

__attribute__((destructor)) static void log_what_lives(void) {
  lock_state();
  for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
    int64_t count = live_count(kind);
    if (count > 0) log_line("live: %lld %s", (long long)count, kind_names[kind]);
  }
  unlock_state();
}

// ---- For tests

static const char *line(const struct lines *lines, int64_t index) {
  return index >= 0 && index < lines->count ? lines->text[index] : NULL;
}

#define LOCKED(type, expression) \
  do {                           \
    lock_state();                \
    type value = (expression);   \
    unlock_state();              \
    return value;                \
  } while (0)

int64_t cudaStubCallCount(void) { LOCKED(int64_t, calls.count); }

const char *cudaStubCall(int64_t index) { LOCKED(const char *, line(&calls, index)); }

int64_t cudaStubCallsOf(const char *function) {
  int64_t index = index_of(function);
  LOCKED(int64_t, index < 0 ? -1 : counts[index]);
}

const char *cudaStubFunction(int64_t index) {
  int64_t count = 0;
  while (function_names[count] != NULL) count++;
  return index >= 0 && index < count ? function_names[index] : NULL;
}

int cudaStubFail(const char *function, int64_t n, int status) {
  LOCKED(int, plan_failure(function, n, status));
}

int64_t cudaStubViolationCount(void) { LOCKED(int64_t, violations.count); }

const char *cudaStubViolation(int64_t index) { LOCKED(const char *, line(&violations, index)); }
