// Matrix products. The panel side is packed once into [inputs][48 outputs]; the activation side is read in
// place, one broadcast at a time. Each output is one chain of multiply-adds over the inputs in order: a tile
// that goes on where an earlier block of inputs stopped loads its outputs first. So the bits of a result
// depend on nothing but its row and column of numbers.

// A tile is SK_TILE_ROWS × SK_TILE_VECTORS: of all shapes whose sums fit the registers, the one with the fewest
// loads per multiply-add (in 32 registers 8 × 3: 11 loads for 24; 12 × 2 takes 14 and measured 8% slower).
#define SK_TILE_COLUMNS (SK_TILE_VECTORS * SK_LANES)
// Inputs per block: the activations of 8 rows × 384 take 12 KB of the 48 KB first-level cache, and the
// outputs are read and written only once per 384 multiply-adds.
#define SK_INPUT_BLOCK 384
// Outputs per block: 6 panels of 384 inputs take 432 KB, a third of a second-level cache of 1.25 MB, and
// stay there while all rows pass by.
#define SK_OUTPUT_BLOCK (6 * SK_PANEL)
// Rows per block: its activations and outputs, a few megabytes, stay in a third-level cache while all
// panels pass by once.
#define SK_TOKEN_BLOCK 512

// rows × vectors of outputs, both constant. x moves by x_row from row to row and by x_step from input to
// input; the panel's rows are 48 floats apart. `next` is where the following tile's outputs lie.
inlined void tile(const int rows, const int vectors, intptr_t inputs, const float *x, const intptr_t x_row,
                  const intptr_t x_step, const float *panel, float *out, intptr_t out_stride,
                  int accumulate, const float *next) {
  vf sums[SK_TILE_ROWS][SK_TILE_VECTORS];
  // One pointer for three rows, which lie at 0, 1 and 2 times the distance from it.
  const float *bases[(SK_TILE_ROWS + 2) / 3];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    if (r % 3 == 0) bases[r / 3] = x + r * x_row;
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      sums[r][v] = accumulate ? load_f(out + r * out_stride + v * SK_LANES) : splat(0);
      __builtin_prefetch(next + r * out_stride + v * SK_LANES, 1);
    }
  }
  // Four inputs per round: 4 to 8% faster, as the counting and branching fall away.
#pragma clang loop unroll_count(4)
  for (intptr_t i = 0; i < inputs; i++) {
    vf weights[SK_TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) weights[v] = load_f(panel + v * SK_LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      vf value = splat(bases[r / 3][r % 3 * x_row]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sums[r][v] = value * weights[v] + sums[r][v];
    }
#pragma clang loop unroll(full)
    for (int b = 0; b < (rows + 2) / 3; b++) {
      bases[b] += x_step;
      // Keeps the compiler from replacing the pointers by one and a chain of additions: twice as fast.
      __asm__("" : "+r"(bases[b]));
    }
    panel += SK_PANEL;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) store_f(out + r * out_stride + v * SK_LANES, sums[r][v]);
}

// Columns that do not fill a tile: whole vectors through a small array, of which only `columns` are copied.
inlined void edge_tile(const int rows, intptr_t columns, intptr_t inputs, const float *x, intptr_t x_stride,
                       const float *panel, float *out, intptr_t out_stride, int accumulate) {
  float block[SK_TILE_ROWS * SK_TILE_COLUMNS] = {0};
  if (accumulate)
    for (int r = 0; r < rows; r++)
      copy_bytes(4 * columns, out + r * out_stride, block + r * SK_TILE_COLUMNS);
  if (columns <= SK_LANES)
    tile(rows, 1, inputs, x, x_stride, 1, panel, block, SK_TILE_COLUMNS, accumulate, block);
  else if (columns <= 2 * SK_LANES)
    tile(rows, 2, inputs, x, x_stride, 1, panel, block, SK_TILE_COLUMNS, accumulate, block);
  else
    tile(rows, SK_TILE_VECTORS, inputs, x, x_stride, 1, panel, block, SK_TILE_COLUMNS, accumulate, block);
  for (int r = 0; r < rows; r++)
    copy_bytes(4 * columns, block + r * SK_TILE_COLUMNS, out + r * out_stride);
}

