"""Scans, and the outer form of arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .shape import axis, axis_or_none, one
from .table import Row, broadcast, differed, edged, scanned


def flattened(f: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of a ufunc take axis=None and numbers, as `cumsum` does."""
    return lambda x, axis: f(np.ravel(x), 0) if axis is None or not np.ndim(x) else f(x, axis)


def given(f: Callable[..., Any]) -> Callable[..., Any]:
    """Take operands by their names."""
    return lambda x, *others, names, **params: f(x, **dict(zip(names, others, strict=True)), **params)


def holed(f: Callable[..., Any]) -> Callable[..., Any]:
    """Put NaN for the numbers below -1.01, which is none of those that are drawn."""
    return lambda x, axis: f(np.where(np.less(x, -1.01), np.nan, x), axis)


# fmt: off
ROWS = [
    Row("cumsum",      ag.cumsum,      np.cumsum,        scanned()),
    Row("cumprod",     ag.cumprod,     np.cumprod,       scanned()),
    Row("nancumsum",   holed(ag.nancumsum),  holed(np.nancumsum),  one(axis=axis_or_none)),
    Row("nancumprod",  holed(ag.nancumprod), holed(np.nancumprod), one(axis=axis_or_none)),
    Row("cumulative_sum",  ag.cumulative_sum,  getattr(np, "cumulative_sum", ag.cumulative_sum),
                       one(1, axis=axis, include_initial=st.booleans())),
    Row("cumulative_prod", ag.cumulative_prod, getattr(np, "cumulative_prod", ag.cumulative_prod),
                       one(1, axis=axis, include_initial=st.booleans())),
    Row("cumulative_sum of a vector", ag.cumulative_sum, getattr(np, "cumulative_sum", ag.cumulative_sum),
                       one(0, 1, include_initial=st.booleans())),
    Row("ediff1d",     ag.ediff1d,     np.ediff1d,       broadcast("any")),
    Row("ediff1d with ends", lambda x, y, z: ag.ediff1d(x, y, z), lambda x, y, z: np.ediff1d(x, y, z),
                       one(1).flatmap(lambda case: st.just(case._replace(bases=case.bases * 3, views=case.views * 3)))),
    Row("unwrap",      ag.unwrap,      np.unwrap,
                       one(1, axis=axis, discont=st.sampled_from([None, 3.5]),
                           period=st.sampled_from([2 * np.pi, 1.9]))),
    Row("add.accumulate",      ag.cumsum,  flattened(np.add.accumulate),      scanned()),
    Row("multiply.accumulate", ag.cumprod, flattened(np.multiply.accumulate), scanned()),
    Row("cummax",      ag.cummax,      flattened(np.maximum.accumulate), scanned("distinct")),
    Row("cummin",      ag.cummin,      flattened(np.minimum.accumulate), scanned("distinct")),
    Row("diff",        ag.diff,        np.diff,          differed()),
    Row("diff of parts", given(ag.diff), given(np.diff), edged()),
    Row("divide.outer", lambda x, y: ag.divide(ag.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y), np.divide.outer,
                       broadcast("any", "nonzero")),
]
# fmt: on
