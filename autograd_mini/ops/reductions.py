"""Reductions. The primitives keep the axes they reduce; the functions of NumPy's names squeeze them."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core import Node, Operation, primitive, value_of
from .elementwise import absolute, exp, floating, where
from .namesake import namesake
from .scans import before, cumprod_p, diff, flip, head, tail
from .shape import Axes, broadcast_p, reshape, shape_of, squeeze, transpose

__all__ = [
    "amax", "amin", "average", "log_softmax", "logsumexp", "max", "mean", "median", "min", "nanmax", "nanmean",
    "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "percentile",
    "prod", "ptp", "quantile", "softmax", "std", "sum", "trapezoid", "var",
]  # fmt: skip

add: Any = np.add.reduce  # without the detour through numpy.sum
times: Any = np.multiply.reduce
top: Any = np.maximum.reduce


@np.errstate(divide="ignore")  # log(0) is the right -inf where every entry is
def _logsumexp(x: Any, axis: Axes, keepdims: bool) -> Any:
    x = floating(x)
    most = top(x, axis=axis, keepdims=True, initial=-np.inf)
    most = np.where(np.isfinite(most), most, 0)
    y = np.log(add(np.exp(x - most), axis=axis, keepdims=True)) + most
    return y if keepdims else np.squeeze(y, axis)[()]


# With axis=None the result is one number, which broadcasts as well as an array with all axes kept.
# fmt: off
sum_p  = primitive("sum",  lambda x, axis: add(x, axis=axis, keepdims=axis is not None),
                   lambda g, y, x, axis: broadcast_p(g, shape=x.shape))
prod_p: Operation = primitive("prod", lambda x, axis: times(x, axis=axis, keepdims=axis is not None),
                   lambda g, y, x, axis: g * (y / x if _normal(y) else _others(x, axis)))
mean_p = primitive("mean", lambda x, axis: mean_of(x, axis),
                   lambda g, y, x, axis: broadcast_p(g * (1 / _count(x, axis)), shape=x.shape))
max_p  = primitive("max",  lambda x, axis: np.max(x, axis=axis, keepdims=axis is not None),
                   lambda g, y, x, axis: g * _shares(x, y, axis))
min_p  = primitive("min",  lambda x, axis: np.min(x, axis=axis, keepdims=axis is not None),
                   lambda g, y, x, axis: g * _shares(x, y, axis))
# prod, mean, var and std could be derived; they are primitives for speed, and std for its derivative at 0.
var_p  = primitive("var",  lambda x, axis, ddof: np.var(x, axis=axis, ddof=ddof, keepdims=axis is not None),
                   lambda g, y, x, axis, ddof: g * (2 * _weight(x, axis, ddof)) * _deviation(x, axis))
std_p  = primitive("std",  lambda x, axis, ddof: np.std(x, axis=axis, ddof=ddof, keepdims=axis is not None),
                   lambda g, y, x, axis, ddof: g * _weight(x, axis, ddof) * _inverse(y, mean_p(x, axis=axis))
                   * _deviation(x, axis))

# Those that pass over NaNs are primitives for NumPy's answers, and its warnings, where there is nothing else.
nanmax_p  = primitive("nanmax",  lambda x, axis: np.nanmax(x, axis=axis, keepdims=axis is not None),
                      lambda g, y, x, axis: g * _shares(x, y, axis))
nanmin_p  = primitive("nanmin",  lambda x, axis: np.nanmin(x, axis=axis, keepdims=axis is not None),
                      lambda g, y, x, axis: g * _shares(x, y, axis))
nanmean_p = primitive("nanmean", lambda x, axis: np.nanmean(x, axis=axis, keepdims=axis is not None),
                      lambda g, y, x, axis: g * _nanweight(x, axis, 0))
nanvar_p  = primitive("nanvar",  lambda x, axis, ddof: np.nanvar(x, axis=axis, ddof=ddof, keepdims=axis is not None),
                      lambda g, y, x, axis, ddof: g * (2 * _nanweight(x, axis, ddof)) * _nandeviation(x, axis))
nanstd_p  = primitive("nanstd",  lambda x, axis, ddof: np.nanstd(x, axis=axis, ddof=ddof, keepdims=axis is not None),
                      lambda g, y, x, axis, ddof: g * _nanweight(x, axis, ddof) * _inverse(y, nanmean_p(x, axis=axis))
                      * _nandeviation(x, axis))

# These could be derived from the order of the entries, and from powers; they are primitives for NumPy's rounding and
# for the derivative of a norm at 0. Where q has axes, they come first, also in the cotangent: the engine adds them up.
median_p   = primitive("median",   lambda x, axis: np.median(x, axis=axis, keepdims=axis is not None)[()],
                       lambda g, y, x, axis: g * _nearness(x, 0.5, axis))
quantile_p = primitive("quantile", lambda x, q, axis: np.quantile(x, q, axis=axis, keepdims=True)[()],
                       lambda g, y, x, q, axis: g * _nearness(x, q, axis))
nanmedian_p   = primitive("nanmedian",   lambda x, axis: np.nanmedian(x, axis=axis, keepdims=axis is not None)[()],
                          lambda g, y, x, axis: g * _nearness(x, 0.5, axis, numbers=True))
nanquantile_p = primitive("nanquantile", lambda x, q, axis: np.nanquantile(x, q, axis=axis, keepdims=True)[()],
                          lambda g, y, x, q, axis: g * _nearness(x, q, axis, numbers=True))
norm_p     = primitive("norm",     lambda x, ord, axis: np.linalg.norm(x, ord, axis, keepdims=True)[()],
                       lambda g, y, x, ord, axis: g * norm_slope(x, y, ord, axis))

# These three could be derived; they are primitives for stability at large and infinite arguments.
logsumexp_p   = primitive("logsumexp",   lambda x, axis: _logsumexp(x, axis, keepdims=axis is not None),
                          lambda g, y, x, axis: g * exp(x - where(y == -np.inf, 0, y)))
softmax_p     = primitive("softmax",     lambda x, axis: _softmax(x, axis),
                          lambda g, y, x, axis: _softmax_rule(g, where(x == -np.inf, 0, y), axis))
log_softmax_p = primitive("log_softmax", lambda x, axis: _log_softmax(x, axis),
                          lambda g, y, x, axis: g - exp(y) * sum_p(g, axis=axis))
# fmt: on


def mean_of(x: Any, axis: Axes) -> Any:
    """Compute ``numpy.mean``, keeping the axes that are named."""
    if axis is None and isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.itemsize > 2 and 0 < x.size < 2**24:
        return add(x, axis=None) / x.size  # the same number in a third of the time
    return np.mean(x, axis=axis, keepdims=axis is not None)


def axes_of(x: Any, axis: Axes) -> tuple[int, ...]:
    """Name the axes one by one; of a number NumPy lets there be 0 and -1, and there are none."""
    return tuple(range(x.ndim)) if axis is None or not x.ndim else axis if isinstance(axis, tuple) else (axis,)


def _count(x: Any, axis: Axes) -> Any:
    """How many entries of `x` make one of its mean; 1 rather than 0, for gradients without entries."""
    return builtins.max(math.prod([x.shape[i] for i in axes_of(x, axis)]), 1)


def _normal(y: Any) -> bool:
    """Whether all of `y` has its digits: nothing in it is 0, next to it, infinite or NaN."""
    size = np.absolute(value_of(y))
    return bool(np.all((size >= np.finfo(size.dtype).tiny) & (size < np.inf)))


def _others(x: Any, axis: Axes) -> Any:
    """For each entry, the product of the others; no division, so that it is right where there are zeros."""
    found: Any = 1
    for i in normalize_axis_tuple(axes_of(x, axis), x.ndim):
        ahead = before(cumprod_p(x, axis=i), i)
        behind = flip(before(cumprod_p(flip(x, i), axis=i), i), i)
        found = found * (ahead * behind)
        x = prod_p(x, axis=(i,))
    return found


def _weight(x: Any, axis: Axes, ddof: float) -> float:
    """Give the weight of an entry in a variance, a Python number so that half precision does not overflow."""
    freedom = builtins.max(_count(x, axis) - ddof, 0)
    return 1 / freedom if freedom else math.inf


def _inverse(y: Any, mean: Any = 0) -> Any:
    """One over a norm or a standard deviation, but 0 where it is 0, less than the mean can resolve, or of nothing."""
    mean = value_of(mean)
    flat = (y <= np.finfo(y.dtype).eps * np.absolute(mean)) | np.isnan(mean)
    return where(flat, 0, 1 / where(flat, 1, y))


def _deviation(x: Any, axis: Axes) -> Any:
    return x - mean_p(x, axis=axis)


def _shares(x: Any, y: Any, axis: Axes) -> Any:
    """How much of an extremum `y` is owed to each entry of `x`: ties share evenly, NaNs own it."""
    ties = (x == y) | (np.isnan(x) & np.isnan(y))
    return ties / add(ties, axis=axis, keepdims=axis is not None)


def _nanweight(x: Any, axis: Axes, ddof: float) -> Any:
    """Like `_weight`, but one for each entry, 0 for the NaNs."""
    nans = np.isnan(x)
    freedom = add(~nans, axis=axis, keepdims=axis is not None) - ddof
    return np.where(nans, 0, 1 / np.where(freedom > 0, freedom, np.nan))


def _nandeviation(x: Any, axis: Axes) -> Any:
    return where(np.isnan(x), 0, x - nanmean_p(x, axis=axis))


def _nearness(x: Any, q: Any, axis: Axes, numbers: bool = False) -> Any:
    """How much of the quantile `q` is owed to each entry: 1 less its distance in rank; ties are in stable order.

    As in an extremum, NaNs own it, unless it is only of the `numbers`: then they rank behind and own nothing.
    Only the entries at the rank below and the rank above are looked for.
    """
    x = value_of(x)
    axes = axes_of(x, axis)
    last, n = range(-len(axes), 0), math.prod([x.shape[i] for i in axes])
    aside = np.moveaxis(x, axes, last)
    lines = aside.reshape((*aside.shape[: x.ndim - len(axes)], n))
    ordered = np.sort(lines)[(None,) * np.ndim(q)]
    nans = np.isnan(lines)
    count = add(nans, axis=-1, keepdims=True)
    place = np.asarray(q)[(..., *[None] * lines.ndim)] * (n - 1 - count * numbers)
    share: Any = 0
    for rank in (np.floor(place), np.floor(place) + 1):
        k = np.minimum(rank, n - 1).astype(np.intp)
        entry = np.take_along_axis(ordered, k, -1)
        ties = lines == entry
        nth = k + 1 - add(lines < entry, axis=-1, keepdims=True)  # of those that tie
        share = share + (1 - np.absolute(rank - place)) * (ties & (np.cumsum(ties, axis=-1) == nth))
    if not numbers:
        share = np.where(count > 0, nans / np.maximum(count, 1), share)
    return np.moveaxis(share.reshape(np.shape(q) + aside.shape), last, [i % x.ndim - x.ndim for i in axes])


def norm_slope(x: Any, y: Any, ord: Any, axis: Axes) -> Any:
    """Give the derivative of the norm `y` of `x`: sign(x) (abs(x) / y) ** (ord - 1), and 0 where that is 0 / 0."""
    if ord in (None, "fro", "f", 2):
        return x * _inverse(y)
    if ord == 0:  # how many are not zero
        return np.zeros(x.shape, x.dtype)
    if ord == 1:
        return np.sign(x)
    if ord in (np.inf, -np.inf):
        return np.sign(x) * _shares(np.absolute(value_of(x)), value_of(y), axis)
    kink = (x == 0) | (y == 0)
    return np.where(kink, 0, np.sign(x)) * where(kink, 1, absolute(x) * _inverse(y)) ** (ord - 1)


def _softmax_rule(g: Any, y: Any, axis: Axes) -> Any:
    return y * (g - sum_p(g * y, axis=axis))


def _softmax(x: Any, axis: Axes) -> Any:
    x = floating(x)
    e = np.exp(x - top(x, axis=axis, keepdims=True, initial=-np.inf))
    return e / add(e, axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: Axes) -> Any:
    x = floating(x)
    x = x - top(x, axis=axis, keepdims=True, initial=-np.inf)
    return x - np.log(add(np.exp(x), axis=axis, keepdims=True))


def _reduced(apply: Callable[..., Any], x: Any, axis: Axes, keepdims: bool, **params: Any) -> Any:
    y = apply(x, axis=axis, **params)
    if not shape_of(x):
        return y  # NumPy lets a number be reduced along 0 and -1
    if axis is None:
        return reshape(y, (1,) * len(shape_of(x))) if keepdims else y
    return y if keepdims else squeeze(y, axis)


def sum(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Add up the entries along `axis`: an int, a tuple, or all by default."""
    return _reduced(sum_p, x, axis, keepdims)


