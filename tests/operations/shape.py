"""Operations that move values."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .table import Row, broadcast, expanded, joined, permuted, reshaped, spread, squeezed, stacked, swapped

# fmt: off
ROWS = [
    Row("reshape",      ag.reshape,      np.reshape,      reshaped()),
    Row("ravel",        ag.ravel,        np.ravel,        broadcast("any", order=st.sampled_from("CF"))),
    Row("transpose",    ag.transpose,    np.transpose,    permuted()),
    Row("swapaxes",     ag.swapaxes,     np.swapaxes,     swapped()),
    Row("squeeze",      ag.squeeze,      np.squeeze,      squeezed()),
    Row("expand_dims",  ag.expand_dims,  np.expand_dims,  expanded()),
    Row("broadcast_to", ag.broadcast_to, np.broadcast_to, spread()),
    Row("concatenate",  lambda *xs, axis: ag.concatenate(xs, axis),
                        lambda *xs, axis: np.concatenate(xs, axis), joined()),
    Row("stack",        lambda *xs, axis: ag.stack(xs, axis),
                        lambda *xs, axis: np.stack(xs, axis), stacked()),
    Row("astype",       lambda x, dtype: x.astype(dtype), lambda x, dtype: x.astype(dtype),
                        broadcast("any", dtype=st.sampled_from(["float64", "float64", "float32", "float16"])),
                        lists=False),
]
# fmt: on
