"""Losses, and `grad` as an operation."""

from __future__ import annotations

import numpy as np

import autograd_mini as ag
from autograd_mini.ops import losses

from .table import Row, alike, broadcast, labelled

# fmt: off
ROWS = [
    Row("mse",          losses.mse_p, lambda x, y: np.mean(np.square(1.0 * x - y)), alike(), lists=False),
    Row("nll",          losses.nll_p, lambda x, ids: -np.mean(x[np.arange(len(ids)), ids]), labelled(), lists=False),
    Row("grad",         ag.grad(lambda x: ag.sum(x * x * x)), lambda x: 3.0 * x * x, broadcast("any"),
                        exact=False, lists=False),
]
# fmt: on
