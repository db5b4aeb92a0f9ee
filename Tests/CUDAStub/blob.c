// Compressed weights: the kept values in row order, two of each group of four, and then for each group a nibble that
// holds their places, first | second << 2, in the order that was measured on an H100 with cuSPARSELt 0.8.0.
#include "sparse.h"

#include <string.h>

static int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

static bool is_byte(const struct weight *weight) { return type_bytes(weight->view.type) == 1; }

static size_t value_bytes(const struct weight *weight) {
  return (size_t)(weight->rows * weight->columns / 2) * type_bytes(weight->view.type);
}

static size_t metadata_bytes(const struct weight *weight) {
  int64_t rows = weight->rows, columns = weight->columns;
  int64_t bits = round_up(rows, 64) * round_up(columns, 32);
  int64_t other = round_up(rows, 32) * round_up(columns, 64);
  if (is_byte(weight)) bits = round_up(rows, 64) * round_up(columns, 64);
  else if (other > bits) bits = other;
  return (size_t)(bits / 8);
}

size_t blob_bytes(const struct weight *weight) { return value_bytes(weight) + metadata_bytes(weight); }

// The number of the nibble of group `g` of row `r`.
static int64_t nibble_index(const struct weight *weight, int64_t r, int64_t g) {
  if (setting(OTHER_BLOB)) return r * (weight->columns / 4) + g;
  if (is_byte(weight)) {
    int64_t groups = round_up(weight->columns, 64) / 4;
    return (r >> 6) * 64 * groups + (g >> 4) * 1024 + (r >> 4 & 3) * 256 + (r & 7) * 32 + (g >> 1 & 3) * 8 +
           (g >> 3 & 1) * 4 + (r >> 3 & 1) * 2 + (g & 1);
  }
  int64_t groups = round_up(weight->columns, 32) / 4;
  return (r >> 6) * 64 * groups + (g >> 3) * 512 + (r >> 4 & 3) * 128 + (r & 7) * 16 + (g & 3) * 4 +
         (g >> 2 & 1) * 2 + (r >> 3 & 1);
}

static unsigned nibble(const unsigned char *metadata, int64_t index) {
  return metadata[index / 2] >> (index % 2 * 4) & 15;
}

static void set_nibble(unsigned char *metadata, int64_t index, unsigned value) {
  int shift = (int)(index % 2 * 4);
  metadata[index / 2] = (unsigned char)((metadata[index / 2] & ~(15u << shift)) | value << shift);
}

// Of more than two non-zeros the first two; one alone is joined by the last, or by the third if it is the last.
static unsigned places_of(const bool is_nonzero[4]) {
  int places[2] = {2, 3}, found = 0;
  for (int i = 0; i < 4 && found < 2; i++) {
    if (is_nonzero[i]) places[found++] = i;
  }
  if (found == 1) {
    places[1] = 3;
    if (places[0] == 3) places[0] = 2;
  }
  return (unsigned)(places[0] | places[1] << 2);
}

void compress(const struct weight *weight, const void *dense, void *blob) {
  size_t bytes = type_bytes(weight->view.type);
  char *values = blob;
  unsigned char *metadata = (unsigned char *)blob + value_bytes(weight);
  memset(metadata, 0xEE, metadata_bytes(weight));   // nibbles without a group are 0b1110
  for (int64_t r = 0; r < weight->rows; r++) {
    for (int64_t g = 0; g < weight->columns / 4; g++) {
      bool is_nonzero[4];
      for (int i = 0; i < 4; i++) is_nonzero[i] = weight_element(weight, dense, r, 4 * g + i) != 0;
      unsigned places = places_of(is_nonzero);
      for (int i = 0; i < 2; i++, values += bytes) {
        int64_t column = 4 * g + (places >> 2 * i & 3);
        memcpy(values, (const char *)dense + weight_place(weight, r, column), bytes);
      }
      set_nibble(metadata, nibble_index(weight, r, g), places);
    }
  }
}

float *decompress(const struct weight *weight, const void *blob) {
  int64_t columns = weight->columns;
  // The values as the matrix of half as many columns that they are.
  struct view kept = {weight->view.type, weight->rows, columns / 2, columns / 2, true};
  const unsigned char *metadata = (const unsigned char *)blob + value_bytes(weight);
  size_t bytes = (size_t)(weight->rows * columns) * sizeof(float);
  float *dense = memset(allocate(bytes), 0, bytes);
  for (int64_t r = 0; r < weight->rows; r++) {
    for (int64_t g = 0; g < columns / 4; g++) {
      unsigned places = nibble(metadata, nibble_index(weight, r, g));
      for (int i = 0; i < 2; i++) {
        int64_t column = 4 * g + (places >> 2 * i & 3);
        dense[r * columns + column] = (float)element(&kept, blob, r, 2 * g + i);
      }
    }
  }
  return dense;
}
