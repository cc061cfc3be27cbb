"""The last node of a training step. These could be derived; they are primitives for speed, one node each."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import primitive
from .elementwise import floating
from .reductions import mean_of

# fmt: off
mse_p = primitive("mse", lambda x, y: mean_of(np.square(floating(x) - y), None),
                  lambda g, z, x, y: g * (2 / max(x.size, 1)) * (x - y),
                  lambda g, z, x, y: g * (2 / max(y.size, 1)) * (y - x))
nll_p = primitive("nll", lambda x, ids: -mean_of(x[np.arange(ids.size), ids], None),
                  lambda g, y, x, ids: g * _negative_share(x, ids))
# fmt: on


def _negative_share(x: Any, ids: Any) -> Any:
    """Give the derivative of the mean of the negatives of the entries ``(i, ids[i])``, which is a constant."""
    share = np.zeros(x.shape, x.dtype)
    share[np.arange(ids.size), ids] = -1 / max(ids.size, 1)
    return share
