// What the caller has created: buffers, streams, events, descriptors, and the structs of cuSPARSELt.
#include "state.h"

#include "CUDAStub.h"

#include <stdlib.h>
#include <string.h>

const char *const kind_names[KIND_COUNT] = {
    "buffer", "stream", "event",      "handle",     "matrix", "matmul", "algorithm",
    "plan",   "blasHandle", "blasMatmul", "layout", "preference",
};

static struct object **objects;
static int64_t count, capacity;
// Serial numbers never come twice, so that a struct from before a reset is not taken for another.
static int64_t first_serial = 1;

struct object *create(enum kind kind, void *address) {
  if (count == capacity) {
    capacity = capacity == 0 ? 64 : 2 * capacity;
    struct object **grown = allocate((size_t)capacity * sizeof *grown);
    if (count > 0) memcpy(grown, objects, (size_t)count * sizeof *grown);
    free(objects);
    objects = grown;
  }
  struct object *object = allocate(sizeof *object);
  *object = (struct object){.kind = kind, .is_live = true, .serial = first_serial + count};
  object->address = address != NULL ? address : object;
  objects[count++] = object;
  return object;
}

struct object *find(enum kind kind, const void *address) {
  for (int64_t i = 0; i < count; i++) {
    struct object *object = objects[i];
    if (object->is_live && object->kind == kind && object->address == address) return object;
  }
  return NULL;
}

void destroy(struct object *object) {
  object->is_live = false;
  if (object->kind == BUFFER) free(object->address);
}

void forget_objects(void) {
  for (int64_t i = 0; i < count; i++) {
    if (objects[i]->is_live) destroy(objects[i]);
    free(objects[i]);
  }
  first_serial += count;
  count = 0;
}

int64_t live_count(enum kind kind) {
  int64_t live = 0;
  for (int64_t i = 0; i < count; i++) live += objects[i]->is_live && objects[i]->kind == kind;
  return live;
}

int64_t live_bytes(void) {
  int64_t live = 0;
  for (int64_t i = 0; i < count; i++) {
    if (objects[i]->is_live && objects[i]->kind == BUFFER) live += (int64_t)objects[i]->bytes;
  }
  return live;
}

// ---- cuSPARSELt's structs

// What a sealed struct begins with; the rest of it is `filling`.
struct mark {
  uint64_t magic;
  const void *self;
  int64_t serial;
};

enum { filling = 0xA5 };

static uint64_t magic_of(enum kind kind) { return 0xC0DE24C0DE240000u + (uint64_t)kind; }

// Why no struct of this kind can be there: a breach, for nobody may look at the status of a call that destroys.
static struct object *refuse(enum kind kind, const char *reason) {
  violation("the %s %s", kind_names[kind], reason);
  return NULL;
}

struct object *seal(void *memory, enum kind kind) {
  size_t bytes = (size_t)setting(STRUCT_BYTES);
  if (memory == NULL) return NULL;
  if (bytes == 512 && (uintptr_t)memory % 16 != 0) {
    return refuse(kind, "is not aligned to 16 bytes");
  }
  for (enum kind other = SPARSE_HANDLE; other <= PLAN; other++) {
    struct object *old = find(other, memory);
    if (old == NULL) continue;
    // Nothing destroys a matmul: it ends where its memory gets another use.
    if (other == MATMUL) destroy(old);
    else violation("a %s is made where a %s still lives", kind_names[kind], kind_names[other]);
  }
  struct object *object = create(kind, memory);
  struct mark mark = {magic_of(kind), memory, object->serial};
  memset(memory, filling, bytes);
  memcpy(memory, &mark, sizeof mark);
  return object;
}

struct object *open_sealed(const void *memory, enum kind kind) {
  if (memory == NULL) return refuse(kind, "is NULL");
  struct mark mark;
  memcpy(&mark, memory, sizeof mark);
  int64_t index = mark.serial - first_serial;
  if (mark.magic == ~magic_of(kind)) return refuse(kind, "was destroyed");
  if (mark.magic != magic_of(kind)) return refuse(kind, "was never initialised");
  if (mark.self != memory) return refuse(kind, "was moved");
  if (index < 0 || index >= count) return refuse(kind, "is from before a reset");
  const unsigned char *bytes = memory;
  for (size_t i = sizeof mark; i < (size_t)setting(STRUCT_BYTES); i++) {
    if (bytes[i] != filling) return refuse(kind, "was overwritten");
  }
  return objects[index]->is_live ? objects[index] : refuse(kind, "ended with its handle");
}

bool is_whole(const struct object *object) {
  if (!object->is_live) return refuse(object->kind, "was destroyed") != NULL;
  struct object *found = open_sealed(object->address, object->kind);
  return found == object || (found != NULL && refuse(object->kind, "was replaced") != NULL);
}

void end_matmuls(const struct object *handle) {
  for (int64_t i = 0; i < count; i++) {
    if (objects[i]->kind == MATMUL && objects[i]->handle == handle) objects[i]->is_live = false;
  }
}

void unseal(struct object *object) {
  struct mark mark = {~magic_of(object->kind), object->address, object->serial};
  memcpy(object->address, &mark, sizeof mark);
  destroy(object);
}

// ---- Device memory

bool is_device(const void *pointer, size_t bytes, size_t alignment, const char *what) {
  if ((uintptr_t)pointer % alignment != 0) {
    return violation("%s is not aligned to %zu bytes", what, alignment);
  }
  uintptr_t first = (uintptr_t)pointer;
  for (int64_t i = 0; i < count; i++) {
    const struct object *object = objects[i];
    if (!object->is_live || object->kind != BUFFER) continue;
    uintptr_t start = (uintptr_t)object->address;
    if (first < start || first - start >= (object->bytes > 0 ? object->bytes : 1)) continue;
    size_t left = object->bytes - (first - start);
    if (bytes <= left) return true;
    return violation("%s needs %zu bytes, its buffer has %zu", what, bytes, left);
  }
  return violation("%s is not in a live buffer", what);
}

bool is_stream(const void *stream) {
  return stream == NULL || find(STREAM, stream) != NULL || violation("the stream does not live");
}

// ---- For tests

int64_t cudaStubLive(const char *kind) {
  lock_state();
  int64_t live = kind == NULL ? 0 : -1;
  for (enum kind each = 0; each < KIND_COUNT; each++) {
    if (kind == NULL) live += live_count(each);
    else if (strcmp(kind, kind_names[each]) == 0) live = live_count(each);
  }
  unlock_state();
  return live;
}

int64_t cudaStubLiveBytes(void) {
  lock_state();
  int64_t live = live_bytes();
  unlock_state();
  return live;
}
