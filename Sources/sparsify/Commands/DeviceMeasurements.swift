internal import SparseCUDA
internal import SparseCore
internal import SparseModel

/// What `bench --device cuda` has measured, for people and for `plan --measured`.
struct DeviceMeasurements {
  let device: CUDADevice
  let libraries: [(CUDALibrary, path: String, version: String)]
  let verification: ProductVerification
  let peak: GPUBenchmark.Peak
  let sizes: [LinearSize]
  let rows: [Int]
  let results: [GPUBenchmark.Result]

  /// The release where it is known, and up to which CUDA it goes.
  private var driver: String {
    let cuda = "CUDA \(CUDARuntime.text(ofVersion: device.runtime.driverVersion))"
    return device.runtime.driverRelease.map { "\($0) (\(cuda))" } ?? cuda
  }

  /// The seconds of all linears together; nil where one of them has no kernel in a form.
  private func seconds(_ form: LinearForm, rows: Int) -> Double? {
    var sum = 0.0
    for size in sizes {
      let result = results.first { $0.form == form && $0.rows == rows && $0.size == size }
      guard let result else { return nil }
      sum += Double(size.count) * result.median
    }
    return sum
  }

  // MARK: Text

  var text: String {
    let versions = libraries.map { "\($0.0.title) \($0.version)" }.joined(separator: ", ")
    let share = Format.fixed(100 * verification.largestShareOfBound, 0)
    return products + "\nAll linears together, and how many times as fast as dense fp16:\n"
      + speedups + "\n\(device.name.printable) (compute capability \(device.capability)), "
      + "driver \(driver), \(versions)\n"
      + "Measured peak: dense fp16 \(tera(peak.half)) TFLOP/s, dense INT8 \(tera(peak.int8)) TOP/s, "
      + "memory \(tera(peak.bandwidth)) TB/s. A share is that of what this peak allows; times are medians.\n"
      + "Checked against the CPU: \(verification.products.counting("product")), INT8 exactly, "
      + "16 bits within \(share) % of what rounding allows. The library's layout of compressed weights is "
      + (verification.isLayoutKnown
        ? "that of 0.8.0 on an H100.\n" : "another than that of 0.8.0 on an H100.\n")
  }

  private var products: String {
    var table = Table([
      ("rows", .right), ("linear", .left), ("form", .left), ("time", .right), ("TFLOP/s", .right),
      ("share", .right), ("kernel", .left),
    ])
    for result in results {
      let size = result.size
      let work = 2 * Double(result.rows) * Double(size.outputs) * Double(size.inputs)
      table.append([
        "\(result.rows)", "\(size.inputs) -> \(size.outputs)", result.form.rawValue,
        Format.fixed(1e6 * result.median, 1) + " µs", tera(work / result.median),
        Format.fixed(100 * result.share, 0) + " %", result.algorithm.map(Self.name) ?? "–",
      ])
    }
    return table.text
  }

  private var speedups: String {
    let forms = LinearForm.allCases
    var table = Table([("rows", .right)] + forms.map { ($0.rawValue, .right) })
    for rows in rows {
      let dense = seconds(.denseHalf, rows: rows)
      table.append(
        ["\(rows)"]
          + forms.map { form in
            guard let seconds = seconds(form, rows: rows) else { return "–" }
            let ratio = dense.map { " \(Format.fixed($0 / seconds, 2))×" } ?? ""
            return Format.fixed(1e3 * seconds, 3) + " ms" + ratio
          })
    }
    return table.text
  }

  /// The number of a kernel, and into how many parts it cuts the reduction.
  private static func name(of algorithm: AlgorithmChoice) -> String {
    let parts =
      switch algorithm.splits {
      case 1: ""
      case AlgorithmChoice.segments: ", segments"
      default: ", \(algorithm.splits) parts"
      }
    return "\(algorithm.configuration)" + parts
      + (algorithm.splitMode > 0 ? " (mode \(algorithm.splitMode))" : "")
  }

  private func tera(_ rate: Double) -> String { Format.fixed(rate * 1e-12, 2) }

  // MARK: JSON

  var json: JSON {
    [
      "schema": 1, "version": .string(Tool.version), "device": "cuda",
      "gpu": [
        "name": .string(device.name), "computeCapability": .string("\(device.capability)"),
        "memoryBytes": .integer(device.memoryBytes), "l2Bytes": .integer(device.cacheBytes),
      ],
      "driver": .string(driver),
      "runtime": .string(CUDARuntime.text(ofVersion: device.runtime.version)),
      "libraries": .object(
        libraries.map { library in
          JSON.Member(
            key: library.0.rawValue,
            value: ["path": .string(library.path), "version": .string(library.version)])
        }),
      "verification": [
        "products": .integer(verification.products),
        "largestShareOfBound": .number(verification.largestShareOfBound),
        "knownLayout": .bool(verification.isLayoutKnown),
      ],
      "peak": [
        "fp16": .number(peak.half), "int8": .number(peak.int8),
        "bandwidth": .number(peak.bandwidth),
      ],
      "linears": .array(
        sizes.map { size in
          [
            "outputs": .integer(size.outputs), "inputs": .integer(size.inputs),
            "count": .integer(size.count),
          ]
        }),
      "times": .array(results.map(Self.json)),
      "speedups": .array(
        rows.map { rows in
          let dense = seconds(.denseHalf, rows: rows)
          let forms = LinearForm.allCases.map { form in
            let seconds = seconds(form, rows: rows)
            let speedup = dense.flatMap { dense in seconds.map { dense / $0 } }
            return JSON.Member(
              key: form.rawValue,
              value: [
                "seconds": seconds.map(JSON.number) ?? .null,
                "speedup": speedup.map(JSON.number) ?? .null,
              ])
          }
          return ["rows": .integer(rows), "forms": .object(forms)]
        }),
    ]
  }

  private static func json(_ result: GPUBenchmark.Result) -> JSON {
    let entry = MeasuredTimes.Entry(
      form: result.form, rows: result.rows, outputs: result.size.outputs,
      inputs: result.size.inputs, seconds: result.median, bestSeconds: result.best,
      share: result.share)
    let kernel: JSON =
      result.algorithm.map { algorithm in
        [
          "configuration": .integer(algorithm.configuration),
          "splits": .integer(algorithm.splits), "splitMode": .integer(algorithm.splitMode),
        ]
      } ?? .null
    return .object((entry.json.object ?? []) + [JSON.Member(key: "kernel", value: kernel)])
  }
}
