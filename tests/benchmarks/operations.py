"""Time every operation beside the bare call of NumPy: ``python -m tests.benchmarks.operations``.

Forward is a recorded operation on Tensors; backward is the sweep from a seed down to the gradients of the leaves. Both
are measured against NumPy's forward alone and, with ``--peers``, against PyTorch's forward and backward. Everything
runs in turns in one process with one thread. Before anything is timed, the values have to be NumPy's, and the gradients
PyTorch's. The harness is part of every time: about 0.1 µs.
"""

from __future__ import annotations

import argparse
import math
import operator
import statistics
import sys
from collections.abc import Callable
from functools import cache, partial, reduce
from importlib.util import find_spec
from itertools import cycle
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import autograd_mini as ag
from autograd_mini import core
from autograd_mini.ops import losses

from ..operations.activations import erf, gelu
from ..operations.reductions import logsumexp, softmax
from ..operations.shape import whole
from .timing import Times, interleaved, machine, ratio

Array = np.ndarray[Any, Any]
Operand = Callable[[np.random.Generator, int], Array]
SIZES = (10, 1_000, 1_000_000)
WAYS = ("forward", "backward")
SLOW = 3  # times PyTorch, for which docs/performance.md has a reason


class Operation(NamedTuple):
    """An operation in three engines; the arrays of floats are what it is differentiated by."""

    name: str  # of a row of tests.operations, perhaps with what else there is to say after a comma
    operands: tuple[Operand, ...]
    ours: Callable[..., Any]
    numpy: Callable[..., Any]
    torch: Callable[..., Any] | None  # takes the module, and the operands; None has no counterpart
    signs: bool = False  # the signs of the columns are arbitrary


# ---- operands of n entries -------------------------------------------------------------------------


def normal(rng: np.random.Generator, n: int) -> Array:
    return rng.standard_normal(n)


def positive(rng: np.random.Generator, n: int) -> Array:
    return rng.uniform(0.25, 3, n)


def inside(rng: np.random.Generator, n: int) -> Array:
    return rng.uniform(-0.9, 0.9, n)


def near_one(rng: np.random.Generator, n: int) -> Array:
    """Of which even a million have a product."""
    return 1 + rng.uniform(-1, 1, n) / max(n, 100)


def above_one(rng: np.random.Generator, n: int) -> Array:
    return rng.uniform(1.25, 3, n)


def gappy(of: Operand = normal) -> Operand:
    """A tenth are NaN."""
    return lambda rng, n: np.where(rng.random(n) < 0.1, np.nan, of(rng, n))


def rising(rng: np.random.Generator, n: int) -> Array:
    """Places from about -2 to 2, each beyond the one before."""
    return 4 * np.cumsum(rng.uniform(0.5, 1.5, n)) / n - 2


def angles(rng: np.random.Generator, n: int) -> Array:
    return rng.uniform(-math.pi, math.pi, n)


