"""Products of vectors, matrices and arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .table import Case, Draw, Row, cased, matrices, shapes, signed

FORMS = [
    "i->", "i", "ij->", "ij->j", "ij->ji", "ji", "ii", "ii->", "ii->i", "iii->i", "iij->ji", "iji", "iijj->ij",
    "...", "...->...", "...i->...", "i...->...i", "...ii->...i", "...ij->...ji", "b...a", " i j -> j ",
    "i,i", "i,i->i", "i,j", "i,j->ji", "ij,jk", "ij,jk->ik", "ij,kj->", "ij,i->j", "ij,k->jk", "ii,i", "ii,ij->j",
    "ij,ij->ij", "Ba,aA", ",i->i", ",", "...,...", "...ij,...jk", "...i,i...->...", "i...,...i->i...", "...i,j->j...",
    "ij,jk,kl", "i,i,i", "ii,ij,jj->", "i,ij,j->", "...i,ij,...j->...", "i,j,k->kji",
]  # fmt: skip


@st.composite
def summed(draw: Draw, form: str | None = None) -> Case:
    """Subscripts and operands that fit, with ellipses of ranks that differ and broadcast, and labels of length 1."""
    subscripts = form or draw(st.sampled_from(FORMS))
    terms = subscripts.replace(" ", "").partition("->")[0].split(",")
    lengths = {label: draw(st.sampled_from([2, 3, 1, 0])) for label in sorted(set("".join(terms)) - {"."})}
    covered = draw(st.lists(st.sampled_from([2, 3, 1]), max_size=2))

    def shape(term: str) -> tuple[int, ...]:
        before, dots, after = term.partition("...")
        alone = len(set(term)) == len(term)  # a label that is there twice has one length
        sides = [
            [1 if alone and draw(st.integers(0, 5)) == 0 else lengths[i] for i in part] for part in (before, after)
        ]
        stack = (
            [draw(st.sampled_from([n, n, 1])) for n in covered[draw(st.integers(0, len(covered))) :]] if dots else []
        )
        return (*sides[0], *stack, *sides[1])

    found = [shape(term) for term in terms]
    return cased(draw, found, ["any"] * len(found), subscripts=subscripts, optimize=draw(st.booleans()))


def listed(subscripts: str) -> list[list[Any]]:
    """The subscripts as lists of labels."""
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    labels = sorted(set(given) - {".", ","})
    terms = [*given.split(","), *([result] if arrow else [])]
    return [[... if part == "." else labels.index(part) for part in term.replace("...", ".")] for term in terms]


def interleaved(function: Any, xs: Sequence[Any], subscripts: str, optimize: bool) -> Any:
    lists = listed(subscripts)
    pairs = [part for x, labels in zip(xs, lists, strict=False) for part in (x, labels)]
    return function(*pairs, *lists[len(xs) :], optimize=optimize)


@st.composite
def contracted(draw: Draw) -> Case:
    """Two operands, and the axes over which `tensordot` sums, in each of its forms."""
    count = draw(st.integers(0, 2))
    lengths = [draw(st.integers(1, 3)) for _ in range(count)]
    rest = [draw(st.lists(st.integers(0, 3), max_size=2)) for _ in range(2)]
    if draw(st.booleans()):
        return cased(draw, [(*rest[0], *lengths), (*lengths, *rest[1])], ["any"] * 2, axes=count)
    found, chosen = [], []
    for kept in rest:
        ndim = count + len(kept)
        places = draw(st.permutations(range(ndim)))[:count]
        others = iter(kept)
        found.append(tuple(lengths[places.index(i)] if i in places else next(others) for i in range(ndim)))
        chosen.append([signed(draw, i, ndim) for i in places])
    axes: Any = (chosen[0][0], chosen[1][0]) if count == 1 and draw(st.booleans()) else chosen
    return cased(draw, found, ["any"] * 2, axes=axes)


@st.composite
def dotted(draw: Draw, last: bool) -> Case:
    """Operands of `dot`, or of `inner`, which sums over the `last` axis of both: numbers, vectors or more."""
    n = draw(st.integers(0, 3))
    left = draw(st.sampled_from([(), (n,), (2, n), (2, 1, n)]))
    right = draw(st.sampled_from([(), (n,), (3, n) if last else (n, 3), (2, 3, n) if last else (2, n, 3)]))
    return cased(draw, [left, right], ["any"] * 2)


@st.composite
def pairs(draw: Draw, same_size: bool = False) -> Case:
    left = draw(shapes())
    right = left[::-1] if same_size else draw(shapes())
    return cased(draw, [left, right], ["any"] * 2)


@st.composite
def crossed(draw: Draw, together: bool = False) -> Case:
    """Vectors of three components along one axis of each operand, or of both; what is left broadcasts."""
    stack = draw(st.lists(st.integers(0, 3), max_size=2))
    found, chosen = [], []
    for _ in range(2):
        rest = [draw(st.sampled_from([n, 1])) for n in stack][draw(st.integers(0, len(stack))) :]
        axis = draw(st.integers(0, len(rest)))
        chosen.append(signed(draw, axis, len(rest) + 1))
        found.append((*rest[:axis], 3, *rest[axis:]))
    ndim = max(map(len, found))
    axisc = signed(draw, draw(st.integers(0, ndim - 1)), ndim)
    if together or draw(st.booleans()):
        axis = draw(st.integers(0, len(stack)))
        shape = (*stack[:axis], 3, *stack[axis:])
        return cased(draw, [shape, shape], ["any"] * 2, axis=signed(draw, axis, len(shape)))
    return cased(draw, found, ["any"] * 2, axisa=chosen[0], axisb=chosen[1], axisc=axisc)


@st.composite
def mixed(draw: Draw, vector: int) -> Case:
    """A matrix and a vector, operand number `vector`, each in a stack; the stacks broadcast."""
    inner, outer = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    stack = draw(st.lists(st.integers(0, 2), max_size=2))
    left, right = ([draw(st.sampled_from([n, 1])) for n in stack][draw(st.integers(0, len(stack))) :] for _ in range(2))
    found = [(*left, outer, inner), (*right, inner)] if vector else [(*left, inner), (*right, inner, outer)]
    return cased(draw, found, ["any"] * 2)


@st.composite
def crossed_out(draw: Draw) -> Case:
    """Two arrays that broadcast, and the axis over which to sum; it is counted from the end, or they have as many."""
    n = draw(st.integers(0, 3))
    stack = [draw(st.lists(st.sampled_from([1, 2]), min_size=2, max_size=3)) for _ in range(2)]
    axis = draw(st.integers(-3, 2 if len(stack[0]) == len(stack[1]) else -1))
    places = [axis if axis >= 0 else len(shape) + 1 + axis for shape in stack]
    found = [(*shape[:i], n, *shape[i:]) for i, shape in zip(places, stack, strict=True)]
    return cased(draw, found, ["any"] * 2, axis=axis)


# fmt: off
ROWS = [
    Row("x @ y",       operator.matmul,   operator.matmul,   matrices(), lists=False),
    Row("matmul",      ag.matmul,      np.matmul,        matrices()),
    Row("einsum",      lambda *xs, subscripts, optimize: ag.einsum(subscripts, *xs, optimize=optimize),
                       lambda *xs, subscripts, optimize: np.einsum(subscripts, *xs, optimize=optimize), summed()),
    Row("einsum by lists", lambda *xs, **params: interleaved(ag.einsum, xs, **params),
                       lambda *xs, **params: interleaved(np.einsum, xs, **params), summed(), lists=False),
    Row("tensordot",   ag.tensordot,   np.tensordot,     contracted()),
    Row("dot",         ag.dot,         np.dot,           dotted(last=False)),
    Row("inner",       ag.inner,       np.inner,         dotted(last=True)),
    Row("vecdot",      ag.vecdot,      np.vecdot,        crossed_out()),
    Row("linalg.vecdot", ag.linalg.vecdot, np.linalg.vecdot, crossed_out()),
    Row("linalg.matmul", ag.linalg.matmul, np.linalg.matmul, matrices()),
    Row("linalg.tensordot", ag.linalg.tensordot, np.linalg.tensordot, contracted()),
    Row("linalg.cross", ag.linalg.cross, np.linalg.cross, crossed(together=True)),
    Row("vdot",        ag.vdot,        np.vdot,          pairs(same_size=True)),
    Row("outer",       ag.outer,       np.outer,         pairs()),
    Row("kron",        ag.kron,        np.kron,          pairs()),
    Row("cross",       ag.cross,       np.cross,         crossed()),
    Row("matvec",      ag.matvec,      getattr(np, "matvec", ag.matvec), mixed(1)),
    Row("vecmat",      ag.vecmat,      getattr(np, "vecmat", ag.vecmat), mixed(0)),
]
# fmt: on
