internal import SparseCore

extension PlanAdvice: CustomStringConvertible {
  /// One or two sentences without a full stop at the end.
  public var description: String {
    switch self {
    case .smallModel(let weights):
      "Small model: its linears have \(millions(weights)) million weights. At 135 million (SmolLM2) perplexity was measured to go from 30.0 to 72.0 at 2:4 with ADMM and permutation, at 7 billion (Llama-2, published) from 5.1 to 10.2 with SparseGPT; measure this one with 'sparsify eval' before and after"
    case .measuredLoss(let method, let sum, let dense, let worstTenth):
      "Measured on this model: the linears pruned one by one (\(method)) raise the loss by \(Format.fixed(sum, 2)) nats a token in sum, from a perplexity of \(Format.fixed(Math.exponential(dense), 1)) to \(Format.fixed(Math.exponential(dense + sum), 1)) if losses only add up. The worst tenth of them has \(percent(worstTenth)) of that: 'sparsify prune --keep-dense' leaves such ones dense"
    case .noSparseTensorCores(let gpu):
      "\(gpu) has no sparse tensor cores: 2:4 weights run as dense ones, and only take less room where a program stores them compressed"
    case .partlyMeasured(let count, let all):
      "\(count) of \(all.counting("linear")) were measured in some forms and not in all: where measured times are set against the roofline model's, speedups can be far off; measure every form"
    case .decodeBound(let batch, let share, let bytes):
      "Decoding waits for memory: with \(batch.counting("sequence")) \(percent(share)) of the linears do. There 2:4 saves bytes (\(percent(bytes)) of the dense form's are left), not arithmetic; weight-only 4-bit formats read fewer bytes still"
    case .rest(let phase, let batch, let context, let share):
      "Attention and output projection take \(percent(share)) of \(phase.rawValue) with \(batch.counting("sequence")) of \(context.counting("token")): 2:4 changes nothing there"
    case .shapes(let count, let all, let first):
      "\(count) of \(all.counting("linear")) stay dense: no sparse kernel takes their shape, \(first) for example"
    case .notPyTorch(let count, let all, let first):
      "\(count) of \(all.counting("linear")) fit cuSPARSELt and not PyTorch's own kernels, \(first) for example"
    case .consumers:
      "These times need kernels that skip zeros: cuSPARSELt with plans kept, CUTLASS, or vLLM up to 0.18 on an H100. vLLM 0.19 and later, transformers and TensorRT-LLM's PyTorch back end run 2:4 weights as dense ones; 'sparsify export' says what each target does"
    }
  }
}

private func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }

private func millions(_ count: Int) -> String {
  let tenths = Int((Double(count) / 1e5).rounded())
  return count >= 100_000_000 ? "\((tenths + 5) / 10)" : "\(tenths / 10).\(tenths % 10)"
}
