"""Products of matrices."""

from __future__ import annotations

import operator

import numpy as np

import autograd_mini as ag

from .table import Row, matrices

# fmt: off
ROWS = [
    Row("x @ y",       operator.matmul,   operator.matmul,   matrices(), lists=False),
    Row("matmul",      ag.matmul,      np.matmul,        matrices()),
]
# fmt: on
