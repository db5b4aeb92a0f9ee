import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// Commands that use a GPU, with the stub in place of NVIDIA's libraries.
@Suite(.timeLimit(.minutes(20))) struct DeviceEndToEndTests {
  let libraries: StubLibraries
  let model: TinyModel

  init() throws {
    libraries = try StubLibraries()
    model = try TinyModel()
  }

  private func run(_ arguments: [String], _ settings: [String: String] = [:]) throws -> ToolRun {
    let variables = [
      "SPARSIFY_CUDA_LIBRARIES": libraries.folder.path, "XDG_CACHE_HOME": model.folder["cache"],
    ]
    return try ToolRun(arguments, environment: variables.merging(settings) { $1 })
  }

  /// The fixture's weights, two of each four of them.
  private func pruned() throws -> String {
    let output = model.folder["pruned"]
    let run = try ToolRun("prune", model.path, "--method", "magnitude", "-o", output, "-q")
    #expect(run.status == 0)
    return output
  }

  @Test func infoListsLibrariesAndGPUs() throws {
    let text = try run(["info"])
    #expect(text.status == 0)
    #expect(text.output.contains("0.8.0 (\(libraries.folder["libcusparseLt.so.0"]))"))
    #expect(text.output.contains("Stub GPU, compute capability 9.0, 8 GiB, sparse tensor cores"))
    let json = try run(["info", "--json"], ["CUDA_STUB_DEVICES": "2"]).json()
    #expect(json["cuda"]?["devices"]?.array?.count == 2)
    #expect(json["cuda"]?["libraries"]?["libcudart"]?["version"]?.string == "12.8")
    let old = try run(["info"], ["CUDA_STUB_CAPABILITY": "75"])
    #expect(old.output.contains("compute capability 7.5, 8 GiB, no sparse tensor cores"))
    let none = try run(["info"], ["CUDA_STUB_FAIL": "cudaGetDeviceCount=35"])
    #expect(none.status == 0)
    #expect(none.output.contains("libcudart.so.12 is CUDA 12.8, and the driver goes up to 13.0"))
  }

  @Test func theTableOfAModelGoesToPlan() throws {
    let run = try run(["bench", "--device", "cuda", model.path, "--rows", "1,64", "--json", "-q"])
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    let table = try run.json()
    #expect(
      table.differences(from: [
        "schema": 1, "version": "string", "device": "cuda",
        "gpu": [
          "name": "Stub GPU", "computeCapability": "9.0", "memoryBytes": "integer",
          "l2Bytes": "integer",
        ],
        "driver": "string", "runtime": "12.8",
        "libraries": [
          "libcudart": ["path": "string", "version": "string"],
          "libcusparseLt": ["path": "string", "version": "0.8.0"],
          "libcublasLt": ["path": "string", "version": "string"],
        ],
        "verification": [
          "products": 12, "largestShareOfBound": "number", "knownLayout": true,
        ],
        "peak": ["fp16": "number", "int8": "number", "bandwidth": "number"],
        "linears": [["outputs": "integer", "inputs": "integer", "count": "integer"]],
      ]) == [])
    // The fixture's linears have four shapes: in four forms, at two numbers of rows.
    let shapes = try #require(table["linears"]?.array)
    #expect(shapes.reduce(0) { $0 + ($1["count"]?.int ?? 0) } == 28)
    #expect(table["times"]?.array?.count == 2 * 4 * shapes.count)
    let file = try model.folder.write(table.text(), to: "measured.json")
    let plan = try ToolRun(
      "plan", model.path, "--gpu", "h100-sxm", "--batch", "1", "--dtype", "int8", "--measured",
      file, "--json")
    #expect(plan.status == 0)
    let layer = try #require(try plan.json()["layers"]?.array?.first)
    let dense = table["times"]?.array?.first {
      $0["form"]?.string == "dense fp16" && $0["rows"]?.int == 1
        && $0["outputs"]?.int == layer["n"]?.int && $0["inputs"]?.int == layer["k"]?.int
    }
    #expect(layer["measured"]?.bool == true)
    #expect(layer["denseSeconds"]?.double == dense?["seconds"]?.double)
  }

  @Test func theTextGivesTheSpeedupsByRows() throws {
    let run = try run(["bench", "--device", "cuda", model.path, "--rows", "16,256"])
    #expect(run.status == 0)
    // By the stub's clock 2:4 INT8 is 4 times as fast as dense fp16, and more with few outputs.
    let rows = run.lines.drop { !$0.hasPrefix("All linears together") }
    #expect(rows.contains { $0.hasPrefix(" 256 ") && $0.hasSuffix(" 4.03×") })
    #expect(run.output.contains("4, segments"))
    #expect(run.output.contains("Stub GPU (compute capability 9.0), driver "))
    #expect(run.output.contains("Checked against the CPU: 12 products, INT8 exactly"))
    #expect(try model.folder.contents().contains("cache/sparsify/cusparselt.json"))
  }

  @Test func withoutAGPUTheStatusIs69() throws {
    let none = try run(["bench", "--device", "cuda"], ["CUDA_STUB_DEVICES": "0"])
    #expect(none.status == 69)
    #expect(none.errors == "Error: the driver knows of no GPU\n")
    let failing = try run(["bench", "--device", "cuda"], ["CUDA_STUB_FAIL": "cusparseLtInit=4"])
    #expect(failing.status == 69)
    #expect(failing.errors.hasPrefix("Error: cusparseLtInit: CUSPARSE_STATUS_ARCH_MISMATCH (4): "))
    let check = try run(
      ["check", model.path, "--device", "cuda"], ["CUDA_STUB_CAPABILITY": "75"])
    #expect(check.status == 69)
    #expect(check.errors.contains("Stub GPU has compute capability 7.5"))
  }

  @Test func checkAsksTheLibrary() throws {
    let path = try pruned()
    let good = try run(["check", path, "--device", "cuda"])
    #expect(good.status == 0)
    #expect(
      good.output.contains("Stub GPU with cuSPARSELt 0.8.0: takes 28 of 28 weights for 2:4\n"))
    #expect(good.lines.last?.hasPrefix("passed: 28 weights") == true)
    let wrong = try run(
      ["check", path, "--device", "cuda", "--json"], ["CUDA_STUB_PRUNE_CHECK": "wrong"])
    #expect(wrong.status == 1)
    let object = try wrong.json()
    #expect(object["passed"]?.bool == false)
    let found = object["models"]?.array?.first
    #expect(found?["violating"]?.int == 0)
    #expect(found?["device"]?["passed"]?.bool == false)
    #expect(found?["device"]?["tensors"]?.array?.count == 28)
    let annotated = try run(
      ["check", path, "--device", "cuda", "--format", "github"], ["CUDA_STUB_PRUNE_CHECK": "wrong"])
    #expect(annotated.lines.count == 1 + 28)
    #expect(annotated.lines[0].contains("FAILED: Stub GPU with cuSPARSELt 0.8.0 does not take 28"))
    // What fails on the GPU for one model ends nothing but the look at that.
    let two = try run(
      ["check", path, path, "--device", "cuda"],
      ["CUDA_STUB_FAIL": "cusparseLtSpMMAPruneCheck2@1=7"])
    #expect(two.status == 69)
    #expect(two.lines.last == "FAILED: 1 of 2 models passed, 1 could not be read")
    let dense = try run(["check", model.path, "--device", "cuda"])
    #expect(dense.status == 1)
    #expect(dense.output.contains("takes 0 of 28 weights for 2:4"))
  }

  @Test func whatTheLibraryDoesNotTakeIsNotAskedAbout() throws {
    let file = try SmallCheckpoint.write(
      [SmallCheckpoint.sparse("a.weight"), SmallCheckpoint.sparse("b.weight", .f32)],
      promising: ["a.weight", "b.weight"], to: model.folder, "small.safetensors")
    let check = try run(["check", file, "--device", "cuda"])
    #expect(check.status == 1)
    #expect(
      check.lines.last?.hasSuffix("with cuSPARSELt 0.8.0 could be asked about no weight") == true)
    #expect(check.output.contains("1 weight not asked about: 2 × 4 is not a multiple of 16 × 16"))
    #expect(
      check.output.contains("1 weight not asked about: there are no sparse kernels for float32"))
  }

  @Test func optionsThatHaveNoEffectAreRefused() throws {
    let train = try run(["bench", "--device", "cuda", "--train", model.path])
    #expect(train.status == 64)
    let rows = try run(["bench", "--rows", "1"])
    #expect(rows.status == 64)
    #expect(rows.errors.contains("it is for --device cuda"))
    let two = try run(["bench", "--device", "cuda", model.path, model.path])
    #expect(two.status == 64)
    let misspelt = try run(["bench", "gem"])
    #expect(misspelt.status == 64)
    #expect(misspelt.errors.contains("Did you mean 'gemm'?"))
  }
}
