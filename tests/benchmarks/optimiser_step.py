"""A step of an optimiser against its formulas by hand in NumPy: ``python -m tests.benchmarks.optimiser_step``.

By hand, every parameter is moved by its own lines, as the tutorials write them. Everything runs
interleaved in one process with one thread, and the figure to read is the ratio. Before anything is
timed, both take the same three steps, and their parameters must agree.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .training_step import interleaved, machine, ratio  # first: it sets the variables that NumPy reads

import numpy as np  # isort: skip

from autograd_mini import Tensor, optim  # isort: skip

Array = np.ndarray[Any, Any]
Shapes = list[tuple[int, ...]]


def layers(*sizes: int) -> Shapes:
    return [shape for n, m in pairwise(sizes) for shape in ((n, m), (m,))]


MODELS: dict[str, tuple[Shapes, str]] = {
    "XOR 2-3-2": (layers(2, 3, 2), "float64"),
    "digits 64-50-10": (layers(64, 50, 10), "float64"),
    "50 layers of 16": (layers(*[16] * 51), "float64"),
    "50 layers of 64": (layers(*[64] * 51), "float32"),
    "300 scalars": ([()] * 300, "float64"),
    "784-1024-1024-10": (layers(784, 1024, 1024, 10), "float32"),
}

# ---- the formulas by hand: (p, g, state, t) -> the new p, or p changed in place ----------------------------------


def sgd(p: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    p -= 0.01 * g
    return p


def momentum(p: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["v"] = 0.9 * s["v"] + g if t > 1 else g
    p -= 0.01 * s["v"]
    return p


def adam(p: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["m"] = 0.9 * s.get("m", 0.0) + 0.1 * g
    s["v"] = 0.999 * s.get("v", 0.0) + 0.001 * g**2
    p -= 0.01 * (s["m"] / (1 - 0.9**t)) / (np.sqrt(s["v"] / (1 - 0.999**t)) + 1e-8)
    return p


def adamw(p: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    p -= 0.01 * 0.1 * p
    return adam(p, g, s, t)


def rmsprop(p: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["s"] = 0.99 * s.get("s", 0.0) + 0.01 * g**2
    p -= 0.01 * g / (np.sqrt(s["s"]) + 1e-8)
    return p


def adagrad(p: Any, g: Any, s: dict[str, Any], t: int) -> Any:
    s["s"] = s.get("s", 0.0) + g**2
    p -= 0.01 * g / (np.sqrt(s["s"]) + 1e-10)
    return p


Rule = Callable[[Any, Any, dict[str, Any], int], Any]
RULES: dict[str, tuple[Rule, Callable[[list[Tensor]], optim.Optimizer]]] = {
    "SGD": (sgd, lambda ps: optim.SGD(ps, lr=0.01)),
    "SGD, momentum": (momentum, lambda ps: optim.SGD(ps, lr=0.01, momentum=0.9)),
    "Adam": (adam, lambda ps: optim.Adam(ps, lr=0.01)),
    "AdamW": (adamw, lambda ps: optim.AdamW(ps, lr=0.01, weight_decay=0.1)),
    "RMSprop": (rmsprop, lambda ps: optim.RMSprop(ps, lr=0.01)),
    "Adagrad": (adagrad, lambda ps: optim.Adagrad(ps, lr=0.01)),
}


def steps(name: str, shapes: Shapes, dtype: str) -> tuple[dict[str, Callable[[], Any]], list[Any], list[Tensor]]:
    """Make both steps, on the same data and gradients; and the parameters of each."""
    rule, make = RULES[name]
    rng = np.random.default_rng(0)
    gradients = [rng.standard_normal(shape).astype(dtype)[()] for shape in shapes]
    arrays = [rng.standard_normal(shape).astype(dtype)[()] for shape in shapes]
    tensors = [Tensor(a) for a in arrays]
    for tensor, g in zip(tensors, gradients, strict=True):
        tensor.grad = g
    optimizer = make(tensors)
    states: list[dict[str, Any]] = [{} for _ in shapes]
    t = 0

    def by_hand() -> None:
        nonlocal t
        t += 1
        for i, g in enumerate(gradients):
            arrays[i] = rule(arrays[i], g, states[i], t)

    return {"hand NumPy": by_hand, "autograd_mini": optimizer.step}, arrays, tensors


def agree(name: str, model: str, both: dict[str, Callable[[], Any]], arrays: list[Any], tensors: list[Tensor]) -> None:
    """Take three steps with each; parameters that differ mean that it computes something else."""
    for step in both.values():
        for _ in range(3):
            step()
    for a, tensor in zip(arrays, tensors, strict=True):
        tolerance = 1e-9 if tensor.dtype == np.float64 else 1e-4
        if not np.allclose(a, tensor.data, rtol=tolerance, atol=tolerance):
            raise SystemExit(f"{model}, {name}: a parameter of shape {tensor.shape} differs from that by hand")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.optimiser_step", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to measure each pair (default 2)")
    options = parser.parse_args(arguments)
    print(machine(), "\n")
    print("| one optimiser step: by hand, ratio | " + " | ".join(RULES) + " |")
    print("|---" * (1 + len(RULES)) + "|")
    for model, (shapes, dtype) in MODELS.items():
        cells = []
        for name in RULES:
            both, arrays, tensors = steps(name, shapes, dtype)
            agree(name, model, both, arrays, tensors)
            times = interleaved(both, options.seconds)
            by_hand = statistics.median(times["hand NumPy"]) * 1e6
            cells.append(f"{by_hand:,.1f} µs, **{ratio(times, 'autograd_mini', 'hand NumPy'):.2f}**")
        print(f"| {model}, {dtype} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
