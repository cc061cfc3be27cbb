"""Reading by index, of every kind NumPy has, and its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import primitive

# fmt: off
getitem = primitive("getitem", lambda x, index: np.asarray(x)[index][()],
                    lambda g, y, x, index: putitem_p(g, index=index, shape=x.shape))
putitem_p = primitive("putitem", lambda x, index, shape: _putitem(x, index, shape),
                      lambda g, y, x, index, shape: getitem(g, index=index))
# fmt: on


def _putitem(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Give zeros with `x` added at `index`, as often as an entry is named there."""
    y = np.zeros(shape, x.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if any(np.asarray(i).dtype.kind in "iu" and np.ndim(i) for i in parts if i is not None and not isinstance(i, slice)):
        np.add.at(y, index, x)
    else:  # an entry is named at most once
        y[index] = x
    return y[()]