def prod(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Multiply the entries along `axis`. Derivatives of every order are right where there are zeros."""
    return _reduced(prod_p, x, axis, keepdims)


def mean(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Average the entries along `axis`."""
    return _reduced(mean_p, x, axis, keepdims)


def max(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the largest entry along `axis`. Entries that tie share the gradient evenly."""
    return _reduced(max_p, x, axis, keepdims)


def min(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the smallest entry along `axis`. Entries that tie share the gradient evenly."""
    return _reduced(min_p, x, axis, keepdims)


amax, amin = max, min


def var(x: Any, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Compute the variance along `axis`, dividing by the number of entries less `ddof`."""
    return _reduced(var_p, x, axis, keepdims, ddof=ddof)


def std(x: Any, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Compute the standard deviation along `axis`. Its derivative where it is zero is 0."""
    return _reduced(std_p, x, axis, keepdims, ddof=ddof)


@namesake(np.ptp)
def ptp(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Subtract the smallest entry along `axis` from the largest. Entries that tie share the gradient evenly."""
    return max(x, axis, keepdims=keepdims) - min(x, axis, keepdims=keepdims)


@namesake(np.nansum)
def nansum(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Add up the entries along `axis` that are not NaN. The derivative at a NaN is 0."""
    return sum(where(np.isnan(x), 0, x), axis, keepdims=keepdims)


@namesake(np.nanprod)
def nanprod(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Multiply the entries along `axis` that are not NaN. The derivative at a NaN is 0."""
    return prod(where(np.isnan(x), 1, x), axis, keepdims=keepdims)


def nanmax(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the largest entry along `axis` that is not NaN, as `max` does; NaN where all are, and they share it."""
    return _reduced(nanmax_p, x, axis, keepdims)


def nanmin(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the smallest entry along `axis` that is not NaN, as `min` does; NaN where all are, and they share it."""
    return _reduced(nanmin_p, x, axis, keepdims)


def nanmean(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Average the entries along `axis` that are not NaN. The derivative at a NaN is 0."""
    return _reduced(nanmean_p, x, axis, keepdims)


def nanvar(x: Any, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Compute the variance of the entries along `axis` that are not NaN. The derivative at a NaN is 0."""
    return _reduced(nanvar_p, x, axis, keepdims, ddof=ddof)


def nanstd(x: Any, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Compute the standard deviation of what is not NaN. Its derivative at a NaN, and where it is zero, is 0."""
    return _reduced(nanstd_p, x, axis, keepdims, ddof=ddof)


@namesake(np.average)
def average(x: Any, axis: Axes = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    """Average the entries along `axis`, each as often as its weight says.

    The weights have the shape of `x`, or that of the axes named.

    Raises
    ------
    ZeroDivisionError
        If the weights of an average add up to zero.
    """
    if weights is None:
        return mean(x, axis, keepdims=keepdims)
    x, weights = floating(x), weights if isinstance(weights, Node) else np.asarray(weights)
    if weights.shape != x.shape:
        axes = normalize_axis_tuple(() if axis is None else axis, x.ndim)
        wanted = tuple([x.shape[i] for i in axes])
        if axis is None or weights.shape != wanted:
            shapes = f"{x.shape}" if axis is None else f"{x.shape} or {wanted}"
            raise ValueError(f"the weights of this average have shape {shapes}, not {weights.shape}")
        weights = transpose(weights, tuple(np.argsort(axes).tolist()))
        weights = reshape(weights, [n if i in axes else 1 for i, n in enumerate(x.shape)])
    scale = sum(weights.astype(np.result_type(x.dtype, weights.dtype)), axis, keepdims=keepdims)
    if np.any(scale == 0):
        raise ZeroDivisionError("the weights of an average add up to zero")
    return sum(x * weights, axis, keepdims=keepdims) / scale


@namesake(np.median)
def median(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the middle entry along `axis`, or the mean of the middle two. Among ties, stable order decides."""
    return _reduced(median_p, x, axis, keepdims)


@namesake(np.quantile)
def quantile(x: Any, q: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the entry that the fraction `q` of those along `axis` lie below, going linearly from one to the next [1]_.

    `q` may be an array: its axes come first. Among ties, stable order decides.

    References
    ----------
    .. [1] Hyndman and Fan, "Sample quantiles in statistical packages", Am. Stat. 50 (1996), definition 7.
    """
    return _quantile(quantile_p, x, q, axis, keepdims)


@namesake(np.percentile)
def percentile(x: Any, q: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the quantile of `q` percent."""
    return _quantile(quantile_p, x, _percent(x, q), axis, keepdims)


@namesake(np.nanmedian)
def nanmedian(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the median of the entries along `axis` that are not NaN. The derivative at a NaN is 0."""
    return _reduced(nanmedian_p, x, axis, keepdims)


@namesake(np.nanquantile)
def nanquantile(x: Any, q: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the quantile of the entries along `axis` that are not NaN. The derivative at a NaN is 0."""
    return _quantile(nanquantile_p, x, q, axis, keepdims)


@namesake(np.nanpercentile)
def nanpercentile(x: Any, q: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the quantile of `q` percent of the entries along `axis` that are not NaN."""
    return _quantile(nanquantile_p, x, _percent(x, q), axis, keepdims)


def _quantile(apply: Operation, x: Any, q: Any, axis: Axes, keepdims: bool) -> Any:
    if isinstance(q, Node):
        raise TypeError("a quantile is differentiated by its entries, not by the fraction q: pass q.data")
    q = q if np.isscalar(q) else np.array(q)
    if apply is nanquantile_p and np.ndim(q) > 1 and axis is not None and len(axes_of(x, axis)) != 1:
        raise ValueError(
            f"NumPy mixes up the axes of fractions of shape {np.shape(q)} and those that are left by axis={axis}: "
            "pass np.ravel(q), and reshape the result"
        )
    y = apply(x, q=q, axis=axis)
    first = len(shape_of(y)) - x.ndim  # axes of q; but of no entries, nanquantile leaves them out
    return y if keepdims else squeeze(y, tuple([i % x.ndim + first for i in axes_of(x, axis)]))


def _percent(x: Any, q: Any) -> Any:
    return q if isinstance(q, Node) else np.true_divide(q, x.dtype.type(100))


@namesake(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integrate `y` along `axis` by the trapezoidal rule, at the points `x` or in steps of `dx`."""
    y = y if isinstance(y, Node) else np.asarray(y)
    behind = y.ndim - 1 - normalize_axis_index(axis, y.ndim)
    if x is not None:
        dx = diff(x, axis=axis) if len(shape_of(x)) > 1 else reshape(diff(x), (-1,) + (1,) * behind)
    axis = y.ndim - 1 - behind
    return sum(dx * (tail(y, axis) + head(y, axis)) / 2.0, axis)


def logsumexp(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Compute ``log(sum(exp(x)))`` along `axis` without overflow [1]_.

    References
    ----------
    .. [1] Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions",
       IMA J. Numer. Anal. 41 (2021), equation (1.3).
    """
    return _reduced(logsumexp_p, x, axis, keepdims)


def softmax(x: Any, axis: Axes = -1) -> Any:
    """Compute ``exp(x) / sum(exp(x))`` along `axis` without overflow; an entry of -inf weighs nothing."""
    return softmax_p(x, axis=axis)


def log_softmax(x: Any, axis: Axes = -1) -> Any:
    """Compute ``x - logsumexp(x)`` along `axis`."""
    return log_softmax_p(x, axis=axis)
