"""Every operation once, one module a family, and what primitives the rows reach."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

import autograd_mini as ag
from autograd_mini import core, derivatives, ops

from . import (
    activations,
    convolution,
    decompositions,
    elementwise,
    indexing,
    linalg,
    others,
    reductions,
    sampled,
    scans,
    shape,
)  # fmt: skip
from .table import Case, Row

FAMILIES = (
    elementwise, activations, reductions, scans, shape, indexing, linalg, decompositions, sampled, convolution, others,
)  # fmt: skip
ROWS = [row for family in FAMILIES for row in family.ROWS]


@cache
def samples(row: Row, n: int = 12) -> tuple[Case, ...]:
    """The first cases of a row: always the same."""
    found: list[Case] = []

    @settings(
        max_examples=n,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(row.cases)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return tuple(found)


def primitives() -> set[core.Primitive]:
    """Every primitive that the calculus states."""
    homes = [derivatives, *(import_module(f"{ops.__name__}.{home.name}") for home in iter_modules(ops.__path__))]
    stated = {getattr(thing, "op", None) for home in homes for thing in vars(home).values()}
    return {op for op in stated if isinstance(op, core.Primitive)}


@cache
def reached(row: Row) -> frozenset[core.Primitive]:
    """The primitives on the graphs of a row and of its first two derivatives; no view adds to them."""
    found: set[core.Primitive] = set()
    for case in samples(row):
        leaves = [ag.Tensor(np.array(x)) for x in case.operands()]
        outputs = [row.apply(*leaves, **case.params)]
        for _ in range(3):
            found |= {node.op for y in outputs for node in core.ancestors(y) if node.op}
            sweeps = [core.sweep(y, ag.Tensor(np.ones(y.shape, y.dtype)), recorded=True) for y in outputs]
            steps = [step for sweep in sweeps for step in sweep]
            outputs = [ct for node, ct in steps if any(node is x for x in leaves) and isinstance(ct, core.Node)]
    return frozenset(found)
