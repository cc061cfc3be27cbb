"""Functions and signals given by their samples, and polynomials by their coefficients, the highest power first.

The arithmetic is NumPy's, so that the numbers are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..core import Node, Operation, primitive, value_of
from .arranging import diag, flip
from .elementwise import sqrt, where
from .indexing import putitem_p, set_at
from .linalg import matmul_p
from .namesake import namesake
from .reductions import mean
from .scans import cumprod, diff
from .shape import (
    Axes,
    astype,
    atleast_1d,
    atleast_2d,
    broadcast_to,
    concatenate,
    expand_dims,
    moveaxis,
    shape_of,
    squeeze,
)

__all__ = [
    "bincount", "convolve", "corrcoef", "correlate", "cov", "gradient", "interp", "linspace", "polyadd", "polyder",
    "polyint", "polysub", "polyval", "vander",
]  # fmt: skip

# fmt: off
# A convolution wherever two vectors overlap, and one wherever all of the second lies in the first, no shorter one: each
# is the adjoint of the other, with what stands in the other order.
convolve_p: Operation = primitive("convolve", lambda x, y: np.convolve(x, y),
                        lambda g, z, x, y: within_p(g, y[::-1]),
                        lambda g, z, x, y: within_p(g, x[::-1]))
within_p: Operation = primitive("convolve within", lambda x, y: np.convolve(x, y, "valid"),
                        lambda g, z, x, y: convolve_p(g, y[::-1]),
                        lambda g, z, x, y: within_p(x, g[::-1])[::-1])
# fmt: on


def _double(x: Any) -> Any:
    return astype(x, np.float64) if isinstance(x, Node) else np.asarray(x, np.float64)


def _array(x: Any) -> Any:
    return x if isinstance(x, Node) else np.asarray(x)


# -- signals -------------------------------------------------------------------------------------------


@namesake(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Convolve two vectors: wherever they overlap ("full"), in the middle ("same"), or wherever all of one does."""
    x, y = atleast_1d(a), atleast_1d(v)
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"a convolution has the mode 'full', 'same' or 'valid', not {mode!r}")
    if mode == "valid":
        return within_p(x, y) if x.size >= y.size else within_p(y, x)
    z = convolve_p(x, y)
    if mode == "full":
        return z
    start = (min(x.size, y.size) - 1) // 2
    return z[start : start + max(x.size, y.size)]


@namesake(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Correlate two vectors: convolve with `v` in reverse."""
    a, v = atleast_1d(a), atleast_1d(v)
    return convolve(a, v[::-1], mode) if a.size >= v.size else convolve(v, a[::-1], mode)[::-1]


@namesake(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Add up the weights of each integer in `x`, which has no derivative."""
    numbers = np.array(x)  # a copy: the rule is to find it unchanged
    count = np.bincount(numbers, value_of(weights), minlength)
    return putitem_p(_double(weights), index=numbers, shape=count.shape)


# -- functions -----------------------------------------------------------------------------------------


@namesake(np.linspace)
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, axis: int = 0) -> Any:
    """Give `num` numbers in equal steps from `start` to `stop`, along a new axis."""
    if num < 0:
        raise ValueError(f"linspace gives num >= 0 numbers, not {num}")
    rise = stop - start
    places = np.arange(num, dtype=rise.dtype).reshape(num, *[1] * rise.ndim)
    y = places * (rise / max(num - 1 if endpoint else num, 1)) + start
    return moveaxis(set_at(y, -1, stop) if endpoint and num > 1 else y, 0, axis)


