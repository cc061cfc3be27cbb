"""Reading by index, of every kind NumPy has, and its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import Operation, primitive

__all__ = ["getitem"]

# fmt: off
getitem_p = primitive("getitem", lambda x, index: np.asarray(x)[index][()],
                      lambda g, y, x, index: putitem_p(g, index=index, shape=x.shape))
putitem_p: Operation = primitive("putitem", lambda x, index, shape: _putitem(x, index, shape),
                      lambda g, y, x, index, shape: getitem_p(g, index=index))
# fmt: on


def _putitem(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Give zeros with `x` added at `index`, as often as an entry is named there."""
    y = np.zeros(shape, np.promote_types(x.dtype, np.float32))  # half precision adds up in single
    parts = index if isinstance(index, tuple) else (index,)
    if any(
        np.asarray(i).dtype.kind in "iu" and np.ndim(i) for i in parts if i is not None and not isinstance(i, slice)
    ):
        np.add.at(y, index, x)
    else:  # an entry is named at most once
        y[index] = x
    return y.astype(x.dtype, copy=False)[()]


def getitem(x: Any, index: Any) -> Any:
    """Read ``x[index]``: slices, integers, ellipsis, newaxis, boolean masks, integer arrays, in any mixture."""
    if isinstance(index, tuple):
        return getitem_p(x, index=tuple([_kept(part) for part in index]))
    return getitem_p(x, index=_kept(index))


def _kept(part: Any) -> Any:
    """Copy the parts of an index that could change before the rule reads them."""
    if isinstance(part, list):
        return np.array(part, None if part else np.intp)  # an empty list names no entry, and is no list of floats
    return part.copy() if isinstance(part, np.ndarray) else part
