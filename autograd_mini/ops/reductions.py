"""Reductions. The primitives keep the axes they reduce; the functions of NumPy's names squeeze them."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import primitive
from .elementwise import exp, floating, where
from .shape import Axes, broadcast_p, reshape, shape_of, squeeze

__all__ = [
    "log_softmax", "logsumexp", "max", "mean", "min", "softmax", "std", "sum", "var",
]  # fmt: skip

add: Any = np.add.reduce  # without the detour through numpy.sum
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
mean_p = primitive("mean", lambda x, axis: mean_of(x, axis),
                   lambda g, y, x, axis: broadcast_p(g * (1 / _count(x, axis)), shape=x.shape))
max_p  = primitive("max",  lambda x, axis: np.max(x, axis=axis, keepdims=axis is not None),
                   lambda g, y, x, axis: g * _shares(x, y, axis))
min_p  = primitive("min",  lambda x, axis: np.min(x, axis=axis, keepdims=axis is not None),
                   lambda g, y, x, axis: g * _shares(x, y, axis))
# mean, var and std could be derived; they are primitives for speed, and std for its derivative at 0.
var_p  = primitive("var",  lambda x, axis, ddof: np.var(x, axis=axis, ddof=ddof, keepdims=axis is not None),
                   lambda g, y, x, axis, ddof: g * (2 * _weight(x, axis, ddof)) * _deviation(x, axis))
std_p  = primitive("std",  lambda x, axis, ddof: np.std(x, axis=axis, ddof=ddof, keepdims=axis is not None),
                   lambda g, y, x, axis, ddof: g * _weight(x, axis, ddof) * _inverse(y, x, axis) * _deviation(x, axis))

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


def _count(x: Any, axis: Axes) -> Any:
    """How many entries of `x` make one of its mean; 1 rather than 0, for gradients without entries."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return builtins.max(math.prod([x.shape[i] for i in axes]), 1)


def _weight(x: Any, axis: Axes, ddof: float) -> float:
    """Give the weight of an entry in a variance, a Python number so that half precision does not overflow."""
    freedom = builtins.max(_count(x, axis) - ddof, 0)
    return 1 / freedom if freedom else math.inf


def _inverse(y: Any, x: Any, axis: Axes) -> Any:
    """One over a standard deviation, but 0 where it is 0, or less than the mean can resolve."""
    flat = y <= np.finfo(y.dtype).eps * np.absolute(mean_p(x, axis=axis))
    return where(flat, 0, 1 / where(flat, 1, y))


def _deviation(x: Any, axis: Axes) -> Any:
    return x - mean_p(x, axis=axis)


def _shares(x: Any, y: Any, axis: Axes) -> Any:
    """How much of an extremum `y` is owed to each entry of `x`: ties share evenly, NaNs own it."""
    ties = (x == y) | np.isnan(x)
    return ties / np.maximum(add(ties, axis=axis, keepdims=axis is not None), 1)


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


def mean(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Average the entries along `axis`."""
    return _reduced(mean_p, x, axis, keepdims)


def max(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the largest entry along `axis`. Entries that tie share the gradient evenly."""
    return _reduced(max_p, x, axis, keepdims)


def min(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """Take the smallest entry along `axis`. Entries that tie share the gradient evenly."""
    return _reduced(min_p, x, axis, keepdims)


def var(x: Any, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Compute the variance along `axis`, dividing by the number of entries less `ddof`."""
    return _reduced(var_p, x, axis, keepdims, ddof=ddof)


def std(x: Any, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Compute the standard deviation along `axis`. Its derivative where it is zero is 0."""
    return _reduced(std_p, x, axis, keepdims, ddof=ddof)


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