def framed(rng: np.random.Generator, n: int) -> Array:
    """The first fifth and the last are zeros."""
    return np.pad(rng.standard_normal(n - 2 * (n // 5)), n // 5)


def mask(rng: np.random.Generator, n: int) -> Array:
    return rng.random(n) < 0.5


def numbers(rng: np.random.Generator, n: int) -> Array:
    return rng.integers(-3, 4, n)


def places(rng: np.random.Generator, n: int) -> Array:
    return rng.integers(0, n, n)


def bits(rng: np.random.Generator, n: int) -> Array:
    return rng.integers(0, 2, n)


def side(n: int) -> int:
    return max(2, round(math.sqrt(n)))


def square(of: Operand = normal) -> Operand:
    """As many rows as columns."""
    return lambda rng, n: of(rng, side(n) ** 2).reshape(side(n), -1)


def line(of: Operand = normal) -> Operand:
    """One row of a square."""
    return lambda rng, n: of(rng, side(n))


def few(rng: np.random.Generator, n: int) -> Array:
    """The fourth root of n: what a filter or a polynomial has of coefficients."""
    return rng.standard_normal(max(2, round(n**0.25)))


def tenth(of: Operand = normal) -> Operand:
    return lambda rng, n: of(rng, n // 10)


def orders(rng: np.random.Generator, n: int) -> Array:
    """For each column of a square, an order of its rows."""
    return np.argsort(rng.random((side(n), side(n))), axis=0)


def tens(of: Operand = normal) -> Operand:
    """Rows of ten."""
    return lambda rng, n: of(rng, n // 10 * 10).reshape(-1, 10)


def ids(rng: np.random.Generator, n: int) -> Array:
    """For each row of ten, one of them."""
    return rng.integers(0, 10, n // 10)


def rows(rng: np.random.Generator, n: int) -> Array:
    """As many rows of ten as there are, some of them several times."""
    return rng.integers(0, n // 10, n // 10)


def cubes(rng: np.random.Generator, n: int) -> Array:
    return rng.standard_normal((max(1, n // 8), 2, 2, 2))


def vectors(rng: np.random.Generator, n: int) -> Array:
    """Vectors of three components."""
    return rng.standard_normal((n // 3, 3))


def images(axes: int) -> Operand:
    """Images of even lengths, as many as each has channels."""

    def made(rng: np.random.Generator, n: int) -> Array:
        channels = int(n**0.2)
        length = max(2, round((n / channels**2) ** (1 / axes)) // 2 * 2)
        return rng.standard_normal((channels, channels, *[length] * axes))

    return made


def kernels(axes: int) -> Operand:
    """Kernels of three entries along each axis, for as many channels."""
    return lambda rng, n: rng.standard_normal((int(n**0.2), int(n**0.2), *[3] * axes))


def turned(*values: float) -> Operand:
    """A matrix with singular values from the first to the last."""

    def made(rng: np.random.Generator, n: int) -> Array:
        u, v = (np.linalg.qr(square()(rng, n))[0] for _ in range(2))
        return (u * np.linspace(*values, side(n))) @ v

    return made


def mapping(rng: np.random.Generator, n: int) -> Array:
    """Map square matrices to matrices; well conditioned."""
    k = max(2, round(n**0.25))
    return turned(1, 3)(rng, k**4).reshape((k,) * 4)


def mapped(rng: np.random.Generator, n: int) -> Array:
    """One matrix for `mapping`."""
    k = max(2, round(n**0.25))
    return rng.standard_normal((k, k))


def symmetric(rng: np.random.Generator, n: int) -> Array:
    """A positive definite matrix."""
    q = np.linalg.qr(square()(rng, n))[0]
    return (q * np.linspace(1, 3, side(n))) @ q.T


def tall(rng: np.random.Generator, n: int) -> Array:
    """A matrix of four times as many rows as columns, well conditioned."""
    k = max(1, round(math.sqrt(n / 4)))
    return rng.standard_normal((4 * k, k)) / math.sqrt(k)


def high(rng: np.random.Generator, n: int) -> Array:
    """One column of `tall`."""
    return rng.standard_normal(4 * max(1, round(math.sqrt(n / 4))))


# ---- the operations --------------------------------------------------------------------------------


def found(namespace: Any, path: str) -> Any:
    for name in path.split("."):
        namespace = getattr(namespace, name)
    return namespace


def known(operation: Operation) -> str:
    """Give the name of the row of an operation."""
    return operation.name.partition(",")[0]


def op(
    name: str,
    *operands: Operand,
    ours: Callable[..., Any] | None = None,
    numpy: Callable[..., Any] | None = None,
    torch: Callable[..., Any] | str | None = "",
    **params: Any,
) -> Operation:
    """State an operation; what is not given has its name, and takes its parameters."""
    row = name.partition(",")[0]
    theirs: Any = torch
    if isinstance(torch, str):
        theirs = lambda t, *xs: found(t, torch or row)(*xs, **params)
    functions = [partial(f, **params) if params else f for f in (ours or found(ag, row), numpy or found(np, row))]
    return Operation(name, operands, *functions, theirs)


def joined(f: Callable[..., Any], *args: Any) -> Callable[..., Any]:
    """Join the parts that `f` gives; what is measured is both."""
    return lambda *xs: whole(f(*xs, *args))


def rejoined(path: str, *args: Any) -> Callable[..., Any]:
    return lambda t, *xs: t.cat([part.reshape(-1) for part in found(t, path)(*xs, *args)])


def linalg(name: str, *operands: Operand, part: Any = None, signs: bool = False, torch: Any = "", **params: Any) -> Any:
    """State an operation of a namespace `linalg`, perhaps a part of its result."""
    row = name.partition(" ")[0]
    get = (lambda y: y) if part is None else itemgetter(part)

    def of(namespace: Any, **params: Any) -> Callable[..., Any]:
        return lambda *xs: get(found(namespace, row)(*xs, **params))

    theirs = (lambda t, *xs: of(t.linalg, **params)(*xs)) if torch == "" else torch
    return Operation(name, operands, of(ag.linalg, **params), of(np.linalg, **params), theirs, signs)


def updated(x: Any, ids: Any, v: Any, write: Callable[..., Any]) -> Any:
    y = x.copy()
    write(y, ids, v)
    return y


def convolved(x: Any, weight: Any) -> Any:
    """Convolution as the tutorials write it: a product with the windows."""
    n = x.ndim - 2
    x = np.pad(x, [(0, 0)] * 2 + [(1, 1)] * n)
    windows = sliding_window_view(x, weight.shape[2:], tuple(range(2, 2 + n)))
    axes = (1, *range(2 + n, 2 + 2 * n))
    return np.moveaxis(np.tensordot(windows, weight, (axes, (1, *range(2, 2 + n)))), -1, 1)


def pooled(f: Callable[..., Any], n: int) -> Callable[..., Any]:
    """Reduce windows of two by two, which do not overlap."""
    spread = lambda x: (*x.shape[:2], *[k for m in x.shape[2:] for k in (m // 2, 2)])
    return lambda x: f(x.reshape(spread(x)), axis=tuple(range(3, 3 + 2 * n, 2)))


def dropped(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: f(x, np.random.default_rng(0))


def slopes(t: Any, x: Any) -> Any:
    return t.autograd.grad((x * x * x).sum(), x, create_graph=True)[0]


@cache
def custom_product(t: Any) -> Any:
    class Product(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * y, g * x

    return Product.apply


def filtered(t: Any, x: Any, y: Any, padding: int) -> Any:
    """Correlate two vectors, of which the first has so many zeros at both ends."""
    return t.nn.functional.conv1d(x[None, None], y[None, None], padding=padding)[0, 0]


def powers(t: Any, x: Any) -> Any:
    """What torch.vander computes; going back, it fails."""
    x = x[:, None]
    return t.cat([t.ones_like(x), x.expand(-1, 9)], 1).cumprod(1).flip(1)


def kept(t: Any, x: Any, i: Any) -> Any:
    held = t.ones(len(x), dtype=t.bool)
    held[i] = False
    return x[held]


def trimmed(t: Any, x: Any) -> Any:
    held = t.nonzero(x)
    return x[held[0] : held[-1] + 1]


def listed(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs: f(xs)


# fmt: off
FAMILIES: dict[str, list[Operation]] = {
    "elementwise": [
        *[op(name, normal, normal) for name in (
            "add", "subtract", "multiply", "divide", "remainder", "fmod", "maximum", "minimum", "fmax", "fmin",
            "logaddexp", "logaddexp2", "arctan2", "hypot")],
        op("power", positive, normal, torch="pow"),
        op("float_power", positive, normal),
        *[op(name, normal) for name in (
            "negative", "absolute", "reciprocal", "positive", "square", "exp", "exp2", "expm1", "sin", "cos", "sinc",
            "rad2deg", "deg2rad", "sinh", "cosh", "tanh", "arctan", "arcsinh")],
        *[op(name, positive) for name in ("log", "log2", "log10", "log1p", "sqrt")],
        *[op(name, inside) for name in ("tan", "arcsin", "arccos", "arctanh")],
        op("arccosh", above_one),
        op("cbrt", normal, torch=None),
        op("sigmoid", normal, numpy=lambda x: 1 / (1 + np.exp(-x))),
        op("numbers", normal, ours=lambda x: (1 - 2 * x) / 4 + 3 / (5 + x * x) - 1,
                      numpy=lambda x: (1 - 2 * x) / 4 + 3 / (5 + x * x) - 1,
                      torch=lambda t, x: (1 - 2 * x) / 4 + 3 / (5 + x * x) - 1),
        op("x ** number", normal, ours=lambda x: x**3, numpy=lambda x: x**3, torch=lambda t, x: x**3),
        op("number ** x", normal, ours=lambda x: 1.5**x, numpy=lambda x: 1.5**x, torch=lambda t, x: 1.5**x),
        op("clip", normal, ours=lambda x: ag.clip(x, -0.5, 0.75), numpy=lambda x: np.clip(x, -0.5, 0.75),
                   torch=lambda t, x: t.clip(x, -0.5, 0.75)),
        op("clip to x and y", normal, normal, normal, ours=ag.clip, numpy=np.clip, torch="clip"),
        op("nan_to_num", gappy()),
        op("divmod", normal, normal, ours=lambda x, y: ag.divmod(x, y)[1], numpy=lambda x, y: np.divmod(x, y)[1],
                     torch=lambda t, x, y: (t.div(x, y, rounding_mode="floor"), t.remainder(x, y))[1]),
        op("modf", normal, ours=lambda x: ag.modf(x)[0], numpy=lambda x: np.modf(x)[0],
                   torch=lambda t, x: (t.frac(x), t.trunc(x))[0]),
        op("frexp", normal, ours=lambda x: ag.frexp(x)[0], numpy=lambda x: np.frexp(x)[0],
                    torch=lambda t, x: t.frexp(x).mantissa),
        op("heaviside", numbers, normal, torch=lambda t, i, x: t.where(i == 0, x, (i > 0).to(x.dtype))),
        op("copysign", normal, numbers),
        op("ldexp", normal, numbers, torch=None),  # whose gradient is wrong where an exponent is negative
        op("where", mask, normal, normal),
    ],
    "activations": [
        op("erf",        normal, numpy=lambda x: erf(x), torch="special.erf"),
        op("erfc",       normal, numpy=lambda x: 1 - erf(x), torch="special.erfc"),
        op("softplus",   normal, numpy=lambda x: np.log(1 + np.exp(x)), torch="nn.functional.softplus"),
        op("softsign",   normal, numpy=lambda x: x / (1 + np.abs(x)), torch="nn.functional.softsign"),
        op("relu",       normal, numpy=lambda x: np.maximum(x, 0)),
        op("leaky_relu", normal, numpy=lambda x: np.where(x > 0, x, 0.01 * x), torch="nn.functional.leaky_relu"),
        op("silu",       normal, numpy=lambda x: x / (1 + np.exp(-x)), torch="nn.functional.silu"),
        op("gelu",       normal, numpy=lambda x: gelu(x, "none"), torch="nn.functional.gelu"),
        op("gelu, tanh", normal, ours=partial(ag.gelu, approximate="tanh"), numpy=lambda x: gelu(x, "tanh"),
                         torch=lambda t, x: t.nn.functional.gelu(x, approximate="tanh")),
        op("elu",        normal, numpy=lambda x: np.where(x > 0, x, np.expm1(x)), torch="nn.functional.elu"),
        op("selu",       normal, torch="nn.functional.selu", numpy=lambda x:
                         1.0507009873554805 * np.where(x > 0, x, 1.6732632423543773 * np.expm1(x))),
        op("hardtanh",   normal, numpy=lambda x: np.clip(x, -1, 1), torch="nn.functional.hardtanh"),
        op("logsigmoid", normal, numpy=lambda x: -np.log(1 + np.exp(-x)), torch="nn.functional.logsigmoid"),
    ],
    "reductions": [
        op("sum",            square()),
        op("sum, axis=0",    square(), axis=0),
        op("sum, axis=1",    square(), axis=1),
        op("prod",           square(near_one)),
        op("prod, axis=0",   square(near_one), axis=0),
        op("mean",           square()),
        op("mean, axis=0",   square(), axis=0),
        op("max",            square(), torch="amax"),
        op("max, axis=0",    square(), axis=0, torch="amax"),
        op("min",            square(), torch="amin"),
        op("var",            square(), torch=lambda t, x: t.var(x, correction=0)),
        op("var, axis=0",    square(), axis=0, torch=lambda t, x: t.var(x, 0, correction=0)),
        op("std",            square(), torch=lambda t, x: t.std(x, correction=0)),
        op("ptp",            square(), torch=lambda t, x: t.amax(x) - t.amin(x)),
        op("nansum",         square(gappy())),
        op("nanmean",        square(gappy())),
        *[op(name,           square(gappy()), torch=None) for name in ("nanmax", "nanmin", "nanvar", "nanstd")],
        op("nanprod",        square(gappy(near_one)), torch=None),
        op("average",        square(), square(positive), ours=lambda x, w: ag.average(x, weights=w),
                             numpy=lambda x, w: np.average(x, weights=w),
                             torch=lambda t, x, w: (x * w).sum() / w.sum()),
        op("median",         square(), torch=lambda t, x: t.quantile(x.reshape(-1), 0.5)),
        op("median, axis=0", square(), axis=0, torch=lambda t, x: t.quantile(x, 0.5, 0)),
        op("quantile",       square(), q=0.3, torch=lambda t, x: t.quantile(x.reshape(-1), 0.3)),
        op("percentile",     square(), q=30, torch=lambda t, x: t.quantile(x.reshape(-1), 0.3)),
        op("nanmedian",      square(gappy()), torch=lambda t, x: t.nanquantile(x.reshape(-1), 0.5)),
        op("nanquantile",    square(gappy()), q=0.3, torch=lambda t, x: t.nanquantile(x.reshape(-1), 0.3)),
        op("nanpercentile",  square(gappy()), q=30, torch=lambda t, x: t.nanquantile(x.reshape(-1), 0.3)),
        op("trapezoid",      square(), dx=0.25),
        op("norm",           square(), numpy=np.linalg.norm, torch="linalg.norm"),
        op("norm, axis=0",   square(), axis=0, numpy=np.linalg.norm, torch=lambda t, x: t.linalg.norm(x, dim=0)),
        op("logsumexp",      square(), numpy=lambda x: logsumexp(x, None, False),
                             torch=lambda t, x: t.logsumexp(x, (0, 1))),
        op("logsumexp, axis=0", square(), axis=0, numpy=lambda x, axis: logsumexp(x, axis, False),
                             torch=lambda t, x: t.logsumexp(x, 0)),
        op("softmax",        square(), numpy=lambda x: softmax(x, -1), torch=lambda t, x: t.softmax(x, -1)),
        op("log_softmax",    square(), numpy=lambda x: x - logsumexp(x, -1, True),
                             torch=lambda t, x: t.log_softmax(x, -1)),
    ],
    "scans": [
        op("cumsum",          normal, axis=0),
        op("cumsum, axis=0",  square(), axis=0),
        op("cumprod",         near_one, axis=0),
        op("cumprod, axis=0", square(near_one), axis=0),
        op("cummax",          normal, axis=0, numpy=np.maximum.accumulate, torch=lambda t, x: t.cummax(x, 0).values),
        op("cummax, axis=0",  square(), axis=0, numpy=np.maximum.accumulate,
                              torch=lambda t, x: t.cummax(x, 0).values),
        op("cummin",          normal, axis=0, numpy=np.minimum.accumulate, torch=lambda t, x: t.cummin(x, 0).values),
        op("nancumsum",       gappy(), torch=lambda t, x: t.nan_to_num(x).cumsum(0)),
        op("nancumprod",      gappy(near_one), torch=lambda t, x: t.where(t.isnan(x), 1, x).cumprod(0)),
        op("cumulative_sum",  normal, ours=partial(ag.cumulative_sum, include_initial=True),
                              numpy=lambda x: np.concatenate([[0], np.cumsum(x)]),
                              torch=lambda t, x: t.nn.functional.pad(t.cumsum(x, 0), (1, 0))),
        op("cumulative_prod", near_one, ours=partial(ag.cumulative_prod, include_initial=True),
                              numpy=lambda x: np.concatenate([[1], np.cumprod(x)]),
                              torch=lambda t, x: t.nn.functional.pad(t.cumprod(x, 0), (1, 0), value=1)),
        op("diff",            normal),
        op("diff of parts",   normal, normal, ours=lambda x, y: ag.diff(x, append=y),
                              numpy=lambda x, y: np.diff(x, append=y), torch=lambda t, x, y: t.diff(x, append=y)),
        op("ediff1d",         normal, torch="diff"),
        op("ediff1d with ends", normal, line(), line(), ours=ag.ediff1d, numpy=np.ediff1d,
                              torch=lambda t, x, y, z: t.cat([z, t.diff(x), y])),
        op("unwrap",          angles, torch=None),
        op("divide.outer",    line(), line(positive), ours=lambda x, y: ag.divide(ag.reshape(x, (-1, 1)), y),
                              numpy=np.divide.outer, torch=lambda t, x, y: x.reshape(-1, 1) / y),
    ],
    "shape": [
        op("reshape",      square(), ours=lambda x: ag.reshape(x, -1), numpy=lambda x: np.reshape(x, -1),
                           torch=lambda t, x: t.reshape(x, (-1,))),
        op("ravel",        square()),
        op("transpose",    square(), torch=lambda t, x: t.permute(x, (1, 0))),
        op("matrix_transpose", square(), torch=lambda t, x: x.mT),
        op("swapaxes",     square(), axis1=0, axis2=1, torch=lambda t, x: t.swapaxes(x, 0, 1)),
        op("moveaxis",     cubes, source=0, destination=-1, torch=lambda t, x: t.moveaxis(x, 0, -1)),
        op("rollaxis",     cubes, axis=2, torch=lambda t, x: t.moveaxis(x, 2, 0)),
        op("squeeze",      tens(), ours=lambda x: ag.squeeze(x[None]), numpy=lambda x: np.squeeze(x[None]),
                           torch=lambda t, x: t.squeeze(x[None])),
        op("expand_dims",  normal, axis=0, torch=lambda t, x: t.unsqueeze(x, 0)),
        *[op(f"atleast_{i}d", normal) for i in (1, 2)],
        op("atleast_3d",   normal, torch=None),
        op("broadcast_to", line(), ours=lambda x: ag.broadcast_to(x, x.shape * 2),
                           numpy=lambda x: np.broadcast_to(x, x.shape * 2),
                           torch=lambda t, x: x.expand(len(x), len(x))),
        op("broadcast_arrays", line(), ours=lambda x: ag.broadcast_arrays(x, ag.reshape(x, (-1, 1)))[1],
                           numpy=lambda x: np.broadcast_arrays(x, np.reshape(x, (-1, 1)))[1],
                           torch=lambda t, x: t.broadcast_tensors(x, x.reshape(-1, 1))[1]),
        op("meshgrid",     line(), line(), ours=joined(ag.meshgrid), numpy=joined(np.meshgrid),
                           torch=lambda t, *xs: t.cat([x.reshape(-1) for x in t.meshgrid(*xs, indexing="xy")])),
        op("concatenate",  square(), square(), ours=listed(ag.concatenate), numpy=listed(np.concatenate),
                           torch=lambda t, *xs: t.cat(xs)),
        *[op(name, square(), square(), ours=listed(found(ag, name)), numpy=listed(found(np, name)),
             torch=lambda t, *xs, name=name: found(t, name)(xs))
          for name in ("stack", "vstack", "hstack", "dstack", "column_stack")],
        op("append",       square(), square(), torch=lambda t, x, y: t.cat([x.reshape(-1), y.reshape(-1)])),
        op("block",        square(), square(), ours=lambda x, y: ag.block([[x, y], [y, x]]),
                           numpy=lambda x, y: np.block([[x, y], [y, x]]),
                           torch=lambda t, x, y: t.cat([t.cat([x, y], 1), t.cat([y, x], 1)])),
        op("astype",       normal, ours=lambda x: ag.astype(x, np.float32), numpy=lambda x: x.astype(np.float32),
                           torch=lambda t, x: x.to(t.float32)),
        op("copy",         normal, torch="clone"),
        op("flip",         square(), axis=1, torch=lambda t, x: t.flip(x, (1,))),
        op("flipud",       square()),
        op("fliplr",       square()),
        op("rot90",        square()),
        op("roll",         square(), shift=3, axis=1, torch=lambda t, x: t.roll(x, 3, 1)),
        op("roll, flat",   square(), shift=3, torch=lambda t, x: t.roll(x, 3)),
        op("tile",         square(), ours=lambda x: ag.tile(x, (1, 2)), numpy=lambda x: np.tile(x, (1, 2)),
                           torch=lambda t, x: t.tile(x, (1, 2))),
        op("resize",       square(), ours=lambda x: ag.resize(x, (2, *x.shape)),
                           numpy=lambda x: np.resize(x, (2, *x.shape)), torch=lambda t, x: x.repeat(2, 1, 1)),
        op("pad",          square(), ours=lambda x: ag.pad(x, 1), numpy=lambda x: np.pad(x, 1),
                           torch=lambda t, x: t.nn.functional.pad(x, (1, 1, 1, 1))),
        op("pad, reflect", square(), ours=lambda x: ag.pad(x, 1, "reflect"), numpy=lambda x: np.pad(x, 1, "reflect"),
                           torch=lambda t, x: t.nn.functional.pad(x[None], (1, 1, 1, 1), "reflect")[0]),
        op("tril",         square()),
        op("triu",         square()),
        op("diag",         line()),
        op("diagflat",     line()),
        op("diagonal",     square()),
        op("trace",        square()),
    ],
    "indexing": [
        op("getitem, a slice", square(), ours=lambda x: x[1:, ::2], numpy=lambda x: x[1:, ::2],
                              torch=lambda t, x: x[1:, ::2]),
        op("getitem, a mask", normal, mask, ours=lambda x, i: x[i], numpy=lambda x, i: x[i],
                              torch=lambda t, x, i: x[i]),
        op("getitem, places", normal, places, ours=lambda x, i: x[i], numpy=lambda x, i: x[i],
                              torch=lambda t, x, i: x[i]),
        op("getitem, pairs of places", tens(), rows, ids, ours=lambda x, i, j: x[i, j], numpy=lambda x, i, j: x[i, j],
                              torch=lambda t, x, i, j: x[i, j]),
        op("set_at",          normal, places, normal, ours=ag.set_at,
                              numpy=lambda x, i, v: updated(x, i, v, operator.setitem), torch=None),
        op("add_at",          normal, places, normal, ours=ag.add_at,
                              numpy=lambda x, i, v: updated(x, i, v, np.add.at),
                              torch=lambda t, x, i, v: t.index_put(x, (i,), v, accumulate=True)),
        op("take",            normal, places),
        op("take, axis=0",    tens(), rows, ours=lambda x, i: ag.take(x, i, 0), numpy=lambda x, i: np.take(x, i, 0),
                              torch=lambda t, x, i: t.index_select(x, 0, i)),
        op("take_along_axis", square(), orders, ours=lambda x, i: ag.take_along_axis(x, i, 0),
                              numpy=lambda x, i: np.take_along_axis(x, i, 0), torch=lambda t, x, i: t.gather(x, 0, i)),
        op("repeat",          square(), ours=lambda x: ag.repeat(x, 2, 0), numpy=lambda x: np.repeat(x, 2, 0),
                              torch=lambda t, x: t.repeat_interleave(x, 2, 0)),
        op("compress",        mask, normal, torch=lambda t, i, x: x[i]),
        op("extract",         mask, normal, torch=lambda t, i, x: x[i]),
        op("delete",          normal, places, torch=kept),
        op("insert",          normal, places, normal, torch=None),
        op("trim_zeros",      framed, torch=trimmed),
        op("piecewise",       normal, ours=lambda x: ag.piecewise(x, [x < 0], [lambda x: -x, lambda x: x * x]),
                              numpy=lambda x: np.piecewise(x, [x < 0], [lambda x: -x, lambda x: x * x]),
                              torch=lambda t, x: t.where(x < 0, -x, x * x)),
        op("apply_along_axis", square(), ours=lambda x: ag.apply_along_axis(lambda row: (row * row).sum(), 1, x),
                              numpy=lambda x: np.apply_along_axis(lambda row: (row * row).sum(), 1, x),
                              torch=lambda t, x: t.vmap(lambda row: (row * row).sum())(x)),
        op("choose",          bits, normal, normal, ours=lambda i, *xs: ag.choose(i, xs),
                              numpy=lambda i, *xs: np.choose(i, xs), torch=None),
        op("select",          mask, mask, normal, normal, ours=lambda i, j, *xs: ag.select([i, j], xs),
                              numpy=lambda i, j, *xs: np.select([i, j], xs),
                              torch=lambda t, i, j, x, y: t.where(i, x, t.where(j, y, 0.0))),
        op("sort",            normal, torch=lambda t, x: t.sort(x, stable=True).values),
        op("sort, axis=0",    square(), axis=0, torch=lambda t, x: t.sort(x, dim=0, stable=True).values),
        op("partition",       normal, ours=lambda x: ag.partition(x, x.size // 2),
                              numpy=lambda x: np.partition(x, x.size // 2), torch=None),
        op("array_split",     normal, ours=joined(ag.array_split, 3), numpy=joined(np.array_split, 3),
                              torch=rejoined("tensor_split", 3)),
        op("split",           square(), ours=joined(ag.split, [1, 2]), numpy=joined(np.split, [1, 2]),
                              torch=rejoined("tensor_split", [1, 2])),
        *[op(name,            cubes, ours=joined(found(ag, name), [1]), numpy=joined(found(np, name), [1]),
                              torch=rejoined(name, [1])) for name in ("vsplit", "hsplit", "dsplit")],
        op("unstack",         square(), ours=joined(ag.unstack), numpy=joined(lambda x: [*x]),
                              torch=rejoined("unbind")),
    ],
    "products": [
        op("matmul",    square(), square()),
        op("einsum",    square(), square(), ours=lambda x, y: ag.einsum("ij,jk->ik", x, y),
                        numpy=lambda x, y: np.einsum("ij,jk->ik", x, y),
                        torch=lambda t, x, y: t.einsum("ij,jk->ik", x, y)),
        op("einsum, optimize=True", square(), square(), torch=lambda t, x, y: t.einsum("ij,jk->ik", x, y),
                        ours=lambda x, y: ag.einsum("ij,jk->ik", x, y, optimize=True),
                        numpy=lambda x, y: np.einsum("ij,jk->ik", x, y, optimize=True)),
        op("tensordot", square(), square(), axes=1, torch=lambda t, x, y: t.tensordot(x, y, 1)),
        op("dot",       normal, normal),
        op("inner",     square(), square()),
        op("vdot",      normal, normal),
        op("vecdot",    square(), square(), torch="linalg.vecdot"),
        op("outer",     line(), line()),
        op("kron",      line(), line()),
        op("cross",     vectors, vectors, torch="linalg.cross"),
        op("matvec",    square(), line(), numpy=lambda x, y: x @ y, torch="mv"),
        op("vecmat",    line(), square(), numpy=lambda x, y: x @ y, torch=lambda t, x, y: x @ y),
    ],
    "decompositions": [
        linalg("inv",          turned(1, 3)),
        linalg("pinv",         tall),
        linalg("solve",        turned(1, 3), line()),
        linalg("lstsq",        tall, high, part=0,
                               torch=lambda t, a, b: t.linalg.lstsq(a, b[:, None]).solution[:, 0]),
        linalg("matrix_power", turned(1, 3), n=3),
        op("multi_dot",        square(), square(), square(), ours=listed(ag.linalg.multi_dot),
                               numpy=listed(np.linalg.multi_dot), torch=lambda t, *xs: t.linalg.multi_dot(xs)),
        linalg("det",          turned(0.99, 1.01)),
        linalg("slogdet",      turned(1, 3), part=1),
        linalg("cholesky",     symmetric),
        linalg("qr Q",         tall, part=0, signs=True),
        linalg("qr R",         tall, part=1),
        linalg("eigh values",  symmetric, part=0),
        linalg("eigh vectors", symmetric, part=1, signs=True),
        linalg("eigvalsh",     symmetric),
        linalg("svd U",        turned(1, 3), part=0, signs=True),
        linalg("svd S",        turned(1, 3), part=1),
        linalg("svd Vh",       turned(1, 3), part=2, signs=True),
        linalg("svdvals",      turned(1, 3)),
        linalg("tensorinv",    mapping),
        linalg("tensorsolve",  mapping, mapped),
        linalg("norm of matrices", turned(1, 3), ord=2),
        linalg("vector_norm",  normal),
        linalg("matrix_norm",  square()),
        linalg("cond",         turned(1, 3)),
    ],
    "convolution": [
        *[op(f"conv{n}d", images(n), kernels(n), ours=partial(found(ag, f"conv{n}d"), padding=1), numpy=convolved,
             torch=lambda t, x, w, n=n: found(t, f"conv{n}d")(x, w, padding=1)) for n in (1, 2)],
        *[op(f"max_pool{n}d", images(n), ours=partial(found(ag, f"max_pool{n}d"), kernel_size=2),
             numpy=pooled(np.max, n), torch=lambda t, x, n=n: found(t, f"max_pool{n}d")(x, 2)) for n in (1, 2)],
        *[op(f"avg_pool{n}d", images(n), ours=partial(found(ag, f"avg_pool{n}d"), kernel_size=2),
             numpy=pooled(np.mean, n), torch=lambda t, x, n=n: found(t, f"nn.functional.avg_pool{n}d")(x, 2))
          for n in (1, 2)],
        op("embedding", rows, tens(), numpy=lambda i, w: w[i], torch=lambda t, i, w: t.nn.functional.embedding(i, w)),
        op("dropout",   normal, ours=dropped(lambda x, rng: ag.dropout(x, 0.5, rng)), torch=None,
                        numpy=dropped(lambda x, rng: np.where(rng.random(x.shape) >= 0.5, x, 0) / 0.5)),
    ],
    "sampled": [
        op("convolve",  normal, few, torch=lambda t, x, y: filtered(t, x, y.flip(0), len(y) - 1)),
        op("correlate", normal, few, torch=lambda t, x, y: filtered(t, x, y, 0)),
        op("bincount",  places, normal, torch=lambda t, i, x: x.new_zeros(int(i.max()) + 1).index_add(0, i, x)),
        op("linspace",  line(), line(), ours=lambda x, y: ag.linspace(x, y, x.size),
                        numpy=lambda x, y: np.linspace(x, y, x.size),
                        torch=lambda t, x, y: t.lerp(x, y, t.linspace(0, 1, len(x), dtype=x.dtype)[:, None])),
        op("interp",    normal, line(), ours=lambda x, y: ag.interp(x, np.linspace(-2, 2, y.size), y),
                        numpy=lambda x, y: np.interp(x, np.linspace(-2, 2, y.size), y), torch=None),
        op("interp at points", normal, line(rising), line(), ours=ag.interp, numpy=np.interp, torch=None),
        op("gradient",  normal, torch=lambda t, x: t.gradient(x)[0]),
        op("gradient at places", normal, rising, ours=ag.gradient, numpy=np.gradient,
                        torch=lambda t, x, y: t.gradient(x, spacing=(y,))[0]),
        op("polyval",   few, normal, torch=lambda t, p, x: reduce(lambda y, c: y * x + c, p, 0)),
        op("polyadd",   normal, line(), torch=lambda t, x, y: x + t.nn.functional.pad(y, (len(x) - len(y), 0))),
        op("polysub",   normal, line(), torch=lambda t, x, y: x - t.nn.functional.pad(y, (len(x) - len(y), 0))),
        op("polyder",   normal, torch=lambda t, x: x[:-1] * t.arange(len(x) - 1, 0, -1)),
        op("polyint",   normal, torch=lambda t, x: t.nn.functional.pad(x / t.arange(len(x), 0, -1), (0, 1))),
        op("vander",    tenth(), N=10, torch=powers),
        op("cov",       square()),
        op("corrcoef",  square()),
    ],
    "others": [
        op("mse",  normal, normal, ours=losses.mse_p, numpy=lambda x, y: np.mean(np.square(x - y)),
                   torch="nn.functional.mse_loss"),
        op("nll",  tens(), ids, ours=lambda x, i: losses.nll_p(x, ids=i), torch="nn.functional.nll_loss",
                   numpy=lambda x, i: -np.mean(x[np.arange(len(i)), i])),
        op("grad", normal, ours=ag.grad(lambda x: ag.sum(x * x * x)), numpy=lambda x: 3 * x * x, torch=slopes),
        op("checkpoint", normal, normal, ours=ag.checkpoint(lambda x, y: ag.sin(x) * y + x),
                   numpy=lambda x, y: np.sin(x) * y + x, torch=lambda t, x, y: t.utils.checkpoint.checkpoint(
                       lambda x, y: t.sin(x) * y + x, x, y, use_reentrant=False)),
        op("custom_vjp", normal, normal, ours=ag.custom_vjp(lambda x, y: x * y, lambda g, z, x, y: (g * y, g * x)),
                   numpy=lambda x, y: x * y, torch=lambda t, x, y: custom_product(t)(x, y)),
    ],
}
# fmt: on
OPERATIONS = [operation for family in FAMILIES.values() for operation in family]

# Rows of tests.operations that are the operation of another name.
ALIASES = {
    "x + y": "add", "x - y": "subtract", "x * y": "multiply", "x / y": "divide", "x ** y": "power",
    "x % y": "remainder", "-x": "negative", "+x": "positive", "abs(x)": "absolute", "fabs": "absolute",
    "degrees": "rad2deg", "radians": "deg2rad", "multiply.reduce": "prod", "plain average": "mean",
    "logaddexp.reduce": "logsumexp", "add.accumulate": "cumsum", "multiply.accumulate": "cumprod",
    "permute_dims": "transpose", "hstack of vectors": "hstack", "x.astype": "astype", "ops.getitem": "getitem",
    "sort flat": "sort", "partition flat": "partition", "x @ y": "matmul", "einsum by lists": "einsum",
    "divmod of numbers": "divmod", "cumulative_sum of a vector": "cumulative_sum",
    "linalg.matrix_transpose": "matrix_transpose", "linalg.matmul": "matmul", "linalg.tensordot": "tensordot",
    "linalg.vecdot": "vecdot", "linalg.cross": "cross", "linalg.diagonal": "diagonal", "linalg.trace": "trace",
    "linalg.outer": "outer",
    "slogdet sign": "slogdet", "qr r": "qr R", "svd": "svd U", "svd of values": "svdvals",
}  # fmt: skip


# ---- timing ----------------------------------------------------------------------------------------


class Engine:
    """An operation of NumPy, on two sets of operands in turns: what is remembered of one call is of no use."""

    def __init__(self, apply: Callable[..., Any], sets: list[list[Array]]) -> None:
        self.apply, self.sets = apply, cycle([[self.given(x) for x in arrays] for arrays in sets])

    def given(self, x: Array) -> Any:
        return x

    def forward(self) -> None:
        self.operands = next(self.sets)
        self.value = self.apply(*self.operands)

    def result(self) -> Array:
        return np.asarray(self.value)


class Ours(Engine):
    """An operation of this library, and the sweep from its last value."""

    def given(self, x: Array) -> Any:
        return ag.Tensor(x) if x.dtype.kind == "f" else x

    def result(self) -> Array:
        return np.asarray(self.value.data)

    def start(self, seed: Array) -> None:
        self.seed = seed[()]

    def backward(self) -> None:
        self.leaves = [step for step in core.sweep(self.value, self.seed) if not step[0].op]

    def gradients(self) -> list[Array]:
        found = dict(self.leaves)
        return [found[x] for x in self.operands if isinstance(x, ag.Tensor)]


class Theirs(Engine):
    """An operation of PyTorch, and the sweep from its last value."""

    def given(self, x: Array) -> Any:
        import torch

        return torch.tensor(x, requires_grad=x.dtype.kind == "f")

    def result(self) -> Array:
        return self.value.detach().numpy()

    def start(self, seed: Array) -> None:
        import torch

        self.seed = torch.tensor(seed)

    def backward(self) -> None:
        for x in self.operands:
            x.grad = None
        self.value.backward(self.seed, retain_graph=True)

    def gradients(self) -> list[Array]:
        return [x.grad.numpy() for x in self.operands if x.requires_grad]


def engines(operation: Operation, size: int, peers: bool) -> dict[str, Any]:
    """Build the operation at a size in each engine, on operands that are nearly the same from turn to turn."""
    rng = np.random.default_rng(0)
    arrays = [make(rng, size) for make in operation.operands]
    sets = [[x * (1 - 1e-12 * k) if x.dtype.kind == "f" else x for x in arrays] for k in range(2)]
    built: dict[str, Any] = {"NumPy": Engine(operation.numpy, sets), "autograd_mini": Ours(operation.ours, sets)}
    if peers and operation.torch:
        import torch

        torch.set_num_threads(1)
        built["PyTorch"] = Theirs(partial(operation.torch, torch), sets)
    return built


def agree(operation: Operation, built: dict[str, Any]) -> None:
    """Go forward and back once; values that are not NumPy's, or gradients that differ, are of something else."""
    for engine in built.values():
        engine.forward()
    value = built["NumPy"].result()
    seed = np.random.default_rng(1).standard_normal(value.shape).astype(value.dtype)
    slopes: list[Array] = []
    for name, engine in list(built.items())[1:]:
        theirs = engine.result()
        sign = np.sign(theirs * value) if operation.signs else 1
        close(f"{operation.name}: the value of {name}", sign * theirs, value)
        engine.start(np.asarray(sign * seed, theirs.dtype))
        engine.backward()
        slopes = slopes or engine.gradients()
        for ours, other in zip(slopes, engine.gradients(), strict=True):
            close(f"{operation.name}: a gradient of {name}", other, ours)


def close(what: str, x: Array, y: Array) -> None:
    worst = np.max(np.abs(x - y), initial=0) if x.shape == y.shape else math.inf
    if not worst <= 1e-7 * np.max(np.abs(y), initial=1):
        raise SystemExit(f"{what} is {x} of shape {x.shape}, expected was {y} of shape {y.shape}")


def timed(operation: Operation, size: int, peers: bool, seconds: float) -> Times:
    built = engines(operation, size, peers)
    agree(operation, built)
    steps = {"NumPy": built["NumPy"].forward}
    for name, engine in list(built.items())[1:]:
        steps |= {f"{name} forward": engine.forward, f"{name} backward": engine.backward}
    return interleaved(steps, seconds, least=3, burst=0.0005, evenly=False)


def ratios(times: Times, base: str) -> list[float | None]:
    """Divide our times by those of another engine; NumPy only goes forward."""
    pairs = [(f"autograd_mini {way}", base if base in times else f"{base} {way}") for way in WAYS]
    return [ratio(times, ours, theirs) if theirs in times else None for ours, theirs in pairs]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.operations", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="also PyTorch, if it is installed")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="how many entries (10, 1000 and 1000000)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these operations")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to measure one at one size (default 0.5)")
    options = parser.parse_args(arguments)
    if unknown := set(options.only or ()) - {known(operation) for operation in OPERATIONS}:
        parser.error(f"no operations have the names {sorted(unknown)}")
    if min(options.sizes) < SIZES[0]:
        parser.error(f"operands have at least {SIZES[0]} entries, not {min(options.sizes)}")
    try:
        from tqdm import tqdm
    except ImportError:
        raise SystemExit('the progress bar is drawn by tqdm: pip install "autograd_mini[train]"') from None
    bases = ["NumPy"] + ["PyTorch"] * bool(options.peers and find_spec("torch"))
    runs = [
        (family, operation, size)
        for family, operations in FAMILIES.items()
        for operation in operations
        for size in options.sizes
        if not options.only or known(operation) in options.only
    ]
    print(machine(), "\n")
    columns = [f"{way} / {base}" for base in bases for way in WAYS]
    print("| operation | entries | NumPy | " + " | ".join(columns) + " |")
    print("|---" * (3 + len(columns)) + "|", flush=True)
    families: dict[tuple[str, int], list[list[float | None]]] = {}
    slow = []
    for family, operation, size in tqdm(runs, file=sys.stderr, disable=None):
        times = timed(operation, size, "PyTorch" in bases, options.seconds)
        measured = [x for base in bases for x in ratios(times, base)]
        families.setdefault((family, size), []).append(measured)
        shown = " | ".join("–" if x is None else f"{x:.2f}" for x in measured)
        line = f"| {operation.name} | {size:,} | {statistics.median(times['NumPy']) * 1e6:,.1f} µs | {shown} |"
        print(line, flush=True)
        if size > SIZES[0] and any(x and x > SLOW for x in measured[2:]):
            slow.append(line)
    print("\nGeometric means of a family:\n")
    print("| family | operations | entries | " + " | ".join(columns) + " |")
    print("|---" * (3 + len(columns)) + "|")
    for (family, size), lines in families.items():
        means = [[x for x in column if x] for column in zip(*lines, strict=True)]
        shown = " | ".join(f"{statistics.geometric_mean(xs):.2f}" if xs else "–" for xs in means)
        print(f"| {family} | {len(lines)} | {size:,} | {shown} |")
    if slow:
        print(f"\nSlower than {SLOW} times PyTorch:\n", *slow, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
