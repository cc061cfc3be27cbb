"""Products of matrices."""

from __future__ import annotations

import math
import operator as op
from typing import Any

import numpy as np

from ..core import primitive
from .elementwise import _numpy
from .shape import expand_dims, squeeze

__all__ = ["matmul"]

# fmt: off
matmul_p = primitive("matmul", op.matmul, lambda g, z, x, y: _left(g, x, y),
                                          lambda g, z, x, y: _right(g, x, y))
# fmt: on


def _left(g: Any, x: Any, y: Any) -> Any:
    if x.ndim > 1 < y.ndim:
        return g @ y.mT
    rows, (g, _, y) = x.ndim == 1, _matrices(g, x, y)
    return squeeze(g @ y.mT, -2) if rows else g @ y.mT


def _right(g: Any, x: Any, y: Any) -> Any:
    if y.ndim == 2 < x.ndim:  # one tall product does what a sum over products would
        rows = math.prod(x.shape[:-1])  # not -1, which an empty array does not determine
        return x.reshape(rows, x.shape[-1]).mT @ g.reshape(rows, g.shape[-1])
    if x.ndim > 1 < y.ndim:
        return x.mT @ g
    columns, (g, x, _) = y.ndim == 1, _matrices(g, x, y)
    return squeeze(x.mT @ g, -1) if columns else x.mT @ g


def _matrices(g: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Write a vector on the left as a row, one on the right as a column, and `g` as their product."""
    if y.ndim == 1:
        g, y = expand_dims(g, -1), expand_dims(y, -1)
    if x.ndim == 1:
        g, x = expand_dims(g, -2), expand_dims(x, 0)
    return g, x, y


matmul = _numpy(np.matmul, matmul_p)
