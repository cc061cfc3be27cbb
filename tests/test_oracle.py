"""Values and gradients beside those of PyTorch and JAX: `pytest -m oracle`, with the extra `oracle`.

Every row of the table of operations is compared, at the cases that are drawn for it, and so is every row of the page of
conventions that is one function at one place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor

from . import conventions, oracles
from .operations import ROWS, Case, Row, samples
from .oracles import Library, MissingError

inf, nan = np.inf, np.nan
CASES = {"pytorch": 25, "jax": 6}  # JAX compiles for every shape

# Rows that a library does not have, under any name, or does not differentiate (the last four of PyTorch); of dropout
# every library draws another mask.
LACKS = {
    "pytorch": {
        "cbrt", "multiply.reduce", "ptp", "nanprod", "nanmax", "nanmin", "nanvar", "nanstd", "average", "plain average",
        "logaddexp.reduce", "add.accumulate", "multiply.accumulate", "divide.outer", "rollaxis", "block", "compress",
        "choose", "select", "partition", "partition flat", "matvec", "vecmat", "qr r", "dropout",
        "nancumsum", "nancumprod", "ediff1d with ends", "unwrap", "resize", "delete", "insert", "trim_zeros",
        "piecewise", "apply_along_axis", "interp", "interp at points", "polyval", "polyadd", "polysub", "polyder",
        "polyint", "linspace", "heaviside", "bincount", "vander",
    },
    "jax": {"divide.outer", "hardtanh", "partition", "partition flat", "dropout"},
}  # fmt: skip
NEITHER = {
    "divide.outer": "only sums, products and extrema have an outer form in JAX",
    "dropout": "every library draws another mask",
    "partition": "within the parts, JAX has another order; PyTorch has only the k-th",
    "partition flat": "the same",
}

# What a library refuses in some cases of a row that it has, in its own words.
REFUSES = {
    "pytorch": {
        "clip to x and y": "doesn't match the broadcast shape",  # the gradient of bounds that broadcast
        "quantile": "must be non-empty",
        "percentile": "must be non-empty",
        "tril": "at least 2 dimensions",
        "triu": "at least 2 dimensions",
        "take_along_axis": "view size is not compatible",
        "kron": "view size is not compatible",
        "dot": "1D tensors expected",
        "vector_norm": "does not have an identity",
        "nanquantile": "must be non-empty",
        "nanpercentile": "must be non-empty",
        "heaviside": "not implemented|not yet implemented for tensors with different dtypes",
        "bincount": "not implemented",
        "vander": "does not require grad|modified by an inplace operation",
        "qr r": "depends on Q, which is not computed",
        "cond": "does not require grad|modified by an inplace operation",  # the gradient of a condition number
    },
    "jax": {
        "meshgrid": "must be 1D",
        "tril": "at least 2D",
        "triu": "at least 2D",
        "set_at": "Cannot broadcast to shape with fewer dimensions",
        "add_at": "Cannot broadcast to shape with fewer dimensions",
        "split": "must be nonnegative",
        "hsplit": "must be nonnegative",
        "vsplit": "must be nonnegative",
        "dsplit": "must be nonnegative",
        "nanquantile": "rank <= 1",
        "nanpercentile": "rank <= 1",
        "cumulative_sum of a vector": "must be non-scalar",
        "cov": "Incompatible shapes for broadcasting",  # of columns beside a vector
        "corrcoef": "Incompatible shapes for broadcasting",
        "det": "out of bounds",
        "slogdet sign": "out of bounds",
    },
}

# Where a library answers something else: the row of the page of conventions that says so, the operations, and their
# cases, of which NumPy gives `z`.
REDUCTIONS = {"sum", "mean", "var", "std", "vector_norm"}
QUANTILES = {"median", "quantile", "percentile", "nanquantile", "nanpercentile"}
DISAGREES: list[tuple[str, int, set[str], Callable[[Case, Any], bool]]] = [
    ("pytorch", 30, REDUCTIONS, lambda c, z: c.params["axis"] == ()),
    ("pytorch", 42, {"median"}, lambda c, z: c.operands()[0].size // max(z.size, 1) % 2 == 0),
    ("pytorch", 42, {"nanmedian"}, lambda c, z: bool(np.any(np.sum(~c.params["holes"], c.params["axis"]) % 2 == 0))),
    ("pytorch", 49, {"copysign"}, lambda c, z: not np.ndim(c.params["other"])),
    ("pytorch", 56, {"ldexp"}, lambda c, z: bool(np.any(c.params["other"] < 0))),
    ("pytorch", 57, {"getitem", "ops.getitem"}, lambda c, z: parted(c.params["index"])),
    ("pytorch", 79, {"frexp", "cov", "corrcoef"}, lambda c, z: True),
    ("pytorch", 79, {"gradient"}, lambda c, z: any(map(np.ndim, c.params["steps"]))),
    ("jax", 38, {"std", "nanstd"}, lambda c, z: not np.all(z)),
    ("jax", 58, QUANTILES, lambda c, z: c.params["keepdims"] and not c.bases[0].ndim),
]


def parted(index: Any) -> bool:
    """Whether an index is made of an integer and an array, among others."""
    parts = index if type(index) is tuple else ()
    return any(isinstance(i, int | np.integer) for i in parts) and any(np.ndim(i) for i in parts if i is not ...)


def ours(row: Row, case: Case, dtype: Any, ct: Any) -> list[Any]:
    leaves = [Tensor(x.astype(dtype)) for x in case.operands()]
    y = row.apply(*leaves, **case.params)
    y.backward(ct)
    return [y.data, *(x.grad for x in leaves)]


def theirs(library: Library, row: Row, case: Case, dtype: Any, ct: Any) -> list[Any]:
    own = row.name in library.rows
    f = library.own(row.name, case.params) if own else lambda *xs: row.reference(*xs, **case.params)
    return library.numbers(f, [x.astype(dtype) for x in case.operands()], ct)


def agree(ours: list[Any], theirs: list[Any], dtype: Any) -> bool:
    tolerance = 1e-11 if dtype == np.float64 else 2e-5
    return all(
        x.shape == y.shape and x.dtype == y.dtype and np.allclose(x, y, 0, tolerance * np.max(np.abs(x), initial=1))
        for x, y in zip(ours, theirs, strict=True)
    )


def outcome(name: str, row: Row, case: Case, dtype: Any = np.float64) -> str | int:
    """Compare; give 'agrees', 'refuses', or the row of the page that says why not."""
    z = np.asarray(row.reference(*case.operands(), **case.params))
    ct = np.random.default_rng(0).standard_normal(z.shape).astype(z.dtype)
    found = ours(row, case, dtype, ct)
    try:
        other = theirs(oracles.load(name), row, case, dtype, ct)
    except MissingError:
        return "refuses"
    except Exception as error:
        if re.search(REFUSES[name].get(row.name, "(?!)"), str(error)):
            return "refuses"
        raise
    if agree(found, other, dtype):
        return "agrees"
    for library, number, rows, where in DISAGREES:
        if library == name and row.name in rows and where(case, z):
            return number
    raise AssertionError(f"{row.name}, {case}: {found}, and beside it {other}")


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize(
    ("name", "dtype"), [("pytorch", np.float64), ("pytorch", np.float32), ("jax", np.float64)]
)  # fmt: skip
def test_every_operation_is_as_theirs(name: str, dtype: Any, row: Row) -> None:
    found = {outcome(name, row, case, dtype) for case in samples(row, CASES[name])}
    assert (found == {"refuses"}) is (row.name in LACKS[name])


def test_every_operation_is_beside_one_of_them_or_it_is_said_why_not() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert LACKS["pytorch"] & LACKS["jax"] == set(NEITHER)
    assert {row.name for row in ROWS} >= LACKS["pytorch"] | LACKS["jax"]


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "number", "rows"), [entry[:3] for entry in DISAGREES])
def test_every_disagreement_is_there_and_on_the_page(name: str, number: int, rows: set[str]) -> None:
    assert number in conventions.rows()
    for row in ROWS:
        if row.name in rows:
            dtype = np.float32 if number in (49, 79) else np.float64
            assert number in {outcome(name, row, case, dtype) for case in samples(row, CASES[name])}


# -- the page of conventions ---------------------------------------------------------------------------


class At(NamedTuple):
    """A function, in NumPy's terms or by its name in the table of operations, and where its gradient is asked."""

    f: str | Callable[..., Any]
    operands: tuple[Any, ...]
    params: dict[str, Any]
    order: int = 1  # 2 for the gradient of the gradient


