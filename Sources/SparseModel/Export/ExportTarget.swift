/// Something that loads models, of a certain version where versions differ, and what it does with 2:4.
///
/// A new one is an entry in ``all``; a new way of keeping weights is a ``WeightForm`` besides.
public struct ExportTarget: Sendable {
  /// What the command line calls it.
  public let name: String
  /// Who reads it, with the versions that this was found with.
  public let reader: String
  /// What it does with the zeros.
  public let effect: String
  /// What else one should know before using it.
  public let notes: [String]
  let form: WeightForm

  /// All targets, in the order in which they are listed for users.
  public static let all: [ExportTarget] = [
    ExportTarget(
      name: "transformers",
      reader: "transformers 4.57 to 5.23; for INT8 with compressed-tensors 0.12 to 0.20",
      effect: "dense kernels: zeros are multiplied like all other weights",
      notes: ["INT8 weights are expanded to the model's dtype before the first pass."],
      form: .whole),
    ExportTarget(
      name: "vllm", reader: "vLLM 0.19 and later, read from the sources up to 0.33",
      effect: "dense kernels: vLLM has no 2:4 kernels since 0.19",
      notes: [
        "INT8 runs on its dense W8A8 kernels: scales per output channel only, compute capability 7.5 and up.",
        "A sparsity_config is refused from 0.22 on, so none is written.",
      ],
      form: .whole),
    ExportTarget(
      name: "vllm@0.18",
      reader:
        "vLLM 0.18.1 with compressed-tensors 0.13 (legacy); also transformers up to 5.9 with compressed-tensors up to 0.14",
      effect: "sparse kernels on compute capability 9.0 (H100), none elsewhere",
      notes: [
        "vLLM 0.19 to 0.21 raise NotImplementedError, later ones refuse the model.",
        "transformers with compressed-tensors 0.15 or later does not refuse it: a 16-bit model is loaded with random weights.",
      ],
      form: .compressed),
    ExportTarget(
      name: "tensorrt-llm", reader: "TensorRT-LLM",
      effect: "dense kernels in today's PyTorch back end",
      notes: [
        "Versions that still had trtllm-build (removed in July 2026): convert the checkpoint, then trtllm-build --weight_sparsity lets TensorRT take a sparse tactic where it is faster; users report 0 to 5 %.",
        "Give it floating-point weights: no INT8 layer of its PyTorch back end is known to take these files.",
      ],
      form: .whole),
    ExportTarget(
      name: "pytorch",
      reader: "PyTorch's SparseSemiStructuredTensorCUTLASS, as of 2.13",
      effect: "sparse kernels from compute capability 8.0 on; it plans anew for each call",
      notes: [
        "P.weight becomes P.packed (kept values) and P.meta (metadata as reordered for CUTLASS): pass them as packed and meta.",
        "Rows must be a multiple of 32 and columns of 64, for INT8 of 16 and 128; other weights and float32 stay whole.",
      ],
      form: .packed(.pyTorch)),
    ExportTarget(
      name: "cusparselt", reader: "cuSPARSELt 0.8.0 on an H100, and nothing else",
      effect: "sparse kernels",
      notes: [
        "P.weight becomes P.cusparselt, the bytes of cusparseLtSpMMACompress2, and P.shape. Their layout is documented nowhere and may change with the library or the GPU: keep the model itself, too.",
        "Rows and columns must be multiples of 16, for INT8 of 32; other weights and float32 stay whole.",
      ],
      form: .packed(.cuSPARSELt)),
  ]

  /// The target called `name`.
  public static func named(_ name: String) -> ExportTarget? { all.first { $0.name == name } }
}

/// How a target wants 2:4 weights.
enum WeightForm: Sendable {
  /// With all their zeros, and nothing that says so.
  case whole
  /// In the layout `sparse-24-bitmask`.
  case compressed
  /// In a form of its own.
  case packed(PackedForm)
}
