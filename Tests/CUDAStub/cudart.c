// libcudart: devices, memory, streams and events.
#include "product.h"

#include <stdlib.h>
#include <string.h>

// cudaError_t
enum {
  SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DIRECTION = 21, NO_DEVICE = 100, INVALID_DEVICE = 101,
  INVALID_HANDLE = 400, NOT_READY = 600
};

// The device that cudaSetDevice chose, in all threads.
static int device_in_use;
// How many times an event was recorded, and up to which of these the host has waited.
static int64_t recordings, awaited;

void reset_runtime(void) {
  device_in_use = 0;
  recordings = awaited = 0;
}

static int device_status(int device) {
  if (setting(DEVICES) <= 0) return NO_DEVICE;
  return device >= 0 && device < setting(DEVICES) ? SUCCESS : INVALID_DEVICE;
}

#define REQUIRE_DEVICE(device)                    \
  do {                                            \
    int missing = device_status(device);          \
    if (missing != SUCCESS) return leave(missing); \
  } while (0)

// ---- Versions and devices

int cudaRuntimeGetVersion(int *version) {
  ENTER(NULL);
  REQUIRE(version != NULL, INVALID_VALUE);
  *version = (int)setting(RUNTIME_VERSION);
  return leave(SUCCESS);
}

int cudaDriverGetVersion(int *version) {
  ENTER(NULL);
  REQUIRE(version != NULL, INVALID_VALUE);
  *version = (int)setting(DRIVER_VERSION);
  return leave(SUCCESS);
}

int cudaGetDeviceCount(int *count) {
  ENTER(NULL);
  REQUIRE(count != NULL, INVALID_VALUE);
  *count = (int)setting(DEVICES);
  return leave(*count > 0 ? SUCCESS : NO_DEVICE);
}

int cudaSetDevice(int device) {
  ENTER("%d", device);
  REQUIRE_DEVICE(device);
  device_in_use = device;
  return leave(SUCCESS);
}

int cudaGetDevice(int *device) {
  ENTER(NULL);
  REQUIRE(device != NULL, INVALID_VALUE);
  REQUIRE_DEVICE(0);
  *device = device_in_use < setting(DEVICES) ? device_in_use : 0;
  return leave(SUCCESS);
}

int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  ENTER("attribute=%d device=%d", attribute, device);
  REQUIRE_DEVICE(device);
  REQUIRE(value != NULL, INVALID_VALUE);
  switch (attribute) {
  case 16: *value = (int)setting(MULTIPROCESSORS); break;
  case 38: *value = (int)setting(CACHE); break;
  case 75: *value = (int)setting(CAPABILITY) / 10; break;
  case 76: *value = (int)setting(CAPABILITY) % 10; break;
  default: return leave(INVALID_VALUE);
  }
  return leave(SUCCESS);
}

// As large as it is, and filled where the fields lie that are the same in all versions.
static void describe_device(void *properties, size_t bytes) {
  char *fields = properties;
  memset(fields, 0, bytes);
  strcpy(fields, device_name());   // at most 255 characters
  uint64_t memory = (uint64_t)setting(MEMORY);
  int32_t capability[2] = {(int32_t)setting(CAPABILITY) / 10, (int32_t)setting(CAPABILITY) % 10};
  memcpy(fields + 288, &memory, sizeof memory);
  memcpy(fields + 360, capability, sizeof capability);
}

int cudaGetDeviceProperties_v2(void *properties, int device) {
  ENTER("device=%d", device);
  REQUIRE_DEVICE(device);
  REQUIRE(properties != NULL, INVALID_VALUE);
  describe_device(properties, 1032);
  return leave(SUCCESS);
}

int cudaGetDeviceProperties(void *properties, int device) {
  ENTER("device=%d", device);
  REQUIRE_DEVICE(device);
  REQUIRE(properties != NULL, INVALID_VALUE);
  describe_device(properties, 712);
  return leave(SUCCESS);
}

// ---- Memory

int cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes) {
  ENTER(NULL);
  REQUIRE_DEVICE(0);
  REQUIRE(free_bytes != NULL && total_bytes != NULL, INVALID_VALUE);
  *total_bytes = (size_t)setting(MEMORY);
  *free_bytes = *total_bytes - (size_t)live_bytes();
  return leave(SUCCESS);
}

int cudaMalloc(void **pointer, size_t bytes) {
  ENTER("%zu", bytes);
  REQUIRE_DEVICE(0);
  REQUIRE(pointer != NULL, INVALID_VALUE);
  *pointer = NULL;
  if (bytes == 0) return leave(SUCCESS);
  REQUIRE(bytes <= (size_t)(setting(MEMORY) - live_bytes()), OUT_OF_MEMORY);
  REQUIRE(posix_memalign(pointer, 256, bytes) == 0, OUT_OF_MEMORY);
  // What nobody wrote is not zero; of large buffers the start will do.
  memset(*pointer, 0xCD, bytes < 1 << 20 ? bytes : 1 << 20);
  create(BUFFER, *pointer)->bytes = bytes;
  return leave(SUCCESS);
}

int cudaFree(void *pointer) {
  ENTER(NULL);
  if (pointer == NULL) return leave(SUCCESS);
  struct object *buffer = find(BUFFER, pointer);
  REQUIRE(buffer != NULL || violation("no live buffer starts there"), INVALID_VALUE);
  forget_products_in(pointer, buffer->bytes);
  destroy(buffer);
  return leave(SUCCESS);
}

