"""Scans: results that at every place depend on what came before. All derivatives reduce to one linear recurrence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core import Node, Operation, primitive, value_of
from .elementwise import where
from .indexing import positions, putitem_p
from .namesake import namesake
from .shape import along, broadcast_to, concatenate_p, joined, ravel, reshape, shape_of

__all__ = [
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_prod", "cumulative_sum", "diff", "ediff1d", "nancumprod",
    "nancumsum", "unwrap",
]  # fmt: skip


# fmt: off
cumsum_p: Operation = primitive("cumsum", lambda x, axis: np.add.accumulate(x, axis),
                    lambda g, y, x, axis: flip(cumsum_p(flip(single(g), axis), axis=axis), axis))
cumprod_p = primitive("cumprod", lambda x, axis: np.multiply.accumulate(x, axis),
                    lambda g, y, x, axis: before(y, axis) * _recur_back(tail(x, axis), g, axis))
cummax_p  = primitive("cummax",  lambda x, axis: np.maximum.accumulate(x, axis),
                    lambda g, y, x, axis: _owed(g, value_of(y), value_of(x), axis))
cummin_p  = primitive("cummin",  lambda x, axis: np.minimum.accumulate(x, axis),
                    lambda g, y, x, axis: _owed(g, value_of(y), value_of(x), axis))

# z[i] = x[i - 1] z[i - 1] + y[i]. Its adjoint is itself from the other end.
recurrence_p: Operation = primitive("recurrence", lambda x, y, axis: _recurrence(x, y, axis),
                    lambda g, z, x, y, axis: head(z, axis) * tail(_recur_back(x, g, axis), axis),
                    lambda g, z, x, y, axis: _recur_back(x, g, axis))

# What it adds are whole periods.
unwrap_p = primitive("unwrap", lambda x, discont, axis, period: np.unwrap(x, discont, axis, period=period),
                     lambda g, y, x, discont, axis, period: g)
# fmt: on


def _recurrence(x: Any, y: Any, axis: int) -> Any:
    z = np.array(y, np.result_type(x, y, np.float32))  # half precision adds up in single
    _recur(np.moveaxis(x, axis, 0).astype(z.dtype, copy=False), np.moveaxis(z, axis, 0))
    return z


def _recur(links: Any, rows: Any) -> None:
    """Add to each row its link times the row before; where rows are short and many, in blocks side by side.

    What comes into a block is added in the end, times the products of its links. For those alone not to leave the
    range of the dtype, steep links make short blocks; what is infinite goes step by step.
    """
    n = len(rows)
    steepest = 1 + np.absolute(np.frexp(links)[1]).max(initial=0)
    length = min(math.isqrt(n), -np.finfo(rows.dtype).minexp // steepest)
    if length < 8 or n < rows[0].size or np.isinf(links).any():
        for i in range(n - 1):
            rows[i + 1] += links[i] * rows[i]
        return
    count = (n - 1) // length
    end = count * length
    inner, blocks = (x[:end].reshape(count, length, *x.shape[1:]) for x in (links, rows))
    for i in range(length - 1):
        blocks[:, i + 1] += inner[:, i] * blocks[:, i]
    products = np.multiply.accumulate(inner, 1)
    carried = np.concatenate([np.zeros_like(rows[:1]), inner[:, -1] * blocks[:, -1]])
    _recur(products[:, -1], carried)
    blocks[:, 0] += carried[:-1]
    blocks[:, 1:] += products[:, :-1] * carried[:-1, None]
    rows[end] += carried[-1]
    _recur(links[end:], rows[end:])


def _recur_back(x: Any, g: Any, axis: int) -> Any:
    return flip(recurrence_p(flip(x, axis), flip(g, axis), axis=axis), axis)


def _owed(g: Any, y: Any, x: Any, axis: int) -> Any:
    """Hand each entry its share of the running extrema `y` that it gave: ties so far share evenly, NaNs own it.

    Without ties, each entry simply has what it gave until the next one took over.
    """
    own = (x == y) | np.isnan(x)
    now, last = tail(y, axis), head(y, axis)
    same = (now == last) | np.isnan(last)
    if not np.any(tail(own, axis) & same):
        owners = np.maximum.accumulate(np.where(own, positions(x.shape), 0), axis).ravel()
        return reshape(putitem_p(ravel(g), index=owners, shape=owners.shape), x.shape)
    return own * _recur_back(same, g / recurrence_p(same, own, axis=axis), axis)


def single(x: Any) -> Any:
    """Give half precision as single: it is to be added up."""
    return x.astype(np.float32) if x.dtype.itemsize < 4 else x


def flip(x: Any, axis: int) -> Any:
    return along(x, axis, slice(None, None, -1))


def head(x: Any, axis: int) -> Any:
    """All but the last along `axis`."""
    return along(x, axis, slice(None, -1))


def tail(x: Any, axis: int) -> Any:
    """All but the first along `axis`."""
    return along(x, axis, slice(1, None))


def before(y: Any, axis: int) -> Any:
    """Move a running product on by one place: what stood before each entry, and 1 before the first."""
    first = (*y.shape[:axis], min(y.shape[axis], 1), *y.shape[axis + 1 :])
    return concatenate_p(np.ones(first, y.dtype), head(y, axis), axis=axis)


def _scanned(apply: Operation, x: Any, axis: int | None) -> Any:
    if axis is None or not shape_of(x):  # NumPy lets a number be scanned along 0 and -1
        x, axis = ravel(x), axis or 0
    return apply(x, axis=normalize_axis_index(axis, len(shape_of(x))))


@namesake(np.cumsum)
def cumsum(x: Any, axis: int | None = None) -> Any:
    """Add up the entries so far along `axis`; by default, of `x` flattened."""
    return _scanned(cumsum_p, x, axis)


@namesake(np.cumprod)
def cumprod(x: Any, axis: int | None = None) -> Any:
    """Multiply the entries so far along `axis`. Derivatives of every order are right where there are zeros."""
    return _scanned(cumprod_p, x, axis)


@namesake(getattr(np, "cumulative_sum", None))
def cumulative_sum(x: Any, /, *, axis: int | None = None, include_initial: bool = False) -> Any:
    """Add up the entries so far along `axis`; more than one axis, and it must be named. The initial one is 0."""
    return _cumulative(cumsum, x, axis, include_initial, 0)


@namesake(getattr(np, "cumulative_prod", None))
def cumulative_prod(x: Any, /, *, axis: int | None = None, include_initial: bool = False) -> Any:
    """Multiply the entries so far along `axis`; more than one axis, and it must be named. The initial one is 1."""
    return _cumulative(cumprod, x, axis, include_initial, 1)


def _cumulative(scan: Any, x: Any, axis: int | None, include_initial: bool, initial: int) -> Any:
    if axis is None and x.ndim > 1:
        raise ValueError(f"a cumulative operation on shape {x.shape} is told along which axis: pass axis=")
    y = scan(x, axis)
    if not include_initial:
        return y
    axis = normalize_axis_index(axis or 0, y.ndim)
    first = np.full((*y.shape[:axis], 1, *y.shape[axis + 1 :]), initial, y.dtype)
    return concatenate_p(first, y, axis=axis)


@namesake(np.nancumsum)
def nancumsum(x: Any, axis: int | None = None) -> Any:
    """Add up the entries so far that are not NaN. The derivative at a NaN is 0."""
    return cumsum(where(np.isnan(x), 0, x), axis)


@namesake(np.nancumprod)
def nancumprod(x: Any, axis: int | None = None) -> Any:
    """Multiply the entries so far that are not NaN. The derivative at a NaN is 0."""
    return cumprod(where(np.isnan(x), 1, x), axis)


def unwrap(p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    """Add to the entries along `axis` the whole periods that keep neighbours within half a period."""
    return unwrap_p(p, discont=discont, axis=axis, period=period)


def cummax(x: Any, axis: int | None = None) -> Any:
    """Take the largest entry so far along `axis`: ``numpy.maximum.accumulate``, but flattened by default.

    At each place the entries so far that tie share the gradient evenly, as those of `max` do.
    """
    return _scanned(cummax_p, x, axis)


def cummin(x: Any, axis: int | None = None) -> Any:
    """Take the smallest entry so far along `axis`: ``numpy.minimum.accumulate``, but flattened by default.

    At each place the entries so far that tie share the gradient evenly, as those of `min` do.
    """
    return _scanned(cummin_p, x, axis)


@namesake(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Subtract from each entry the one before it along `axis`, `n` times; `prepend` and `append` come first."""
    if n < 0:
        raise ValueError(f"diff subtracts n >= 0 times, not {n}")
    x = x if isinstance(x, Node) else np.asarray(x)
    axis = normalize_axis_index(axis, x.ndim)
    if n == 0:
        return x
    edge = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    parts = [part if shape_of(part) else broadcast_to(part, edge) for part in (prepend, x, append) if part is not None]
    if len(parts) > 1:
        x = concatenate_p(*parts, axis=axis)
    for _ in range(n):
        x = tail(x, axis) - head(x, axis)
    return x


@namesake(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Subtract from each entry of the flattened `ary` the one before it, and join ends to the differences."""
    ary = ary if isinstance(ary, Node) else np.asarray(ary)
    parts = [part for part in (to_begin, diff(ravel(ary)), to_end) if part is not None]
    return joined(ary.dtype, *parts)
