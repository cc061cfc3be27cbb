"""Losses, and functions as operations: `grad`, `checkpoint`, `custom_vjp`."""

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
    Row("checkpoint",   ag.checkpoint(lambda x, y: ag.sin(x) * y + x), lambda x, y: np.sin(x) * y + x,
                        broadcast("any", "any"), lists=False),
    Row("custom_vjp",   ag.custom_vjp(lambda x, y: x * y, lambda g, z, x, y: (g * y, g * x)), lambda x, y: 1.0 * x * y,
                        broadcast("any", "any"), lists=False),
]
# fmt: on
