"""Reductions."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .table import Row, reductions


def softmax(x: Any, axis: Any) -> Any:
    e = np.exp(1.0 * x)
    return e / np.sum(e, axis=axis, keepdims=True)


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.log(np.sum(np.exp(1.0 * x), axis=axis, keepdims=keepdims))


# fmt: off
ROWS = [
    Row("sum",         ag.sum,         np.sum,           reductions(at_least=0, keepdims=st.booleans())),
    Row("mean",        ag.mean,        np.mean,          reductions(keepdims=st.booleans())),
    Row("max",         ag.max,         np.max,           reductions("distinct", keepdims=st.booleans())),
    Row("min",         ag.min,         np.min,           reductions("distinct", keepdims=st.booleans())),
    Row("var",         ag.var,         np.var,           reductions(keepdims=st.booleans(), ddof=st.integers(0, 1))),
    Row("std",         ag.std,         np.std,
                       reductions("distinct", keepdims=st.booleans(), ddof=st.integers(0, 1))),
    Row("logsumexp",   ag.logsumexp,   logsumexp,        reductions(keepdims=st.booleans()), exact=False),
    Row("softmax",     ag.softmax,     softmax,          reductions(), exact=False),
    Row("log_softmax", ag.log_softmax, lambda x, axis: x - logsumexp(x, axis, True), reductions(),
                       exact=False),
]
# fmt: on