// A few rows against one block of outputs.
inlined void strip(const int rows, intptr_t outputs, intptr_t inputs, const float *x, intptr_t x_stride,
                   const float *panels, intptr_t panel_stride, float *out, intptr_t out_stride,
                   int accumulate) {
  for (intptr_t o = 0; o < outputs; o += SK_TILE_COLUMNS) {
    const float *panel = panels + o / SK_PANEL * panel_stride + o % SK_PANEL;
    intptr_t left = outputs - o;
    // After the last tile of the strip the next one starts below the first.
    const float *next = left > SK_TILE_COLUMNS ? out + o + SK_TILE_COLUMNS : out + rows * out_stride;
    if (left >= SK_TILE_COLUMNS)
      tile(rows, SK_TILE_VECTORS, inputs, x, x_stride, 1, panel, out + o, out_stride, accumulate, next);
    else
      edge_tile(rows, left, inputs, x, x_stride, panel, out + o, out_stride, accumulate);
  }
}

// All rows against one block of outputs and inputs; the last rows in strips of 4, 2 and 1, same chains.
static void gemm_block(intptr_t tokens, intptr_t outputs, intptr_t inputs, const float *x,
                       intptr_t x_stride, const float *panels, intptr_t panel_stride, float *out,
                       intptr_t out_stride, int accumulate) {
  intptr_t t = 0;
#define strips_of(rows)                                                                        \
  for (; t + rows <= tokens; t += rows)                                                        \
    strip(rows, outputs, inputs, x + t * x_stride, x_stride, panels, panel_stride,             \
          out + t * out_stride, out_stride, accumulate);
  strips_of(SK_TILE_ROWS)
  strips_of(4)
  strips_of(2)
  strips_of(1)
#undef strips_of
}

// All outputs and inputs of one block of rows.
static void gemm_rows(intptr_t tokens, intptr_t outputs, intptr_t inputs, const float *x,
                      intptr_t x_stride, const float *panels, intptr_t panel_stride, float *out,
                      intptr_t out_stride, int accumulate) {
  // Blocks of inputs of about the same size, at least one: without inputs the outputs are set to 0.
  intptr_t blocks = inputs > 0 ? (inputs + SK_INPUT_BLOCK - 1) / SK_INPUT_BLOCK : 1;
  for (intptr_t b = 0; b < blocks; b++) {
    intptr_t i = inputs * b / blocks, depth = inputs * (b + 1) / blocks - i;
    for (intptr_t o = 0; o < outputs; o += SK_OUTPUT_BLOCK) {
      intptr_t width = outputs - o < SK_OUTPUT_BLOCK ? outputs - o : SK_OUTPUT_BLOCK;
      gemm_block(tokens, width, depth, x + i, x_stride,
                 panels + o / SK_PANEL * panel_stride + i * SK_PANEL, panel_stride, out + o, out_stride,
                 accumulate || b > 0);
    }
  }
}

static void gemm(intptr_t tokens, intptr_t outputs, intptr_t inputs, const float *x, intptr_t x_stride,
                 const float *panels, intptr_t panel_stride, float *out, intptr_t out_stride,
                 int accumulate) {
  for (intptr_t t = 0; t < tokens; t += SK_TOKEN_BLOCK) {
    intptr_t rows = tokens - t < SK_TOKEN_BLOCK ? tokens - t : SK_TOKEN_BLOCK;
    gemm_rows(rows, outputs, inputs, x + t * x_stride, x_stride, panels, panel_stride,
              out + t * out_stride, out_stride, accumulate);
  }
}

// Both sides come from panels, so the "rows" of a tile lie side by side. On the diagonal only the vectors
// that reach below it are computed.
static void rank_update(intptr_t tokens, const float *a, const float *b, float *out, int diagonal) {
  for (intptr_t i = 0; i < SK_PANEL; i += SK_TILE_ROWS) {
    intptr_t columns = diagonal ? i + SK_TILE_ROWS : SK_PANEL;
    for (intptr_t j = 0; j < columns; j += SK_TILE_COLUMNS) {
      float *here = out + i * SK_PANEL + j;
      const float *next = here + SK_TILE_ROWS * SK_PANEL;
      if (columns - j <= SK_LANES)
        tile(SK_TILE_ROWS, 1, tokens, a + i, 1, SK_PANEL, b + j, here, SK_PANEL, 1, next);
      else if (columns - j <= 2 * SK_LANES)
        tile(SK_TILE_ROWS, 2, tokens, a + i, 1, SK_PANEL, b + j, here, SK_PANEL, 1, next);
      else
        tile(SK_TILE_ROWS, SK_TILE_VECTORS, tokens, a + i, 1, SK_PANEL, b + j, here, SK_PANEL, 1, next);
    }
  }
}
