"""Time how long a drawing takes: ``python -m tests.benchmarks.drawing``.

The DOT is the library's own work: the walk over the graph, a backward sweep, a summary of every
value and gradient, the text. It is to be linear, and under 100 µs a node. The whole render is that,
the layout of Graphviz in a child process, and the finishing of the SVG.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

import autograd_mini as ag

from .timing import machine

STEP = 5  # nodes: two leaves and three operations
KINDS: dict[str, tuple[int, ...]] = {"scalars": (), "matrices 8×8": (8, 8)}
GOAL = 100.0  # µs a node


def chain(nodes: int, shape: tuple[int, ...]) -> ag.Tensor:
    """Record x = tanh(x * w + b) again and again, with other leaves every time: about this many nodes."""
    rng = np.random.default_rng(0)
    x = ag.Tensor(rng.standard_normal(shape))
    for _ in range(max(1, nodes // STEP)):
        w, b = (ag.Tensor(rng.standard_normal(shape)) for _ in range(2))
        x = ag.tanh(x * w + b)
    return x


def drawing(output: ag.Tensor) -> ag.Drawing:
    return ag.draw(output, max_nodes=10**6)


def seconds(work: Callable[[], object], budget: float) -> float:
    """The median time of some runs, as many as fit in the budget but at least one."""
    times: list[float] = []
    while not times or sum(times) + times[-1] < budget:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def render(output: ag.Tensor, budget: float) -> str:
    """Say how long it takes until there is an SVG, or why there is none."""
    try:
        return f"{seconds(lambda: drawing(output).svg, budget) * 1e3:,.0f} ms"
    except RuntimeError as error:
        return str(error).partition(":")[0]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.drawing", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 100, 1_000, 10_000], help="sizes of the graphs")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to measure each figure (default 2)")
    options = parser.parse_args(arguments)
    print(machine(), "\n")
    print("| graph of | nodes | DOT alone | a node | goal | whole render |")
    print("|---|---|---|---|---|---|")
    for kind, shape in KINDS.items():
        drawing(chain(1, shape))  # what is imported or looked up once is not to count
        for nodes in options.nodes:
            output = chain(nodes, shape)
            dot = seconds(lambda output=output: drawing(output).dot, options.seconds)
            print(
                f"| {kind} | {nodes:,} | {dot * 1e3:,.2f} ms | **{dot / nodes * 1e6:.0f} µs** | {GOAL:.0f} µs "
                f"| {render(output, options.seconds)} |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
