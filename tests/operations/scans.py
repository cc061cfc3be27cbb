"""Scans, and the outer form of arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_mini as ag

from .table import Row, broadcast, differed, edged, scanned


def flattened(f: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of a ufunc take axis=None, as `cumsum` does."""
    return lambda x, axis: f(np.ravel(x), 0) if axis is None else f(x, axis)


# fmt: off
ROWS = [
    Row("cumsum",      ag.cumsum,      np.cumsum,        scanned()),
    Row("cumprod",     ag.cumprod,     np.cumprod,       scanned()),
    Row("add.accumulate",      ag.cumsum,  flattened(np.add.accumulate),      scanned()),
    Row("multiply.accumulate", ag.cumprod, flattened(np.multiply.accumulate), scanned()),
    Row("cummax",      ag.cummax,      flattened(np.maximum.accumulate), scanned("distinct")),
    Row("cummin",      ag.cummin,      flattened(np.minimum.accumulate), scanned("distinct")),
    Row("diff",        ag.diff,        np.diff,          differed()),
    Row("diff of parts", lambda x, prepend, append, axis: ag.diff(x, axis=axis, prepend=prepend, append=append),
                       lambda x, prepend, append, axis: np.diff(x, axis=axis, prepend=prepend, append=append), edged()),
    Row("divide.outer", lambda x, y: ag.divide(ag.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y), np.divide.outer,
                       broadcast("any", "nonzero")),
]
# fmt: on