def at(f: str | Callable[..., Any], *operands: Any, **params: Any) -> At:
    return At(f, operands, params)


def twice_at(f: Callable[..., Any], x: Any) -> At:
    return At(f, (x,), {}, order=2)


zeros = [0.0, 0.0]
singular = [[1.0, 2.0], [2.0, 4.0]]

# fmt: off
MEASURED: dict[int, list[At]] = {
    1: [at(np.max, [1, 3, 3])],
    2: [at(np.maximum, 2, 2)],
    3: [at("relu", 0)],
    4: [at(np.absolute, 0)],
    5: [at(np.sqrt, 0)],
    6: [at(lambda x: np.sqrt(x) ** 2.0, 0)],
    7: [at(lambda x: x ** np.array(0.0), 0)],
    8: [twice_at(lambda x: x ** np.array(1.0), 0)],
    9: [at(lambda p: np.power(np.zeros(()), p), 2), at(lambda p: np.power(np.zeros(()), p), 0)],
    10: [at(np.power, -2, 3)],
    11: [at(np.log, [0, -1])],
    12: [at(lambda x: np.where(np.array(False), np.log(x), 0.0), 0)],
    13: [at("softmax", [1000, -1000], axis=0), at("softmax", [0, -inf], axis=0), at("softmax", [-inf, -inf], axis=0)],
    14: [at("logsumexp", [-inf, -inf], axis=0, keepdims=False)],
    15: [at(np.linalg.norm, zeros)],
    16: [at(lambda x: np.linalg.norm(x, 1), [0, -3])],
    17: [at(lambda x: np.linalg.norm(x, inf), [2, -2])],
    18: [at(np.hypot, 0, 0), at(np.arctan2, 0, 0)],
    21: [at("sigmoid", -1000), at("softplus", 1000)],
    26: [at(lambda x: x[[0, 0, 1]], [1, 2, 3])],
    27: [at("set_at", [1, 2], [3, 4], index=np.array([0, 0]))],
    31: [at(lambda x: np.sum(x, axis=(0, -2)), [[1, 2]])],
    38: [at(np.std, [2, 2])],
    40: [at(np.prod, [0, 2, 3]), at(np.prod, [0, 0, 3]), at(lambda x: np.cumprod(x, 0), [2, 0, 3, 4])],
    41: [at(lambda x: np.clip(x, 0.0, 1.0), [0, 1])],
    43: [at("cummax", [1, 1, 0], axis=0)],
    44: [at(np.max, [1, nan, 3])],
    45: [
        at("conv1d", np.ones((1, 5)), np.ones((1, 1, 2)), stride=(2,), padding="valid", dilation=(1,), groups=1),
        at("conv1d", np.ones((1, 5)), np.ones((1, 1, 2)), stride=(1,), padding="valid", dilation=(3,), groups=1),
    ],
    50: [at(lambda b: (b + np.zeros((70000, 1), np.float16)) * np.float16(0.5), np.zeros(1, np.float16))],
    52: [at(np.linalg.det, singular)],
    53: [at(lambda x: np.linalg.eigh(x).eigenvectors, np.eye(2))],
    55: [at(np.sinc, 0), twice_at(np.sinc, 0)],
    56: [at(lambda x: np.ldexp(x, np.array([-1, 2])), [1, 1])],
    59: [at("leaky_relu", 0, slope=0.25)],
    60: [at("hardtanh", [-1, 1], max_val=1)],
    61: [at("silu", [-inf, inf]), at("gelu", [-inf, inf], approximate="none")],
    62: [at(np.absolute, nan)],
    63: [at(np.fmax, 2, 2)],
    64: [at(np.maximum, 1, nan), at(np.maximum, nan, nan)],
    65: [at(lambda x: np.clip(x, 0.0, 1.0), nan)],
    66: [at(lambda x: np.copysign(x, np.array([1.0, 2.0])), [0.0, -0.0])],
    67: [at(np.logaddexp, -inf, -inf), at(np.logaddexp, inf, inf)],
    68: [at(np.hypot, inf, 1), at(np.arctan2, inf, inf)],
    69: [at(np.power, 0, -1)],
    71: [at("cummax", [1, nan, 3], axis=0)],
    72: [at(np.median, [4, nan, 3, 2])],
    73: [at(lambda x: np.linalg.norm(x, -inf), [0, 2, -2]), at(lambda x: np.linalg.norm(x, 0.5), [0, 2, -2])],
    74: [at(np.linalg.inv, singular), at(lambda x: np.linalg.slogdet(x)[1], singular)],
    76: [at(np.nanmean, [nan, nan]), at(np.nanmax, [nan, nan])],
    77: [at(lambda x: x ** np.array(0.0), inf), at(lambda x: x ** np.array(0.0), nan)],
}
# fmt: on


