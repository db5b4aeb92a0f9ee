// How products with a weight as it is stored come by its rows. What counts is how the weight is read from memory:
// several rows at once, far apart, are several streams, and what follows on each of them is asked for in time. One
// core of a Xeon at 2.8 GHz so reads 16 GB/s, and 9 GB/s row after row.

// Columns of a row at a time, a multiple of four vectors: those of four rows stay in a first-level cache.
#define SK_STRETCH 512
// Bytes from where a row is read to where it is asked for.
#define SK_AHEAD 2048

// Rows are cut into blocks that go together; the last block may reach over the last row, which is then done again.
inlined intptr_t row_of(intptr_t index, intptr_t rows) { return index < rows ? index : rows - 1; }

// Where the values of a row from column i on begin, n columns of which are read next.
inlined const unsigned char *stretch_start(const intptr_t size, const sk_rows *weight, intptr_t row, intptr_t i,
                                           intptr_t n) {
  const intptr_t part = weight->mask ? 2 : 1;
  const unsigned char *values = weight->values;
  values += row * weight->value_bytes + i / part * size;
  for (intptr_t k = 0; k < n / part * size; k += 64) __builtin_prefetch(values + SK_AHEAD + k);
  return values;
}
