"""Indexing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_mini as ag
from autograd_mini import core, ops

from .shape import axis, axis_or_none, one, wholly
from .table import Case, Draw, Row, Shape, cased, indexed, indices, shapes


def length(shape: Shape, along: int | None) -> int:
    return int(np.prod(shape)) if along is None else shape[along]


def places(draw: Draw, n: int, shape: Any) -> Any:
    return draw(hnp.arrays(np.int64, shape if n else (0,), elements=st.integers(-n, n - 1) if n else st.just(0)))


@st.composite
def taken(draw: Draw) -> Case:
    shape = draw(shapes())
    along = axis_or_none(draw, shape)
    mode = draw(st.sampled_from(["raise", "wrap", "clip"]))
    read = places(draw, length(shape, along), shapes(max_dims=2)) + (mode != "raise")
    return cased(draw, [shape], ["any"], indices=read, axis=along, mode=mode)


@st.composite
def taken_along(draw: Draw) -> Case:
    shape = draw(shapes())
    along = axis_or_none(draw, shape)
    n = length(shape, along)
    like = list(shape) if along is not None else [0]
    like[along or 0] = draw(st.integers(0, 3)) if n else 0
    spread = [k if i == (along or 0) % len(like) or draw(st.booleans()) else 1 for i, k in enumerate(like)]
    read = draw(hnp.arrays(np.int64, tuple(spread), elements=st.integers(-n, n - 1) if n else st.just(0)))
    return cased(draw, [shape], ["any"], indices=read, axis=along)


@st.composite
def repeated(draw: Draw) -> Case:
    shape = draw(shapes())
    along = axis_or_none(draw, shape)
    each = st.one_of(st.integers(0, 3), hnp.arrays(np.int64, length(shape, along), elements=st.integers(0, 3)))
    return cased(draw, [shape], ["any"], repeats=draw(each), axis=along)


@st.composite
def compressed(draw: Draw) -> Case:
    shape = draw(shapes())
    along = axis_or_none(draw, shape)
    condition = draw(st.lists(st.booleans(), max_size=length(shape, along)))
    return cased(draw, [shape], ["any"], condition=condition, axis=along)


@st.composite
def chosen_by_number(draw: Draw) -> Case:
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3))
    mode = draw(st.sampled_from(["raise", "wrap", "clip"]))
    beyond = 2 * (mode != "raise")
    a = draw(hnp.arrays(np.int64, found.input_shapes[0], elements=st.integers(-beyond, 1 + beyond)))
    return cased(draw, found.input_shapes[1:], ["any"] * 2, a=a, mode=mode)


@st.composite
def selected(draw: Draw) -> Case:
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=4, max_dims=3, min_side=0, max_side=3))
    conditions = [draw(hnp.arrays(bool, shape)) for shape in found.input_shapes[:2]]
    return cased(draw, found.input_shapes[2:], ["any"] * 2, condlist=conditions, default=draw(st.sampled_from([0, 2])))


@st.composite
def updated(draw: Draw) -> Case:
    """An array, an index, and a value that broadcasts to what is there."""
    shape = draw(shapes())
    index = draw(indices(shape))
    there = np.zeros(shape)[index].shape
    value = [n if draw(st.booleans()) else 1 for n in there][draw(st.integers(0, len(there))) :]
    value = [1] * draw(st.integers(0, 1)) + value
    return cased(draw, [shape, tuple(value)], ["any", "any"], index=index)


def spread(x: Any, v: Any, index: Any) -> Any:
    """A copy to write to, and the value as it is written."""
    y = np.array(x, np.result_type(np.asarray(x), np.asarray(v)))
    there = y[index].shape
    return y, np.broadcast_to(v, np.broadcast_shapes(np.shape(v), there)).reshape(there)


def set_at(x: Any, v: Any, index: Any) -> Any:
    if isinstance(x, core.Node):
        return ag.set_at(x, index, v)
    y, v = spread(x, v, index)
    y[index] = v
    return y


def add_at(x: Any, v: Any, index: Any) -> Any:
    if isinstance(x, core.Node):
        return ag.add_at(x, index, v)
    y, v = spread(x, v, index)
    np.add.at(y, index, v)
    return y


def sections(draw: Draw, shape: Shape) -> Any:
    return draw(st.one_of(st.just(1), st.lists(st.integers(-4, 4), max_size=3)))


def kth(draw: Draw, shape: Shape) -> Any:
    k = st.integers(-min(shape), min(shape) - 1)
    return draw(st.one_of(k, st.lists(k, min_size=1, max_size=2)))


def chosen(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs, a, mode: f(a, xs, mode=mode)


def picked(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs, condlist, default: f(condlist, xs, default)


def first(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, condition, axis: f(condition, x, axis)


@st.composite
def masked(draw: Draw) -> Case:
    shape = draw(shapes())
    return cased(draw, [shape], ["any"], condition=draw(hnp.arrays(bool, shape)))


@st.composite
def deleted(draw: Draw) -> Case:
    shape = draw(shapes(min_dims=1))
    along = axis_or_none(draw, shape)
    n = length(shape, along)
    obj = draw(st.one_of(st.slices(n), hnp.arrays(bool, n), *[st.integers(-n, n - 1), st.lists(st.integers(-n, n - 1))]
                         if n else [st.just([])]))  # fmt: skip
    return cased(draw, [shape], ["any"], obj=obj, axis=along)


@st.composite
def inserted(draw: Draw) -> Case:
    """An array, places in it, and a value for each, or the same value for all."""
    shape = draw(shapes(min_dims=1))
    along = axis_or_none(draw, shape)
    n = length(shape, along)
    obj = draw(st.one_of(st.integers(-n, n), st.lists(st.integers(-n, n), min_size=2, max_size=3)))
    rest = () if along is None else shape[:along] + shape[along:][1:] if isinstance(obj, int) else shape
    value = () if draw(st.booleans()) or (along is not None and not isinstance(obj, int)) else rest
    if along is None and not isinstance(obj, int) and draw(st.booleans()):
        value = (len(obj),)
    return cased(draw, [shape, value], ["any", "any"], obj=obj, axis=along)


def sparse(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, trim: f(np.multiply(np.greater(x, 0), x), trim)


def pieced(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: f(x, [x < -1, (x > 0) & (x < 1)], [lambda x: x * x, 3, lambda x, a=2: a * x])


def twice(x: Any) -> Any:
    return x[:, None] * x


unequal = st.integers(1, 4)

# fmt: off
ROWS = [
    Row("getitem",      lambda x, index: x[index], lambda x, index: x[index], indexed(), lists=False),
    Row("ops.getitem",  ops.getitem, lambda x, index: (x if isinstance(x, core.Node) else np.asarray(x))[index],
                        indexed()),
    Row("set_at",       lambda x, v, index: ag.set_at(x, index, v), set_at, updated()),
    Row("add_at",       lambda x, v, index: ag.add_at(x, index, v), add_at, updated()),
    Row("take",         ag.take,         np.take,         taken()),
    Row("take_along_axis", ag.take_along_axis, np.take_along_axis, taken_along(), lists=False),
    Row("repeat",       ag.repeat,       np.repeat,       repeated()),
    Row("extract",      lambda x, condition: ag.extract(condition, x), lambda x, condition: np.extract(condition, x),
                        masked()),
    Row("delete",       ag.delete,       np.delete,       deleted()),
    Row("insert",       lambda x, v, obj, axis: ag.insert(x, obj, v, axis),
                        lambda x, v, obj, axis: np.insert(x, obj, v, axis), inserted()),
    Row("trim_zeros",   sparse(ag.trim_zeros), sparse(np.trim_zeros),
                        one(1, 1, trim=st.sampled_from(["fb", "f", "b", "F", "B"]))),
    Row("piecewise",    pieced(ag.piecewise), pieced(np.piecewise), one(kind="odd"), lists=False),
    Row("apply_along_axis", lambda x, axis, each: ag.apply_along_axis(each, axis, x),
                        lambda x, axis, each: np.apply_along_axis(each, axis, x),
                        one(1, side=1, axis=axis, each=st.sampled_from([np.cumsum, np.ptp, twice]))),
    Row("compress",     first(ag.compress), first(np.compress), compressed()),
    Row("choose",       chosen(ag.choose),  chosen(np.choose),  chosen_by_number()),
    Row("select",       picked(ag.select),  picked(np.select),  selected()),
    Row("sort",         ag.sort,         np.sort,         one(1, kind="distinct", axis=axis)),
    Row("sort flat",    ag.sort,         np.sort,         one(kind="distinct", axis=None)),
    Row("partition",    ag.partition,    np.partition,    one(1, side=1, kind="distinct", kth=kth, axis=axis)),
    Row("partition flat", ag.partition,  np.partition,    one(side=1, kind="distinct", kth=0, axis=None)),
    Row("array_split",  wholly(ag.array_split), wholly(np.array_split), one(1, indices_or_sections=unequal, axis=axis)),
    Row("split",        wholly(ag.split),   wholly(np.split),   one(1, indices_or_sections=sections, axis=axis),
                        lists=False),
    Row("hsplit",       wholly(ag.hsplit),  wholly(np.hsplit),  one(1, indices_or_sections=sections), lists=False),
    Row("vsplit",       wholly(ag.vsplit),  wholly(np.vsplit),  one(2, indices_or_sections=sections), lists=False),
    Row("dsplit",       wholly(ag.dsplit),  wholly(np.dsplit),  one(3, indices_or_sections=sections), lists=False),
    Row("unstack",      wholly(ag.unstack), wholly(getattr(np, "unstack", ag.unstack)),
                        one(1, side=1, axis=axis), lists=False),
]
# fmt: on