def said(gradients: list[Any]) -> str:
    """Write gradients as the page does: commas between entries, slashes between operands, semicolons between cases."""

    def entry(x: float) -> str:
        return re.sub(r"\b0\.", ".", f"{x + 0:.5g}")

    return "; ".join(
        case if isinstance(case, str) else " / ".join(", ".join(map(entry, np.ravel(g))) for g in case)
        for case in gradients
    )


def answer(name: str, probe: At) -> Any:
    """Give the gradients, or say that there are none."""
    f, operands, params, order = probe
    try:
        if name == "here":
            f = next(row.apply for row in ROWS if row.name == f) if isinstance(f, str) else f
            f = ag.elementwise_grad(f) if order == 2 else f
            leaves = [Tensor(x) for x in operands]
            y = f(*leaves, **params)
            y.backward(np.ones_like(y.data))
            return [x.grad for x in leaves]
        library = oracles.load(name)
        f = library.own(f, params) if isinstance(f, str) else library.slope(f) if order == 2 else f
        return library.numbers(f, operands)[1:]
    except MissingError:
        return "none built in"
    except (ValueError, RuntimeError, np.linalg.LinAlgError):
        return "error"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "number"),
    [
        *(("here", number) for number in MEASURED if number not in conventions.NOT_YET),
        *(pytest.param(name, number, marks=pytest.mark.oracle) for name in CASES for number in MEASURED),
    ],
)
def test_the_page_says_what_is_answered(name: str, number: int) -> None:
    stated = getattr(conventions.rows()[number], name)
    assert re.split(r" \(|,? as |:", stated)[0] == said([answer(name, probe) for probe in MEASURED[number]])
