"""Time how long a drawing takes: ``python -m tests.benchmarks.drawing``.

The DOT is the library's own work: the walk over the graph, a backward sweep, a summary of every
value and gradient, folding or not, the text. It is to be linear, and under 100 µs a node, whether
every card is drawn or what is repeated is folded (which 10 nodes have nothing of). Its time is the
shortest of several, and that of the processor, so that what else the machine does hardly counts.

The whole render is that, the layout of Graphviz in a child process, and the finishing of the SVG:
the shortest of several by the clock on the wall. Where Graphviz meets its time limit it says so.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable

import numpy as np

import autograd_mini as ag
from autograd_mini.draw import engines

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


def drawing(output: ag.Tensor, fold: bool) -> ag.Drawing:
    return ag.draw(output, fold=fold, max_nodes=10**6)


def seconds(work: Callable[[], object], budget: float, clock: Callable[[], float] = time.perf_counter) -> float:
    """The shortest time of some runs, as many as fit in the budget but at least one."""
    times: list[float] = []
    while not times or sum(times) + times[-1] < budget:
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)


def render(output: ag.Tensor, fold: bool, budget: float) -> str:
    """Say how long it takes until there is an SVG, or why there is none."""
    start = time.perf_counter()
    try:
        return f"{seconds(lambda: drawing(output, fold).svg, budget) * 1e3:,.0f} ms"
    except RuntimeError as error:
        late = time.perf_counter() - start > engines.LIMIT
        return f"more than {engines.LIMIT:g} s" if late else str(error).partition(":")[0]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.drawing", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 100, 1_000, 10_000], help="sizes of the graphs")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to measure each figure (default 2)")
    options = parser.parse_args(arguments)
    print(machine(), "\n")
    print("| graph of | nodes | drawn | DOT alone | a node | goal | whole render |")
    print("|---|---|---|---|---|---|---|")
    growth = []
    for kind, shape in KINDS.items():
        drawing(chain(1, shape), fold=True)  # what is imported or looked up once is not to count
        whole = {}
        for nodes in options.nodes:
            output = chain(nodes, shape)
            for way, fold in (("unfolded", False), ("folded", True)):
                dot = seconds(lambda x=output, fold=fold: drawing(x, fold).dot, options.seconds, time.process_time)
                if not fold:
                    whole[nodes] = dot
                print(
                    f"| {kind} | {nodes:,} | {way} | {dot * 1e3:,.2f} ms | **{dot / nodes * 1e6:.0f} µs** "
                    f"| {GOAL:.0f} µs | {render(output, fold, options.seconds)} |",
                    flush=True,
                )
        growth += [
            f"- {kind}, unfolded, {a:,} to {b:,} nodes: nodes to the power of "
            f"{math.log(whole[b] / whole[a]) / math.log(b / a):.2f}"
            for a, b in zip(options.nodes, options.nodes[1:], strict=False)
        ]
    print("\nHow the time of the DOT grows (1 is linear, less where a fixed part counts):\n")
    print("\n".join(growth))


if __name__ == "__main__":
    main(sys.argv[1:])
