"""Products of matrices."""

from __future__ import annotations

import operator as op
from typing import Any

import numpy as np

from ..core import Node, primitive
from .shape import expand_dims, shape_of, squeeze

# fmt: off
matmul_p = primitive("matmul", op.matmul, lambda g, z, x, y: g @ y.mT,
                                          lambda g, z, x, y: _rows(x).mT @ _rows(g) if y.ndim == 2 else x.mT @ g)
# fmt: on


def _rows(x: Any) -> Any:
    """A stack of matrices as one tall matrix: one product then does what a sum of products would."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def matmul(x: Any, y: Any) -> Any:
    """Multiply matrices, or stacks of them that broadcast; a vector is a row on the left, a column on the right."""
    if not (isinstance(x, Node) or isinstance(y, Node)):
        return np.matmul(x, y)
    rows, columns = len(shape_of(x)) == 1, len(shape_of(y)) == 1
    if not (rows or columns):
        return matmul_p(x, y)
    z = matmul_p(expand_dims(x, 0) if rows else x, expand_dims(y, 1) if columns else y)
    return squeeze(z, tuple(axis for axis, added in ((-2, rows), (-1, columns)) if added))
