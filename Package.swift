// swift-tools-version: 6.2
import PackageDescription

// One set of settings for every Swift target: strict imports, no warning left standing, and no unsafe flag anywhere.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "sparsify",
  platforms: [.macOS(.v15)],  // Synchronization's Mutex and Atomic
  products: [
    .library(name: "SparseCore", targets: ["SparseCore"]),
    .library(name: "SparseModel", targets: ["SparseModel"]),
    .executable(name: "sparsify", targets: ["sparsify"]),
  ],
  targets: [
    .target(
      name: "CSparseKernels", cSettings: [.treatAllWarnings(as: .error)],
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(name: "SparseCore", dependencies: ["CSparseKernels"], swiftSettings: settings),
    .target(name: "SparseModel", dependencies: ["SparseCore"], swiftSettings: settings),
    .executableTarget(
      name: "sparsify", dependencies: ["SparseCore", "SparseModel"], swiftSettings: settings),
    .target(
      name: "TestSupport", dependencies: ["SparseCore"], path: "Tests/TestSupport",
      swiftSettings: settings),
    .testTarget(
      name: "SparseCoreTests", dependencies: ["SparseCore", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "SparseModelTests", dependencies: ["SparseModel", "SparseCore", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "sparsifyTests",
      dependencies: ["sparsify", "SparseCore", "SparseModel", "TestSupport"],
      exclude: ["Snapshots"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
