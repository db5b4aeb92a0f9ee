#!/usr/bin/env python3
"""Make golden.json of this folder with torch: see README.md. Seeded: the same version gives the same file again."""
import json, os, re
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 6
RATES = [0.02, 0.05, 0.04, 0.03, 0.02, 0.01]
torch.manual_seed(7)


def halves(*shape):
    """Random values with few digits, exact in float32."""
    return (torch.randn(*shape, dtype=torch.float64) * 64).round() / 64


WEIGHTS = {"masked": halves(3, 12), "gain": halves(1, 5)}
GRADIENTS = [{name: halves(*value.shape) for name, value in WEIGHTS.items()} for _ in range(STEPS)]
MASK = torch.zeros(3, 3, 4, dtype=torch.float64)
MASK.scatter_(2, torch.rand(3, 3, 4).argsort(2)[..., :2], 1)
MASK = MASK.reshape(3, 12)


def run(make, clip=None, decay=0.0):
    """Trains in float64; the decay, where given, is decoupled: taken off the weights before the step."""
    weights = {name: value.clone().requires_grad_() for name, value in WEIGHTS.items()}
    with torch.no_grad():
        weights["masked"] *= MASK
    optimizer = make(list(weights.values()))
    norms = []
    for rate, gradients in zip(RATES, GRADIENTS):
        optimizer.param_groups[0]["lr"] = rate
        for name, value in weights.items():
            value.grad = gradients[name] * (MASK if name == "masked" else 1)
        norms.append(float(torch.nn.utils.clip_grad_norm_(weights.values(), clip or float("inf"))))
        with torch.no_grad():
            for value in weights.values():
                value *= 1 - rate * decay
        optimizer.step()
        with torch.no_grad():
            weights["masked"] *= MASK
    return {"clip": clip, "norms": norms, **{name: value.flatten().tolist() for name, value in weights.items()}}


def rates(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.25)
    schedule, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


AdamW, SGD = torch.optim.AdamW, torch.optim.SGD
golden = {
    "made by": f"make.py with torch {torch.__version__.split('+')[0]}",
    "rates": RATES,
    "mask": MASK.flatten().int().tolist(),
    "weights": {name: value.flatten().tolist() for name, value in WEIGHTS.items()},
    "gradients": [{name: value.flatten().tolist() for name, value in step.items()} for step in GRADIENTS],
    "runs": {
        "adamw": run(lambda p: AdamW(p)),
        "adamw clipped": run(lambda p: AdamW(p, betas=(0.8, 0.95), eps=0.05, weight_decay=0.3), clip=1.5),
        "sgd": run(lambda p: SGD(p, momentum=0.9)),
        "sgd plain": run(lambda p: SGD(p), clip=4.8),
        "sgd nesterov": run(lambda p: SGD(p, momentum=0.7, nesterov=True), clip=4.0, decay=0.5),
    },
    "schedules": {
        "linear": rates(lambda o: LinearLR(o, 1, 0, total_iters=7), 9),
        "cosine": rates(lambda o: CosineAnnealingLR(o, 7, eta_min=0.05), 8),
    },
}
text = json.dumps(golden, indent=1)
# One line for each list of numbers.
text = re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text)
with open(os.path.join(HERE, "golden.json"), "w") as file:
    file.write(text + "\n")