int cudaMemcpy(void *to, const void *from, size_t bytes, int kind) {
  ENTER("%zu kind=%d", bytes, kind);
  REQUIRE(kind >= 1 && kind <= 3, INVALID_DIRECTION);
  if (bytes == 0) return leave(SUCCESS);
  REQUIRE(to != NULL && from != NULL, INVALID_VALUE);
  REQUIRE(kind == 2 || is_device(to, bytes, 1, "the target"), INVALID_VALUE);
  REQUIRE(kind == 1 || is_device(from, bytes, 1, "the source"), INVALID_VALUE);
  if (kind != 2) finish_products_of(to, bytes);
  if (kind != 1) finish_products_of(from, bytes);
  memmove(to, from, bytes);
  advance(transfer_nanoseconds(bytes));
  awaited = recordings;
  return leave(SUCCESS);
}

int cudaMemset(void *pointer, int value, size_t bytes) {
  ENTER("%zu value=%d", bytes, value);
  if (bytes == 0) return leave(SUCCESS);
  REQUIRE(is_device(pointer, bytes, 1, "the target"), INVALID_VALUE);
  finish_products_of(pointer, bytes);
  memset(pointer, value, bytes);
  advance(transfer_nanoseconds(bytes));
  return leave(SUCCESS);
}

// ---- Streams: what they are given is done at once

int cudaDeviceSynchronize(void) {
  ENTER(NULL);
  REQUIRE_DEVICE(0);
  awaited = recordings;
  return leave(SUCCESS);
}

int cudaStreamCreate(void **stream) {
  ENTER(NULL);
  REQUIRE_DEVICE(0);
  REQUIRE(stream != NULL, INVALID_VALUE);
  *stream = create(STREAM, NULL);
  return leave(SUCCESS);
}

int cudaStreamDestroy(void *stream) {
  ENTER(NULL);
  struct object *object = find(STREAM, stream);
  REQUIRE(object != NULL || violation("the stream does not live"), INVALID_HANDLE);
  destroy(object);
  return leave(SUCCESS);
}

int cudaStreamSynchronize(void *stream) {
  ENTER(NULL);
  REQUIRE_DEVICE(0);
  REQUIRE(is_stream(stream), INVALID_HANDLE);
  awaited = recordings;
  return leave(SUCCESS);
}

// ---- Events

static struct object *event_of(const void *event) {
  struct object *object = find(EVENT, event);
  if (object == NULL) violation("the event does not live");
  return object;
}

int cudaEventCreate(void **event) {
  ENTER(NULL);
  REQUIRE_DEVICE(0);
  REQUIRE(event != NULL, INVALID_VALUE);
  *event = create(EVENT, NULL);
  return leave(SUCCESS);
}

int cudaEventRecord(void *event, void *stream) {
  ENTER(NULL);
  struct object *object = event_of(event);
  REQUIRE(object != NULL && is_stream(stream), INVALID_HANDLE);
  object->time = now();
  object->recording = ++recordings;
  return leave(SUCCESS);
}

int cudaEventSynchronize(void *event) {
  ENTER(NULL);
  struct object *object = event_of(event);
  REQUIRE(object != NULL, INVALID_HANDLE);
  if (object->recording > awaited) awaited = object->recording;
  return leave(SUCCESS);
}

int cudaEventElapsedTime(float *milliseconds, void *start, void *end) {
  ENTER(NULL);
  REQUIRE(milliseconds != NULL, INVALID_VALUE);
  struct object *first = event_of(start), *last = event_of(end);
  REQUIRE(first != NULL && last != NULL, INVALID_HANDLE);
  REQUIRE(first->recording > 0 && last->recording > 0, INVALID_HANDLE);
  // A GPU might be done by now, but need not be.
  REQUIRE(first->recording <= awaited && last->recording <= awaited, NOT_READY);
  *milliseconds = (float)((double)(last->time - first->time) / 1e6);
  return leave(SUCCESS);
}

int cudaEventDestroy(void *event) {
  ENTER(NULL);
  struct object *object = event_of(event);
  REQUIRE(object != NULL, INVALID_HANDLE);
  destroy(object);
  return leave(SUCCESS);
}

// ---- Errors

int cudaGetLastError(void) {
  ENTER(NULL);
  int status = take_last_error();
  leave(SUCCESS);
  return status;
}

static const struct {
  int status;
  const char *name, *message;
} errors[] = {
    {SUCCESS, "cudaSuccess", "no error"},
    {INVALID_VALUE, "cudaErrorInvalidValue", "an argument is invalid"},
    {OUT_OF_MEMORY, "cudaErrorMemoryAllocation", "out of memory"},
    {INVALID_DIRECTION, "cudaErrorInvalidMemcpyDirection", "a copy's direction is invalid"},
    {NO_DEVICE, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "cudaErrorInvalidDevice", "there is no such device"},
    {INVALID_HANDLE, "cudaErrorInvalidResourceHandle", "a stream or an event is invalid"},
    {NOT_READY, "cudaErrorNotReady", "the device is not ready"},
    {700, "cudaErrorIllegalAddress", "an illegal memory access was encountered"},
    {999, "cudaErrorUnknown", "unknown error"},
};

const char *cudaGetErrorName(int status) {
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    if (errors[i].status == status) return errors[i].name;
  }
  return "unrecognized error code";
}

const char *cudaGetErrorString(int status) {
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    if (errors[i].status == status) return errors[i].message;
  }
  return "unrecognized error code";
}
