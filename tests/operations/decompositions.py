"""Inverses, determinants, factorisations and norms; of vectors with arbitrary signs, what does not depend on them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .table import Case, Draw, Row, axes, cased, reduced, shapes, signed

inf = np.inf


def steep(x: Any, slope: int = 8) -> Any:
    """Make a matrix well conditioned, with singular values far apart."""
    diagonal = slope * np.eye(*x.shape[-2:]) * (1 + np.arange(x.shape[-1]))
    return x + diagonal.astype(x.dtype)


def symmetric(x: Any) -> Any:
    return steep(x + x.mT, 32)


def projected(v: Any) -> Any:
    """Weigh the projections on vectors: their signs cancel."""
    return (v * np.arange(1, 1 + v.shape[-1], dtype=v.dtype)) @ v.mT


@st.composite
def stacked(draw: Draw, square: bool = True, min_side: int = 0, **params: Any) -> Case:
    """Matrices in a stack of up to two axes, without a zero: the absolute value has a kink there."""
    sides = st.sampled_from([n for n in (2, 3, 1, 0) if n >= min_side])
    m, n = draw(sides), draw(sides)
    shape = (*draw(st.lists(st.sampled_from([2, 1, 0]), max_size=2)), m, m if square else n)
    return cased(draw, [shape], ["odd"], **{name: draw(values) for name, values in params.items()})


@st.composite
def systems(draw: Draw) -> Case:
    """Matrices, and a vector or matrices, in stacks that broadcast."""
    n, stack = draw(st.sampled_from([2, 3, 1, 0])), draw(st.lists(st.sampled_from([2, 1, 0]), max_size=2))
    left, right = ([draw(st.sampled_from([k, 1])) for k in stack][draw(st.integers(0, len(stack))) :] for _ in range(2))
    b = (n,) if draw(st.booleans()) else (*right, n, draw(st.integers(0, 3)))
    return cased(draw, [(*left, n, n), b], ["any", "any"])


@st.composite
def fitted(draw: Draw) -> Case:
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    b = (m,) if draw(st.booleans()) else (m, draw(st.integers(1, 3)))
    return cased(draw, [(m, n), b], ["any", "any"])


@st.composite
def chains(draw: Draw) -> Case:
    """Two to five matrices to multiply; the first and the last may be vectors."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=3, max_size=6))
    found: list[tuple[int, ...]] = list(pairwise(sizes))
    if draw(st.booleans()):
        found[0] = found[0][1:]
    if draw(st.booleans()):
        found[-1] = found[-1][:1]
    return cased(draw, found, ["any"] * len(found))


@st.composite
def normed(draw: Draw) -> Case:
    shape = draw(shapes())
    axis = axes(draw, len(shape))
    if not reduced(shape, axis):
        shape = tuple(max(n, 1) for n in shape)
    ord = draw(st.sampled_from([2, 1, 3, 1.5, 0.5, -1, inf, -inf]))
    kind = "distinct" if ord in (inf, -inf) else "nonzero"
    bases, views, params = cased(draw, [shape], [kind], axis=axis, ord=ord, keepdims=draw(st.booleans()))
    return Case(tuple(x + 1 / 64 for x in bases), views, params)  # no opposite numbers, which would tie, and no zeros


X4 = np.random.default_rng(0).integers(-128, 129, (2, 2, 2, 2)) / 64


def mapped(x: Any) -> Any:
    """Make a map of four entries to four well conditioned."""
    return x + (8 * np.eye(4) * (1 + np.arange(4))).reshape(x.shape).astype(x.dtype)


@st.composite
def matrices_along(draw: Draw, **params: Any) -> Case:
    """Matrices along any two axes of an array; the identity is added along the last two."""
    shape = draw(shapes(min_dims=2, min_side=1))
    axes = tuple(signed(draw, i, len(shape)) for i in draw(st.permutations(range(len(shape))))[:2])
    return cased(draw, [shape], ["any"], axis=axes, **{name: draw(values) for name, values in params.items()})


@st.composite
def shifted(draw: Draw) -> Case:
    return cased(draw, [draw(shapes(min_dims=2))], ["any"], offset=draw(st.integers(-3, 3)))


@st.composite
def vectors(draw: Draw) -> Case:
    return cased(draw, [(draw(st.integers(0, 3)),) for _ in range(2)], ["any"] * 2)


def row(name: str, f: Callable[..., Any], cases: st.SearchStrategy[Case], halves: bool = False) -> Row:
    """A function of a namespace, which is ours or `numpy.linalg`."""

    def within(namespace: Any) -> Callable[..., Any]:
        return lambda *xs, **params: f(namespace, *xs, **params)

    return Row(name, within(ag.linalg), within(np.linalg), cases, lists=False, halves=halves)