@namesake(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """Go linearly from one point (`xp`, `fp`) to the next; `xp` increases. Beyond, `left` and `right`, or the ends.

    At a point the derivative is that of the piece on its right.
    """
    xp, fp = _double(xp), _double(fp)
    at, points = value_of(x), value_of(xp)
    last = points.size - 1
    below, above = at < points[0], at >= points[-1]
    i = np.clip(np.searchsorted(points, at, "right") - 1, 0, last - 1)  # of a single point -1, which is it too
    j = i + 1
    slope = (fp[j] - fp[i]) / (xp[j] - xp[i] + (last == 0))
    y = slope * (where(below | above, xp[i], x) - xp[i]) + fp[i]
    y = where(above, fp[-1] if right is None else where(at == points[-1], fp[-1], right), y)
    return where(below, fp[0] if left is None else left, y)


@namesake(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Axes = None, edge_order: int = 1) -> Any:
    """Estimate derivatives by central differences, and by one-sided ones of `edge_order` 1 or 2 at the ends.

    `varargs` are the spacing of the samples: one number for all axes, or for each axis a number or the
    coordinates of its samples. One axis gives one array, more give a tuple.
    """
    f = _array(f)
    axes = normalize_axis_tuple(range(f.ndim) if axis is None else axis, f.ndim)
    steps = varargs or (1.0,)
    if len(steps) == 1 and not shape_of(steps[0]):
        steps = steps * len(axes)
    if len(steps) != len(axes):
        raise TypeError(f"gradient takes one spacing, or one for each of {len(axes)} axes, not {len(steps)}")
    if edge_order not in (1, 2):
        raise ValueError(f"gradient has edge_order 1 or 2, not {edge_order}")
    slopes = tuple(_slopes(f, step, i, edge_order) for step, i in zip(steps, axes, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _slopes(f: Any, step: Any, axis: int, edge_order: int) -> Any:
    n = f.shape[axis]
    if n <= edge_order:
        raise ValueError(f"gradient with edge_order={edge_order} takes {edge_order + 1} samples or more, not {n}")
    if shape_of(step) not in ((), (n,)):
        raise ValueError(f"gradient takes a number or {n} coordinates along axis {axis}, not shape {shape_of(step)}")
    if shape_of(step):
        step = diff(step)
        if not isinstance(step, Node) and np.all(step == step[0]):
            step = step[0]
    f = moveaxis(f, axis, -1)
    if shape_of(step):
        h, k = step[:-1], step[1:]
        weights = -k / (h * (h + k)), (k - h) / (h * k), h / (k * (h + k))
        inner = weights[0] * f[..., :-2] + weights[1] * f[..., 1:-1] + weights[2] * f[..., 2:]
        h, k = step[0], step[-1]
    else:
        inner = (f[..., 2:] - f[..., :-2]) / (2.0 * step)
        h = k = step
    if edge_order == 1:
        first, final = (f[..., 1] - f[..., 0]) / h, (f[..., -1] - f[..., -2]) / k
    else:
        if shape_of(step):
            (a, b), (c, d) = (step[0], step[1]), (step[-2], step[-1])
            front = -(2.0 * a + b) / (a * (a + b)), (a + b) / (a * b), -a / (b * (a + b))
            back = d / (c * (c + d)), -(d + c) / (c * d), (2.0 * d + c) / (d * (c + d))
        else:
            front, back = (-1.5 / step, 2.0 / step, -0.5 / step), (0.5 / step, -2.0 / step, 1.5 / step)
        first = front[0] * f[..., 0] + front[1] * f[..., 1] + front[2] * f[..., 2]
        final = back[0] * f[..., -3] + back[1] * f[..., -2] + back[2] * f[..., -1]
    y = concatenate([expand_dims(first, -1), inner, expand_dims(final, -1)], -1)
    return moveaxis(astype(y, f.dtype) if f.dtype.kind == "f" else y, -1, axis)


# -- polynomials ---------------------------------------------------------------------------------------


@namesake(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """Evaluate a polynomial by Horner's scheme."""
    p, x = _array(p), _array(x)
    y: Any = np.zeros(x.shape, x.dtype)
    for i in range(len(p)):
        y = y * x + p[i]
    return y


@namesake(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """Add two polynomials."""
    x, y = _aligned(a1, a2)
    return x + y


@namesake(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """Subtract one polynomial from another."""
    x, y = _aligned(a1, a2)
    return x - y


def _aligned(*ps: Any) -> list[Any]:
    """Put zeros for the high powers that one of two polynomials does not have."""
    ps = atleast_1d(*ps)
    size = max(p.size for p in ps)
    return [concatenate([np.zeros(size - p.size, p.dtype), p]) for p in ps]


@namesake(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    """Give the coefficients of the derivative of order `m`."""
    if m < 0:
        raise ValueError(f"polyder differentiates m >= 0 times, not {m}: polyint integrates")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@namesake(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """Give the coefficients of the integral of order `m`; `k` are its constants, 0 by default."""
    if m < 0:
        raise ValueError(f"polyint integrates m >= 0 times, not {m}: polyder differentiates")
    k = broadcast_to(0.0 if k is None else k, (m,))
    for i in range(m):
        p = concatenate([p / np.arange(len(p), 0, -1), k[i : i + 1]])
    return p


@namesake(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Give the powers of a vector as columns, `N` of them, by default from the highest to 1."""
    n = len(x) if N is None else N
    factors = broadcast_to(expand_dims(x, 1), (len(x), max(n - 1, 0)))
    y = cumprod(concatenate([np.ones((len(x), min(n, 1))), factors], 1), 1)
    return y if increasing else flip(y, 1)


# -- statistics ----------------------------------------------------------------------------------------


@namesake(np.cov)
def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Any:
    """Give the covariances of variables, whose observations are rows (`rowvar`) or columns of `m`, and of `y`.

    Sums are divided by the number of observations less `ddof`, by default 0 if `bias`, else 1.
    """
    parts = []
    for x in (m, y):
        if x is not None:
            columns = not rowvar and len(shape_of(x)) == 2 and (x is m or shape_of(x)[0] != 1)
            parts.append(_double(x).mT if columns else atleast_2d(_double(x)))
    x = concatenate(parts, 0)
    freedom = x.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    if freedom <= 0:
        raise ValueError(f"the covariance of {x.shape[1]} observations divides by {freedom}: take more, or less ddof")
    x = x - mean(x, 1, keepdims=True)
    return squeeze(matmul_p(x, x.mT) * (1 / freedom))


@namesake(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    """Give the correlations of variables, whose observations are rows (`rowvar`) or columns of `x`, and of `y`."""
    c = cov(x, y, rowvar)
    if not shape_of(c):
        return c / c
    scale = sqrt(diag(c))
    c = c / expand_dims(scale, 1) / scale
    return c + (np.clip(value_of(c), -1, 1) - value_of(c))  # a clipped rounding keeps its second derivative
