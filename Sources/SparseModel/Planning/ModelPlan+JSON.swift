public import SparseCore

extension ModelPlan {
  /// The plan as the `plan` contract has it.
  public var json: JSON {
    [
      "schema": 1, "gpu": .string(request.gpu.name), "form": .string(request.form.rawValue),
      "weights": .bool(hasWeights), "measured": measurement?.json ?? .null,
      "layers": .array(layers.map(\.json)),
      "passes": .array(
        passes.map { pass in
          [
            "phase": .string(pass.phase.rawValue), "batch": .integer(pass.batch),
            "m": .integer(pass.rows), "otherSeconds": .number(pass.rest),
            "bestDense": .string(pass.bestDense.rawValue),
            "forms": .array(
              LinearForm.allCases.map { form in
                [
                  "form": .string(form.rawValue), "seconds": .number(pass.seconds(form)),
                  "speedup": .number(pass.speedup(form)), "gain": .number(pass.gain(form)),
                ]
              }),
          ]
        }),
      "memory": memory.json(gpu: request.gpu),
      "advice": .array(advice.map { .string("\($0)") }),
      "verdict": .string(verdict.name), "verdictText": .string(verdictText),
    ]
  }
}

extension ModelPlan.Layer {
  fileprivate var json: JSON {
    [
      "name": .string(name), "m": .integer(rows), "n": .integer(outputs), "k": .integer(inputs),
      "denseSeconds": .number(dense.seconds), "sparseSeconds": .number(sparse.seconds),
      "denseInt8Seconds": .number(denseInt8.seconds), "bestDense": .string(bestDense.rawValue),
      "speedup": .number(speedup), "bound": .string(sparse.bound.rawValue),
      "obstacle": obstacle.map { .string("\($0)") } ?? .null, "measured": .bool(isMeasured),
    ]
  }
}

extension PlanMeasurement {
  fileprivate var json: JSON {
    [
      "gpu": .string(gpu), "file": path.map(JSON.string) ?? .null, "linears": .integer(linears),
      "of": .integer(all), "rows": [.integer(rows.lowerBound), .integer(rows.upperBound)],
      "forms": .array(
        LinearForm.allCases.map {
          ["form": .string($0.rawValue), "linears": .integer(linearsOfForm[$0] ?? 0)]
        }),
    ]
  }
}

extension PlanMemory {
  fileprivate func json(gpu: GPU) -> JSON {
    [
      "context": .integer(context), "cacheBytesPerToken": .integer(cache.bytesPerToken),
      "otherBytes": .integer(otherBytes), "linearWeights": .integer(linearWeights),
      "weights": .array(
        LinearForm.allCases.map {
          ["form": .string($0.rawValue), "bytes": .integer(weights[$0] ?? 0)]
        }),
      "budgets": .array(
        activations.flatMap { (batch, _) in
          LinearForm.allCases.map { form in
            let budget = budget(form, batch: batch)
            return [
              "batch": .integer(batch), "form": .string(form.rawValue),
              "weightBytes": .integer(budget.weights), "cacheBytes": .integer(budget.cache),
              "activationBytes": .integer(budget.activations), "bytes": .integer(budget.total),
              "gpus": .integer(budget.gpus(of: gpu)),
            ]
          }
        }),
    ]
  }
}