triangle = st.sampled_from("LU")

# fmt: off
ROWS = [
    row("inv",          lambda la, x: la.inv(steep(x)),                        stacked()),
    row("pinv",         lambda la, x: la.pinv(steep(x)),                       stacked(square=False)),
    row("solve",        lambda la, a, b: la.solve(steep(a), b),                systems()),
    row("lstsq",        lambda la, a, b: la.lstsq(steep(a), b)[0],             fitted()),
    row("matrix_power", lambda la, x, n: la.matrix_power(steep(x) / 8, n),     stacked(n=st.integers(-3, 6))),
    row("multi_dot",    lambda la, *xs: la.multi_dot(list(xs)),                chains(), halves=True),
    row("det",          lambda la, x: la.det(x),                               stacked()),
    row("slogdet",      lambda la, x: la.slogdet(steep(x)).logabsdet,          stacked()),
    row("slogdet sign", lambda la, x: la.slogdet(x).sign * la.det(x),          stacked()),
    row("cholesky",     lambda la, x, upper: la.cholesky(symmetric(x), upper=upper), stacked(upper=st.booleans())),
    row("qr Q",         lambda la, x: projected(la.qr(steep(x)).Q),                     stacked(square=False)),
    row("qr R",         lambda la, x: projected(la.qr(steep(x)).R.mT),                     stacked(square=False)),
    row("qr r",         lambda la, x: projected(la.qr(steep(x), "r").mT),                  stacked(square=False)),
    row("eigh values",  lambda la, x, UPLO: la.eigh(symmetric(x), UPLO).eigenvalues, stacked(UPLO=triangle)),
    row("eigh vectors", lambda la, x, UPLO: projected(la.eigh(symmetric(x), UPLO).eigenvectors),
                        stacked(UPLO=triangle)),
    row("eigvalsh",     lambda la, x, UPLO: la.eigvalsh(symmetric(x), UPLO),   stacked(UPLO=triangle)),
    row("svd U",        lambda la, x: projected(la.svd(steep(x), full_matrices=False).U),  stacked(square=False)),
    row("svd S",        lambda la, x: la.svd(steep(x), full_matrices=False).S,       stacked(square=False)),
    row("svd Vh",       lambda la, x: projected(la.svd(steep(x), full_matrices=False).Vh.mT), stacked(square=False)),
    row("svd",          lambda la, x: operator_norms(*la.svd(steep(x))),       stacked()),
    row("svdvals",      lambda la, x: la.svdvals(steep(x)),                    stacked(square=False)),
    row("svd of values", lambda la, x: la.svd(steep(x), compute_uv=False),     stacked(square=False)),
    row("vector_norm",  lambda la, x, **params: la.vector_norm(x, **params),   normed(), halves=True),
    row("matrix_norm",  lambda la, x, **params: la.matrix_norm(steep(x), **params),
                        stacked(square=False, min_side=1, keepdims=st.booleans(),
                                ord=st.sampled_from(["fro", "nuc", 1, -1, 2, -2, inf, -inf]))),
    row("norm of matrices", lambda la, x, **params: la.norm(steep(x), **params),
                        matrices_along(keepdims=st.booleans(),
                                       ord=st.sampled_from(["fro", "nuc", 1, -1, 2, -2, inf, -inf]))),
    row("linalg.diagonal", lambda la, x, offset: la.diagonal(x, offset=offset),   shifted(), halves=True),
    row("linalg.trace", lambda la, x, offset: la.trace(x, offset=offset),      shifted(), halves=True),
    row("linalg.outer", lambda la, x, y: la.outer(x, y),                       vectors(), halves=True),
    row("tensorinv",    lambda la, x, ind: la.tensorinv(mapped(x), ind),       st.sampled_from([
                        Case((X4,), ("itself",), {"ind": 2}), Case((X4.reshape(4, 2, 2),), ("itself",), {"ind": 1})])),
    row("tensorsolve",  lambda la, a, b, axes: la.tensorsolve(mapped(a), b, axes), st.sampled_from([
                        Case((X4, X4[0, 0]), ("itself",) * 2, {"axes": None}),
                        Case((X4.reshape(2, 4, 2), X4[0, 1]), ("itself",) * 2, {"axes": [1]}),
                        Case((X4, X4[0, 0]), ("itself", "transposed"), {"axes": (0, 2)})])),
    row("cond",         lambda la, x, p: la.cond(steep(x), p),
                        stacked(min_side=2, p=st.sampled_from([None, 2, -2, "fro", "nuc", 1, -1, inf, -inf]))),
]
# fmt: on


def operator_norms(u: Any, s: Any, v: Any) -> Any:
    """Multiply the vectors on both sides: their signs cancel."""
    return u @ v * s[..., None, :]
