// swift-tools-version: 6.2
import PackageDescription

// One set of settings for every Swift target: strict imports, no warning left standing, and no unsafe flag anywhere.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

// The fuzzers come with SPARSIFY_FUZZ alone: their executable has no main function without libFuzzer (see .ci/fuzz).
let fuzzers: [Target] =
  Context.environment["SPARSIFY_FUZZ"] == nil
  ? []
  : [
    .executableTarget(
      name: "Fuzzing", dependencies: ["FuzzTargets", "TestSupport"], path: "Tests/Fuzzing",
      exclude: ["words.dict"], swiftSettings: settings)
  ]

// With SPARSIFY_LIBRARIES_ALONE the executable and its tests are left out: .ci/run needs them in release alone.
let tool: [Target] = [
  .executableTarget(
    name: "sparsify", dependencies: ["SparseCore", "SparseModel", "SparseCUDA"],
    swiftSettings: settings),
  .testTarget(
    name: "sparsifyTests",
    dependencies: ["sparsify", "SparseCore", "SparseModel", "TestSupport"],
    exclude: ["Snapshots"], swiftSettings: settings),
]
let isWhole = Context.environment["SPARSIFY_LIBRARIES_ALONE"] == nil

let package = Package(
  name: "sparsify",
  platforms: [.macOS(.v15)],  // Synchronization's Mutex and Atomic
  products: [
    .library(name: "SparseCore", targets: ["SparseCore"]),
    .library(name: "SparseModel", targets: ["SparseModel"]),
    .library(name: "SparseCUDA", targets: ["SparseCUDA"]),
    // What SparseCUDA's tests open in place of NVIDIA's libraries.
    .library(name: "CUDAStub", type: .dynamic, targets: ["CUDAStub"]),
  ] + (isWhole ? [.executable(name: "sparsify", targets: ["sparsify"])] : []),
  targets: [
    .target(
      name: "CSparseKernels", cSettings: [.treatAllWarnings(as: .error)],
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(name: "SparseCore", dependencies: ["CSparseKernels"], swiftSettings: settings),
    .target(name: "SparseModel", dependencies: ["SparseCore"], swiftSettings: settings),
    .target(
      name: "SparseCUDA", dependencies: ["SparseCore"], swiftSettings: settings,
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(
      name: "TestSupport", dependencies: ["SparseCore"], path: "Tests/TestSupport",
      swiftSettings: settings),
    .target(
      name: "FuzzTargets", dependencies: ["SparseCore", "SparseModel", "TestSupport"],
      path: "Tests/FuzzTargets", swiftSettings: settings),
    .testTarget(
      name: "SparseCoreTests", dependencies: ["SparseCore", "TestSupport"],
      swiftSettings: settings),
    .target(name: "CUDAStub", path: "Tests/CUDAStub", cSettings: [.treatAllWarnings(as: .error)]),
    .testTarget(
      name: "SparseCUDATests",
      dependencies: ["SparseCUDA", "SparseCore", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "SparseModelTests",
      dependencies: ["SparseModel", "SparseCore", "FuzzTargets", "TestSupport"],
      swiftSettings: settings),
  ] + (isWhole ? tool : []) + fuzzers,
  swiftLanguageModes: [.v6]
)
