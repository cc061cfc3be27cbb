"""Random programs beside PyTorch and JAX: `pytest -m oracle -n auto tests/test_oracle_programs.py`, in chunks.

The values of all steps, and the gradients of all inputs by cotangents of all of them, agree to half of the digits of
the dtype: what is lost of them in a few steps is much less, and what is wrong is more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings

from autograd_mini import Tensor
from autograd_mini.testing.strategies import OPERATIONS, Program, Step, programs

from . import oracles
from .oracles import MissingError, Namespace

CHUNK = 250
KINDS = [("pytorch", "float64", 22), ("pytorch", "float32", 8), ("jax", "float64", 10)]  # 10,000 programs

# Operations that a library does not have, or does not differentiate.
LACKS = {
    "pytorch": {
        "apply_along_axis", "average", "bincount", "block", "cbrt", "choose", "compress", "delete", "heaviside",
        "insert", "interp", "linspace", "matvec", "nancumprod", "nancumsum", "nanmax", "nanmin", "nanprod", "nanstd",
        "nanvar", "nn.hinge_loss", "partition", "piecewise", "polyadd", "polyder", "polyint", "polysub", "polyval",
        "ptp", "resize", "rollaxis", "select", "trim_zeros", "unwrap", "vander", "vecmat",
        "linalg.cond",  # fails on the way back from stacks
    },
    "jax": {
        "ldexp", "partition", "nn.binary_cross_entropy", "nn.binary_cross_entropy_with_logits", "nn.cross_entropy",
        "nn.hinge_loss", "nn.huber_loss", "nn.kl_div", "nn.l1_loss", "nn.mse_loss", "nn.nll_loss",
        "piecewise",  # takes JAX's functions alone
    },
}  # fmt: skip

# What a library refuses of some operands or keywords, in its own words.
REFUSES = {
    "pytorch": {"dot": "1D tensors expected"},
    "jax": {},
}

QUANTILES = "median quantile percentile nanmedian nanquantile nanpercentile"

# Where a library answers something else: the row of the page of conventions that says so, the operations, and when.
DISAGREES: list[tuple[str, int, str, Callable[..., bool]]] = [
    ("pytorch", 27, "set_at", lambda step, *xs: True),
    ("pytorch", 42, "median nanmedian", lambda step, *xs: True),
    ("pytorch", 57, "getitem", lambda step, *xs: type(step.params["index"]) is tuple),
    ("pytorch", 81, "linalg.solve", lambda step, a, b: b.ndim == a.ndim - 1 > 1),
    ("pytorch", 79, "cov corrcoef", lambda step, *xs: xs[0].dtype == np.float32),
    ("jax", 7, "vander", lambda step, x: 0 in x),
    ("jax", 58, QUANTILES, lambda step, x: x.ndim == 0 and step.params["keepdims"]),
]


def answers_otherwise(name: str, step: Step, xs: list[Any]) -> bool:
    if name == "pytorch" and step.params.get("axis") == ():  # row 30
        return True
    return any(
        name == library and step.name in names.split() and where(step, *xs) for library, _, names, where in DISAGREES
    )


def compared(name: str, program: Program) -> int:
    """Compare the steps up to the first that the library does not take; give their number."""
    library, n = oracles.load(name), len(program.inputs)
    leaves = [Tensor(x) for x in program.inputs]
    values = program.values(*leaves)

    def run(*xs: Any) -> list[Any]:
        found = list(xs)
        for step in program.steps:
            if answers_otherwise(name, step, [np.asarray(values[i].data) for i in step.operands]):
                break
            try:
                found.append(step(Namespace(library), *[found[i] for i in step.operands]))
            except MissingError:
                break
            except Exception as error:
                if not re.search(REFUSES[name].get(step.name, "(?!)"), str(error)):
                    raise
                break
        return found[n:]

    eps = max(np.finfo(x.dtype).eps for x in program.inputs)
    rng = np.random.default_rng(0)
    cts = [rng.standard_normal(y.shape).astype(y.dtype) for y in values[n:]]
    theirs, gradients = library.pull_back(run, program.inputs, cts)
    for x in leaves:
        x.grad = np.zeros_like(x.data)
    for y, ct in zip(values[n:], cts[: len(theirs)], strict=False):
        if y.requires_grad:
            y.backward(ct)
    ours = [y.data for y in values[n:][: len(theirs)]] + [x.grad for x in leaves]
    for i, (x, y) in enumerate(zip(ours, theirs + gradients, strict=True)):
        assert x.shape == y.shape, i
        assert x.dtype == y.dtype, i
        tolerance = np.sqrt(eps) * np.max(np.abs(y), initial=1)
        np.testing.assert_allclose(x, y, 0, tolerance, err_msg=f"of {i} in the steps and then the inputs")
    return len(theirs)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "dtype", "chunk"), [(*kind, i) for *kind, n in KINDS for i in range(n)])
def test_programs_are_as_theirs(name: str, dtype: str, chunk: int) -> None:
    names = [operation for operation in OPERATIONS if operation not in LACKS[name]]
    counts = []

    @seed(chunk)
    @settings(max_examples=CHUNK, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(programs(ops=names, dtypes=[np.dtype(dtype).type]))
    def compare(program: Program) -> None:
        counts.append((compared(name, program), len(program.steps)))

    compare()
    done, all_there = np.sum(counts, axis=0)
    assert len(counts) == CHUNK
    assert done > all_there / 2


def test_what_they_lack_is_in_the_table() -> None:
    assert LACKS["pytorch"] | LACKS["jax"] <= set(OPERATIONS)
    assert sum(n for *_, n in KINDS) * CHUNK == 10_000
