"""Reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .table import Case, Row, gappy, integrated, normed, reductions, weighted

kept = st.booleans()
fraction = st.sampled_from([0, 0.25, 0.3, 0.5, 1, [0.1, 0.9], [[0.6]], []])


def softmax(x: Any, axis: Any) -> Any:
    e = np.exp(1.0 * x)
    return e / np.sum(e, axis=axis, keepdims=True)


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.log(np.sum(np.exp(1.0 * x), axis=axis, keepdims=keepdims))


def ordered(**params: Any) -> st.SearchStrategy[Case]:
    """What NumPy can order: it trips over no entries along no axes."""
    return reductions("distinct", **params).filter(lambda case: case.params["axis"] != () or case.bases[0].size)


def holed(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, holes, **params: f(np.where(holes, np.nan, x), **params)


def untangled(case: Case) -> bool:
    """Whether NumPy keeps apart the axes of a table of fractions and those of the operand."""
    return np.ndim(case.params["q"]) < 2 or type(case.params["axis"]) is not tuple or len(case.params["axis"]) == 1


# fmt: off
ROWS = [
    Row("sum",         ag.sum,         np.sum,           reductions(at_least=0, keepdims=st.booleans())),
    Row("prod",        ag.prod,        np.prod,          reductions(at_least=0, keepdims=kept)),
    Row("multiply.reduce", ag.prod,    np.multiply.reduce, reductions(at_least=0, keepdims=kept)),
    Row("mean",        ag.mean,        np.mean,          reductions(keepdims=st.booleans())),
    Row("max",         ag.max,         np.max,           reductions("distinct", keepdims=st.booleans())),
    Row("min",         ag.min,         np.min,           reductions("distinct", keepdims=st.booleans())),
    Row("var",         ag.var,         np.var,           reductions(keepdims=st.booleans(), ddof=st.integers(0, 1))),
    Row("std",         ag.std,         np.std,
                       reductions("distinct", keepdims=st.booleans(), ddof=st.integers(0, 1))),
    Row("ptp",         ag.ptp,         np.ptp,           reductions("distinct", keepdims=kept)),
    Row("nansum",      holed(ag.nansum),  holed(np.nansum),  gappy("any", keepdims=kept)),
    Row("nanprod",     holed(ag.nanprod), holed(np.nanprod), gappy("any", keepdims=kept)),
    Row("nanmax",      holed(ag.nanmax),  holed(np.nanmax),  gappy("distinct", keepdims=kept)),
    Row("nanmin",      holed(ag.nanmin),  holed(np.nanmin),  gappy("distinct", keepdims=kept)),
    Row("nanmean",     holed(ag.nanmean), holed(np.nanmean), gappy("any", keepdims=kept)),
    Row("nanvar",      holed(ag.nanvar),  holed(np.nanvar),  gappy("any", keepdims=kept, ddof=st.integers(0, 1))),
    Row("nanstd",      holed(ag.nanstd),  holed(np.nanstd),  gappy("distinct", keepdims=kept, ddof=st.integers(0, 1))),
    Row("average",     lambda x, weights, **params: ag.average(x, weights=weights, **params),
                       lambda x, weights, **params: np.average(x, weights=weights, **params), weighted()),
    Row("plain average", ag.average,   np.average,  # which of nothing, along no axis, divides by zero
                       reductions(keepdims=kept).filter(lambda case: case.bases[0].size)),
    Row("median",      ag.median,      np.median,        ordered(keepdims=kept)),
    Row("quantile",    ag.quantile,    np.quantile,      ordered(keepdims=kept, q=fraction)),
    Row("percentile",  lambda x, q, **params: ag.percentile(x, np.multiply(q, 90), **params),
                       lambda x, q, **params: np.percentile(x, np.multiply(q, 90), **params),
                       ordered(keepdims=kept, q=fraction)),
    Row("nanmedian",   holed(ag.nanmedian), holed(np.nanmedian), gappy("distinct", keepdims=kept)),
    Row("nanquantile", holed(ag.nanquantile), holed(np.nanquantile),
                       gappy("distinct", keepdims=kept, q=fraction).filter(untangled)),
    Row("nanpercentile", lambda x, q, **params: holed(ag.nanpercentile)(x, q=np.multiply(q, 90), **params),
                       lambda x, q, **params: holed(np.nanpercentile)(x, q=np.multiply(q, 90), **params),
                       gappy("distinct", keepdims=kept, q=fraction).filter(untangled)),
    Row("trapezoid",   ag.trapezoid,   np.trapezoid,     integrated()),
    Row("norm",        ag.norm,        np.linalg.norm,   normed()),
    Row("logsumexp",   ag.logsumexp,   logsumexp,        reductions(keepdims=st.booleans()), exact=False),
    Row("logaddexp.reduce", ag.logsumexp,
                       lambda x, **params: np.logaddexp.reduce(np.multiply(x, 1.0), **params),
                       reductions(keepdims=kept), exact=False),
    Row("softmax",     ag.softmax,     softmax,          reductions(), exact=False),
    Row("log_softmax", ag.log_softmax, lambda x, axis: x - logsumexp(x, axis, True), reductions(),
                       exact=False),
]
# fmt: on
