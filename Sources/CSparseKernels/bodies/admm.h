// The two elementwise steps of an ADMM iteration, on columns of 48 rows.

// What the penalised least squares have on their right: the gram's products with the original weights, plus
// the penalty's share of kept minus dual. The dual is first brought to the new penalty.
static void admm_target(intptr_t columns, const float *products, const float *kept, float *dual,
                        const float *squares, float penalty, float dual_factor, float *target) {
  for (intptr_t c = 0; c < columns; c++) {
    vf share = splat(penalty * squares[c]);
    for (intptr_t lane = 0; lane < SK_PANEL; lane += SK_LANES) {
      intptr_t at = c * SK_PANEL + lane;
      vf u = load_f(dual + at) * splat(dual_factor);
      store_f(dual + at, u);
      store_f(target + at, share * (load_f(kept + at) - u) + load_f(products + at));
    }
  }
}

// The 2:4 matrix nearest to solution plus dual in the norm of the inputs, and the dual that is left over.
static void admm_project(intptr_t columns, const float *solution, const float *squares, float *kept, float *dual) {
  for (intptr_t g = 0; g < columns; g += 4)
    for (intptr_t lane = 0; lane < SK_PANEL; lane += SK_LANES) {
      vf sum[4], score[4];
      for (int i = 0; i < 4; i++) {
        intptr_t at = (g + i) * SK_PANEL + lane;
        sum[i] = load_f(solution + at) + load_f(dual + at);
        score[i] = sum[i] * sum[i] * splat(squares[g + i]);
      }
      vi losses[4];
      count_losses(score, losses);
      for (int i = 0; i < 4; i++) {
        intptr_t at = (g + i) * SK_PANEL + lane;
        vf projected = float_of(bits_of(sum[i]) & __builtin_bit_cast(vu, losses[i] < 2));
        store_f(kept + at, projected);
        store_f(dual + at, sum[i] - projected);
      }
    }
}
