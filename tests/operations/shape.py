"""Operations that move values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .table import (
    Case,
    Draw,
    Row,
    Shape,
    broadcast,
    cased,
    expanded,
    joined,
    permuted,
    reshaped,
    shapes,
    signed,
    spread,
    squeezed,
    stacked,
    swapped,
)


@st.composite
def one(draw: Draw, low: int = 0, high: int = 3, side: int = 0, kind: str = "any", **params: Any) -> Case:
    """One operand, and parameters that are drawn, some knowing its shape."""
    shape = draw(shapes(low, high, side))
    drawn = {name: given(draw, shape) if callable(given) else given for name, given in params.items()}
    drawn = {name: draw(given) if isinstance(given, st.SearchStrategy) else given for name, given in drawn.items()}
    return cased(draw, [shape], [kind], **drawn)


def axis(draw: Draw, shape: Shape) -> int:
    return draw(st.integers(-len(shape), len(shape) - 1))


def axis_or_none(draw: Draw, shape: Shape) -> int | None:
    return axis(draw, shape) if shape and draw(st.booleans()) else None


def two_axes(draw: Draw, shape: Shape) -> list[int]:
    return [signed(draw, i, len(shape)) for i in draw(st.permutations(range(len(shape))))[:2]]


def whole(parts: Any) -> Any:
    """Many results as one."""
    return np.concatenate([np.ravel(part) for part in parts])


def wholly(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs, **params: whole(f(*xs, **params))


def listed(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs, **params: f(xs, **params)


def at_least(f: Callable[..., Any]) -> Callable[..., Any]:
    """One result of one operand, a tuple of results of more."""
    return lambda *xs: f(*xs) if len(xs) == 1 else whole(f(*xs))


@st.composite
def moved(draw: Draw) -> Case:
    shape = draw(shapes())
    n = draw(st.integers(0, len(shape)))
    source, destination = (
        [signed(draw, i, len(shape)) for i in draw(st.permutations(range(len(shape))))[:n]] for _ in range(2)
    )
    alone = n == 1 and draw(st.booleans())
    params = {"source": source, "destination": destination}
    return cased(draw, [shape], ["any"], **{name: x[0] if alone else x for name, x in params.items()})


@st.composite
def some(draw: Draw, *ranks: Callable[[int, int, int], Shape]) -> Case:
    """One to three operands, each of one of the shapes that are made of two common lengths and one of their own."""
    n, m = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    found = [draw(st.sampled_from(ranks))(n, m, draw(st.integers(0, 3))) for _ in range(draw(st.integers(1, 3)))]
    return cased(draw, found, ["any"] * len(found))


BLOCKS: dict[str, Callable[..., Any]] = {
    "alone": lambda a: a,
    "row": lambda a, b: [a, b],
    "grid": lambda a, b, c: [[a, b], [c]],
    "deep": lambda a, b, c: [[[a, b], [c]], [[a, b], [c]]],
}


@st.composite
def blocks(draw: Draw) -> Case:
    h, w, v, k = (draw(st.integers(0, 2)) for _ in range(4))
    found = [(w,), (v,), (k, w + v)] if draw(st.booleans()) else [(h, w), (h, v), (k, w + v)]  # a row may be a vector
    form = draw(st.sampled_from(sorted(BLOCKS)))
    count = {"alone": 1, "row": 2}.get(form, 3)
    return cased(draw, found[:count], ["any"] * count, form=form)


@st.composite
def vectors(draw: Draw) -> Case:
    found = draw(st.lists(st.sampled_from([(), (0,), (1,), (2,), (3,)]), min_size=1, max_size=3))
    params = {"indexing": draw(st.sampled_from(["xy", "ij"])), "sparse": draw(st.booleans())}
    return cased(draw, found, ["any"] * len(found), **params)


@st.composite
def padded(draw: Draw) -> Case:
    mode = draw(st.sampled_from(["constant", "constant", "edge", "reflect", "symmetric", "wrap"]))
    shape = draw(shapes(min_dims=1, min_side=mode != "constant"))
    widths = st.integers(0, 4)
    pairs = st.tuples(widths, widths)
    pad_width = draw(st.one_of(widths, pairs, st.tuples(*[pairs] * len(shape))))
    constant = {"constant_values": draw(st.sampled_from([0, 3, (1, 2)]))} if mode == "constant" else {}
    return cased(draw, [shape], ["any"], pad_width=pad_width, mode=mode, **constant)


@st.composite
def rolled(draw: Draw) -> Case:
    shape = draw(shapes())
    shift, form = st.integers(-4, 4), draw(st.sampled_from(["flat", "one", "two"])) if shape else "flat"
    if form == "two":
        axes = (axis(draw, shape), axis(draw, shape))
        return cased(draw, [shape], ["any"], shift=draw(st.one_of(shift, st.tuples(shift, shift))), axis=axes)
    return cased(draw, [shape], ["any"], shift=draw(shift), axis=axis(draw, shape) if form == "one" else None)


def turns(draw: Draw, shape: Shape) -> Any:
    return draw(st.one_of(st.none(), st.integers(0, len(shape)).map(lambda n: tuple(range(n))), *[
        st.integers(-len(shape), len(shape) - 1)] * bool(shape)))  # fmt: skip


def diagonals(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, offset, axes: f(x, offset, *axes)


def converted(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, dtype: f(x, dtype)


def filled(draw: Draw, shape: Shape) -> Any:
    return draw(st.sampled_from([0, (2, 0)] if 0 in shape else [(), 3, (2, 3), (5, 1), 0]))


number = st.integers(-3, 3)
reps = st.one_of(st.integers(0, 3), st.lists(st.integers(0, 3), max_size=4))
dtypes = st.sampled_from(["float64", "float64", "float32", "float16"])

# fmt: off
ROWS = [
    Row("reshape",      ag.reshape,      np.reshape,      reshaped()),
    Row("ravel",        ag.ravel,        np.ravel,        broadcast("any", order=st.sampled_from("CF"))),
    Row("transpose",    ag.transpose,    np.transpose,    permuted()),
    Row("permute_dims", ag.permute_dims, np.permute_dims, permuted()),
    Row("swapaxes",     ag.swapaxes,     np.swapaxes,     swapped()),
    Row("moveaxis",     ag.moveaxis,     np.moveaxis,     moved()),
    Row("rollaxis",     ag.rollaxis,     np.rollaxis,     one(1, axis=axis, start=axis), lists=False),
    Row("matrix_transpose", ag.matrix_transpose, np.matrix_transpose, one(2), lists=False),
    Row("linalg.matrix_transpose", ag.linalg.matrix_transpose, np.linalg.matrix_transpose, one(2), lists=False),
    Row("append",       ag.append,       np.append,       joined(2)),
    Row("resize",       ag.resize,       np.resize,       one(new_shape=filled)),
    Row("squeeze",      ag.squeeze,      np.squeeze,      squeezed()),
    Row("expand_dims",  ag.expand_dims,  np.expand_dims,  expanded()),
    Row("atleast_1d",   at_least(ag.atleast_1d), at_least(np.atleast_1d), some(lambda n, m, k: (n,)[:k])),
    Row("atleast_2d",   at_least(ag.atleast_2d), at_least(np.atleast_2d), some(lambda n, m, k: (n, m, k)[:k])),
    Row("atleast_3d",   at_least(ag.atleast_3d), at_least(np.atleast_3d), some(lambda n, m, k: (n, m, k, 2)[:k + 1])),
    Row("broadcast_to", ag.broadcast_to, np.broadcast_to, spread()),
    Row("broadcast_arrays", wholly(ag.broadcast_arrays), wholly(np.broadcast_arrays), broadcast("any", "any")),
    Row("meshgrid",     wholly(ag.meshgrid), wholly(np.meshgrid), vectors()),
    Row("concatenate",  listed(ag.concatenate), listed(np.concatenate), joined()),
    Row("stack",        listed(ag.stack),       listed(np.stack),  stacked()),
    Row("vstack",       listed(ag.vstack),      listed(np.vstack), some(lambda n, m, k: (n,), lambda n, m, k: (k, n))),
    Row("hstack",       listed(ag.hstack),      listed(np.hstack), some(lambda n, m, k: (n, k, m))),
    Row("hstack of vectors", listed(ag.hstack), listed(np.hstack), some(lambda n, m, k: (), lambda n, m, k: (k,))),
    Row("dstack",       listed(ag.dstack),      listed(np.dstack),
                        some(lambda n, m, k: (n, m), lambda n, m, k: (n, m, k))),
    Row("column_stack", listed(ag.column_stack), listed(np.column_stack),
                        some(lambda n, m, k: (n,), lambda n, m, k: (n, k))),
    Row("block",        lambda *xs, form: ag.block(BLOCKS[form](*xs)), lambda *xs, form: np.block(BLOCKS[form](*xs)),
                        blocks(), lists=False),
    Row("astype",       converted(ag.astype), converted(getattr(np, "astype", ag.astype)),
                        one(dtype=dtypes), lists=False),
    Row("x.astype",     lambda x, dtype: x.astype(dtype), lambda x, dtype: x.astype(dtype), one(dtype=dtypes),
                        lists=False),
    Row("copy",         ag.copy,         np.copy,         one()),
    Row("flip",         ag.flip,         np.flip,         one(axis=turns)),
    Row("flipud",       ag.flipud,       np.flipud,       one(1)),
    Row("fliplr",       ag.fliplr,       np.fliplr,       one(2)),
    Row("rot90",        ag.rot90,        np.rot90,        one(2, k=st.integers(-6, 6), axes=two_axes)),
    Row("roll",         ag.roll,         np.roll,         rolled()),
    Row("tile",         ag.tile,         np.tile,         one(reps=reps)),
    Row("pad",          ag.pad,          np.pad,          padded()),
    Row("tril",         ag.tril,         np.tril,         one(1, k=number)),
    Row("triu",         ag.triu,         np.triu,         one(1, k=number)),
    Row("diag",         ag.diag,         np.diag,         one(1, 2, k=number)),
    Row("diagflat",     ag.diagflat,     np.diagflat,     one(0, 2, k=number)),
    Row("diagonal",     diagonals(ag.diagonal), diagonals(np.diagonal), one(2, offset=number, axes=two_axes)),
    Row("trace",        diagonals(ag.trace),    diagonals(np.trace),    one(2, offset=number, axes=two_axes)),
]
# fmt: on
