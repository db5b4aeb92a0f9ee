import SparseCore
import Testing

@Suite struct GPUTests {
  @Test func theTableHasNoNameTwice() {
    #expect(Set(GPU.all.map(\.name)).count == GPU.all.count)
    #expect(GPU.all.allSatisfy { $0.name == $0.name.lowercased() })
  }

  @Test func everyGPUOfTheTableHasSparseTensorCoresAndINT8AtTwiceOrFourTimesTheRate() {
    for gpu in GPU.all {
      #expect(gpu.hasSparseTensorCores)
      let ratio = gpu.int8Rate / gpu.halfRate
      #expect(abs(ratio - 2) < 0.03 || abs(ratio - 4) < 0.01, "\(gpu.name): \(ratio)")
    }
  }

  @Test(arguments: ["h100-sxm", "H100-SXM"]) func aNameIsFoundInEitherCase(name: String) {
    #expect(GPU.named(name)?.bandwidth == 3350)
  }

  @Test(arguments: [
    ("h100", "h100-sxm"), ("H100", "h100-sxm"), ("A100", "a100-80"), ("a100 40GB", "a100-40"),
    ("4090", "rtx-4090"), ("RTX 4090", "rtx-4090"), ("rtx4090", "rtx-4090"), ("b200", "b200"),
    ("h100 pcie", "h100-pcie"), ("H100-SXM5-80GB", "h100-sxm"),
    // What nvidia-smi prints for these cards.
    ("NVIDIA H100 80GB HBM3", "h100-sxm"), ("NVIDIA H100 PCIe", "h100-pcie"),
    ("NVIDIA A100-SXM4-40GB", "a100-40"), ("NVIDIA A100-SXM4-80GB", "a100-80"),
    ("NVIDIA A100 80GB PCIe", "a100-80"), ("NVIDIA A100-PCIE-40GB", "a100-40"),
    ("NVIDIA GeForce RTX 3090", "rtx-3090"), ("NVIDIA L40S", "l40s"), ("NVIDIA L4", "l4"),
    ("NVIDIA A10", "a10"), ("NVIDIA H200", "h200"),
  ])
  func aFamilyAndTheDriversNameAreFound(name: String, gpu: String) {
    #expect(GPU.named(name)?.name == gpu)
  }

  @Test(arguments: [
    "", "v100", "h", "100", "NVIDIA H100 NVL", "NVIDIA H200 NVL", "NVIDIA GH200 480GB", "L40",
    "NVIDIA A10G", "NVIDIA GeForce RTX 3090 Ti", "NVIDIA GeForce RTX 4090 D",
    "NVIDIA GeForce RTX 4090 Laptop GPU", "h100 96GB", "NVIDIA RTX A4000", "4090 5090",
  ])
  func anotherCardIsNotFound(name: String) { #expect(GPU.named(name) == nil) }

  @Test func aFamilyHasItsMembers() {
    #expect(GPU.family(of: "NVIDIA H100 NVL") == ["h100-sxm", "h100-pcie"])
    #expect(GPU.family(of: "v100") == [])
  }

  @Test func aSpecificationGivesItsNumbers() throws {
    let gpu = try GPU(
      specification: "memory=16,bandwidth=320,int8=130,fp16=65,sparse=no,name=t4")
    #expect(
      gpu
        == GPU(
          name: "t4", halfRate: 65, int8Rate: 130, bandwidth: 320, memory: 16,
          hasSparseTensorCores: false))
    let short = try GPU(specification: "memory=16,bandwidth=320,int8=130,fp16=65.5")
    #expect(short.name == "custom" && short.hasSparseTensorCores && short.halfRate == 65.5)
  }

  @Test(arguments: [
    ("", "'' is not key=value"), ("fp16", "'fp16' is not key=value"),
    ("fp16=", "'fp16=' is not key=value"),
    ("fp8=1", "there is no key 'fp8', the keys are fp16, int8, bandwidth, memory, sparse, name"),
    ("fp16=1,fp16=2", "'fp16' is given twice"),
    ("fp16=0", "fp16 is '0', not a number above 0 and at most 1000000000"),
    ("fp16=nan", "fp16 is 'nan', not a number above 0 and at most 1000000000"),
    ("fp16=1e10", "fp16 is '1e10', not a number above 0 and at most 1000000000"),
    ("sparse=maybe", "sparse is 'maybe', not yes or no"), ("fp16=1", "'int8' is missing"),
  ])
  func aBadSpecificationSaysWhy(text: String, reason: String) {
    let error = #expect(throws: GPUSpecificationError.self) { try GPU(specification: text) }
    #expect(error?.description == reason)
  }
}
