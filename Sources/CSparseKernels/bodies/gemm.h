// Matrix products. The panel side is packed once into [inputs][32 outputs]; the activation side is read in
// place, one broadcast at a time. Each output is one chain of multiply-adds over the inputs in order: a tile
// that goes on where an earlier block of inputs stopped loads its outputs first. So the bits of a result
// depend on nothing but its row and column of numbers.

// Inputs per block: a panel of 256 × 32 floats takes 32 KB of the 48 KB first-level cache.
#define SK_INPUT_BLOCK 256
#define SK_TILE_COLUMNS (2 * SK_LANES)

// rows × 2 vectors of outputs, rows constant. x moves by x_row from row to row and by x_step from input to
// input; the panel's rows are 32 floats apart.
inlined void tile(const int rows, intptr_t inputs, const float *x, intptr_t x_row, const intptr_t x_step,
                  const float *panel, float *out, intptr_t out_stride, int accumulate) {
  vf sums[SK_TILE_ROWS][2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    sums[r][0] = accumulate ? load_f(out + r * out_stride) : splat(0);
    sums[r][1] = accumulate ? load_f(out + r * out_stride + SK_LANES) : splat(0);
  }
  for (intptr_t i = 0; i < inputs; i++) {
    vf left = load_f(panel), right = load_f(panel + SK_LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      vf value = splat(x[r * x_row]);
      sums[r][0] = value * left + sums[r][0];
      sums[r][1] = value * right + sums[r][1];
    }
    x += x_step;
    panel += SK_PANEL;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    store_f(out + r * out_stride, sums[r][0]);
    store_f(out + r * out_stride + SK_LANES, sums[r][1]);
  }
}

// The last rows of a block: the same chains in tiles of 4, 2 and 1 rows.
static void tiles(intptr_t rows, intptr_t inputs, const float *x, intptr_t x_stride, const float *panel,
                  float *out, intptr_t out_stride, int accumulate) {
  intptr_t r = 0;
#define tiles_of(count)                                                                        \
  for (; r + count <= rows; r += count)                                                        \
    tile(count, inputs, x + r * x_stride, x_stride, 1, panel, out + r * out_stride, out_stride, \
         accumulate);
  tiles_of(SK_TILE_ROWS)
  tiles_of(4)
  tiles_of(2)
  tiles_of(1)
#undef tiles_of
}

// Fewer than a whole tile of columns: through a small array, of which only `columns` are copied.
static void edge_tiles(intptr_t rows, intptr_t columns, intptr_t inputs, const float *x, intptr_t x_stride,
                       const float *panel, float *out, intptr_t out_stride, int accumulate) {
  float block[SK_TILE_ROWS * SK_TILE_COLUMNS] = {0};
  for (intptr_t r = 0; r < rows; r += SK_TILE_ROWS) {
    intptr_t count = rows - r < SK_TILE_ROWS ? rows - r : SK_TILE_ROWS;
    if (accumulate)
      for (intptr_t i = 0; i < count; i++)
        copy_bytes(4 * columns, out + (r + i) * out_stride, block + i * SK_TILE_COLUMNS);
    tiles(count, inputs, x + r * x_stride, x_stride, panel, block, SK_TILE_COLUMNS, accumulate);
    for (intptr_t i = 0; i < count; i++)
      copy_bytes(4 * columns, block + i * SK_TILE_COLUMNS, out + (r + i) * out_stride);
  }
}

static void gemm(intptr_t tokens, intptr_t outputs, intptr_t inputs, const float *x, intptr_t x_stride,
                 const float *panels, intptr_t panel_stride, float *out, intptr_t out_stride,
                 int accumulate) {
  intptr_t i = 0;
  do {  // once even for no inputs: then the outputs are set to 0
    intptr_t depth = inputs - i < SK_INPUT_BLOCK ? inputs - i : SK_INPUT_BLOCK;
    for (intptr_t o = 0; o < outputs; o += SK_TILE_COLUMNS) {
      const float *panel = panels + o / SK_PANEL * panel_stride + i * SK_PANEL + o % SK_PANEL;
      intptr_t columns = outputs - o;
      if (columns >= SK_TILE_COLUMNS)
        tiles(tokens, depth, x + i, x_stride, panel, out + o, out_stride, accumulate || i > 0);
      else
        edge_tiles(tokens, columns, depth, x + i, x_stride, panel, out + o, out_stride,
                   accumulate || i > 0);
    }
    i += depth;
  } while (i < inputs);
}

// Four rows at a time divide a panel's 32 on every instruction set; with 8 the tile is a square of the
// widest registers' worth of chains (16 accumulators).
#define SK_RANK_ROWS (SK_TILE_ROWS >= 8 ? 8 : 4)
static void rank_update(intptr_t tokens, const float *a, const float *b, float *out) {
  for (intptr_t i = 0; i < SK_PANEL; i += SK_RANK_ROWS)
    for (intptr_t j = 0; j < SK_PANEL; j += SK_TILE_COLUMNS)
      tile(SK_RANK_ROWS, tokens, a + i, 1, SK_PANEL, b + j, out + i * SK_PANEL + j, SK_PANEL, 1);
}
