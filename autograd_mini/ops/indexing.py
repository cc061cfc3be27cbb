"""Reading by index, of every kind NumPy has, its adjoint, and writing by index; and what is read that way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core import Node, Operation, primitive, value_of
from .elementwise import where
from .namesake import namesake
from .shape import along, broadcast_to, expand_dims, joined, moveaxis, ravel, reshape, shape_of, stack, stand_in

__all__ = [
    "add_at", "apply_along_axis", "argpartition", "argsort", "array_split", "choose", "compress", "delete", "dsplit",
    "extract", "getitem", "hsplit", "insert", "partition", "piecewise", "repeat", "select", "set_at", "sort", "split",
    "take", "take_along_axis", "trim_zeros", "unstack", "vsplit",
]  # fmt: skip

FEW = 16  # parts of an array that are read from it one by one

# fmt: off
getitem_p = primitive("getitem", lambda x, index: np.asarray(x)[index][()],
                      lambda g, y, x, index: putitem_p(g, index=index, shape=x.shape))
putitem_p: Operation = primitive("putitem", lambda x, index, shape: _put(x, index, shape),
                      lambda g, y, x, index, shape: getitem_p(g, index=index))
# These two could be derived; they are primitives for speed, and to be one node each.
add_at_p  = primitive("add_at",  lambda x, v, index: _added(x, v, index),
                      lambda g, z, x, v, index: g,
                      lambda g, z, x, v, index: getitem_p(g, index=index))
set_at_p: Operation = primitive("set_at",  lambda x, v, index: _set(x, v, index),
                      lambda g, z, x, v, index: set_at_p(g, 0, index=index),
                      lambda g, z, x, v, index: where(_lasting(z.shape, index), getitem_p(g, index=index), 0))
# fmt: on


def _into(total: Any, g: Any, index: Any) -> None:
    if _may_repeat(index):
        total += _put(g, index, total.shape)
    else:
        total[index] += g


getitem_p.op.into = _into  # many parts of one array cost what they hold, not an array of zeros each


def _wide(dtype: Any) -> Any:
    return np.float32 if dtype == np.float16 else dtype  # half precision adds up in single


def _put(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Give zeros with `x` added at `index`, as often as an entry is named there."""
    y = np.zeros(shape, _wide(x.dtype))
    if _may_repeat(index):
        _add(y, x, index)
    else:
        y[index] = x
    y = y.astype(x.dtype, copy=False)
    return y if shape else y[()]  # no view of what a leaf may keep


def _added(x: Any, v: Any, index: Any) -> Any:
    dtype = np.result_type(x, v)
    y = np.array(x, _wide(dtype))
    _add(y, np.broadcast_to(v, y[index].shape), index)  # of fewer axes than the index NumPy 2.4 reads beyond its end
    return y.astype(dtype, copy=False)[()]


def _add(y: Any, v: Any, index: Any) -> None:
    if isinstance(index, np.ndarray) and v.shape == index.shape:
        np.add.at(y, index.ravel(), v.ravel())  # several times faster than with more axes
    else:
        np.add.at(y, index, v)


def _set(x: Any, v: Any, index: Any) -> Any:
    y = np.array(x, np.result_type(x, v))
    y[index] = v
    return y[()]


def _lasting(shape: tuple[int, ...], index: Any) -> Any:
    """Which of the entries written at `index` are not overwritten by a later one."""
    if not _may_repeat(index):
        return True
    writer = np.empty(shape, np.intp)
    order = positions(writer[index].shape)
    writer[index] = order  # NumPy itself says which one lasts
    return writer[index] == order


def _may_repeat(index: Any) -> bool:
    """Whether an index may name an entry twice: only arrays of integers can."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(
        np.ndim(i) and np.asarray(i).dtype.kind in "iu" for i in parts if i is not None and not isinstance(i, slice)
    )


def getitem(x: Any, index: Any) -> Any:
    """Read ``x[index]``: slices, integers, ellipsis, newaxis, boolean masks, integer arrays, in any mixture."""
    return getitem_p(x, index=_kept(index))


def add_at(x: Any, index: Any, value: Any) -> Any:
    """Give `x` with `value` added to ``x[index]``. An entry that is named twice is added to twice."""
    return _updated(add_at_p, x, index, value)


def set_at(x: Any, index: Any, value: Any) -> Any:
    """Give `x` with `value` in place of ``x[index]``, in the dtype to which both promote.

    Of values for the same entry the last one stays, and has all of its gradient.
    """
    return _updated(set_at_p, x, index, value)


def _updated(apply: Operation, x: Any, index: Any, value: Any) -> Any:
    index, shape = _kept(index), shape_of(value)
    beyond = len(shape) - stand_in(shape_of(x))[index].ndim if shape else 0
    if beyond > 0:  # NumPy assigns that too, if it has length 1
        value = reshape(value, shape[beyond:])
    x, value = (np.asarray(v) if isinstance(v, (list, tuple)) else v for v in (x, value))
    return apply(x, value, index=index)


def _kept(index: Any) -> Any:
    """Copy the parts of an index that could change before the rule reads them."""
    if isinstance(index, tuple):
        return tuple([_kept(part) for part in index])
    if isinstance(index, list):
        own = np.array(index)
        return own if own.size else own.astype(np.intp)  # an empty list names no entry, and is no list of floats
    return index.copy() if isinstance(index, np.ndarray) else index


def class_ids(ids: Any, classes: int) -> Any:
    """Take ids of classes from 0 to `classes` - 1, in an array of their own; refuse any others."""
    ids = np.asarray(value_of(ids))
    if ids.dtype.kind not in "iu":
        raise TypeError(f"class ids are integers, not {ids.dtype}: use ids.astype(int)")
    own = ids.astype(np.intp)
    if own.size and np.maximum.reduce(own.view(np.uintp), axis=None) >= classes:  # a negative one is huge without sign
        raise IndexError(f"class ids of {classes} classes are from 0 to {classes - 1}, not {ids.min()} to {ids.max()}")
    return own


def positions(shape: tuple[int, ...]) -> Any:
    """Give the number of each entry of an array of that shape, for NumPy to move as it moves entries."""
    return np.arange(math.prod(shape)).reshape(shape)


def _line(x: Any, axis: int | None) -> tuple[Any, int, Any]:
    """Give `x`, flattened if there is no axis, the axis counted from the front, and the number of each place on it."""
    x, axis = (ravel(x), 0) if axis is None else (x, normalize_axis_index(axis, x.ndim))
    return x, axis, np.arange(x.shape[axis])


# -- entries, chosen -----------------------------------------------------------------------------------


@namesake(np.take)
def take(a: Any, indices: Any, axis: int | None = None, *, mode: Any = "raise") -> Any:
    """Read the given places along `axis`, or of the flattened `a`. `mode` is for those that do not exist."""
    a, axis, places = _line(a, axis)
    return along(a, axis, np.take(places, indices, mode=mode))


@namesake(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """Read the given place of each line along `axis`, as `argsort` and `argmax` give them."""
    return ravel(arr)[np.take_along_axis(positions(arr.shape), np.asarray(indices), axis)]


@namesake(np.repeat)
def repeat(a: Any, repeats: int | Sequence[int], axis: int | None = None) -> Any:
    """Repeat each entry along `axis`, or of the flattened `a`: all as often, or each as often as is said."""
    (a, axis, places), counts = _line(a, axis), np.asarray(repeats)
    if counts.ndim:
        return along(a, axis, np.repeat(places, counts))
    n, before, (length, *after) = counts.tolist(), a.shape[:axis], a.shape[axis:]
    copies = broadcast_to(expand_dims(a, axis + 1), (*before, length, n, *after))
    return reshape(copies, (*before, length * n, *after))


@namesake(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    """Read the places along `axis`, or of the flattened `a`, at which the vector `condition` holds."""
    a, axis, places = _line(a, axis)
    return along(a, axis, np.compress(np.asarray(condition), places))


@namesake(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """Read the entries of `arr` at which `condition`, of the same size, holds."""
    return compress(np.ravel(condition), arr)


@namesake(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """Leave out the places `obj` along `axis`, or of the flattened `arr`: a slice, integers or a mask."""
    arr, axis, places = _line(arr, axis)
    return along(arr, axis, np.delete(places, _places(obj)))


@namesake(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Put `values` before the places `obj` along `axis`, or of the flattened `arr`."""
    arr, values = (x if isinstance(x, Node) else np.asarray(x) for x in (arr, values))
    order = np.insert(positions(arr.shape), _places(obj), arr.size + positions(values.shape), axis)
    return joined(arr.dtype, arr, values)[order]


def _places(obj: Any) -> Any:
    if isinstance(obj, Node):
        raise TypeError("places are integers, which have no derivative: pass t.data.astype(int)")
    return obj


@namesake(np.trim_zeros)
def trim_zeros(filt: Any, trim: Any = "fb") -> Any:
    """Leave out the zeros in front of a vector ("f" in `trim`) and behind it ("b")."""
    if filt.ndim != 1:
        raise ValueError(f"trim_zeros of a Tensor is of a vector, not of shape {filt.shape}: slice it")
    size = np.trim_zeros(filt.value, trim).size  # or it refuses
    start = int(np.argmax(filt.value != 0)) if size and "f" in trim.lower() else 0
    return filt[start : start + size]


@namesake(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Apply each function, or put each number, where its condition holds; a function more is for everywhere else."""
    conditions = np.asarray(condlist, bool)
    if conditions.ndim == x.ndim:
        conditions = conditions[None]
    if len(funclist) == len(conditions) + 1:
        conditions = np.concatenate([conditions, ~np.any(conditions, axis=0, keepdims=True)])
    y = where(False, x, 0)
    for condition, f in zip(conditions, funclist, strict=True):
        if np.any(condition):
            y = set_at(y, condition, f(x[condition], *args, **kw) if callable(f) else f)
    return y


@namesake(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function with every vector along `axis`, and put what it gives in its place."""
    axis = normalize_axis_index(axis, arr.ndim)
    lines = moveaxis(arr, axis, -1)
    shape = lines.shape[:-1]
    if 0 in shape:
        raise ValueError(f"apply_along_axis has no vector to call with along axis {axis} of shape {arr.shape}")
    rows = reshape(lines, (math.prod(shape), lines.shape[-1]))
    found = stack([func1d(row, *args, **kwargs) for row in unstack(rows)])
    inner = len(found.shape) - 1
    y = reshape(found, (*shape, *found.shape[1:]))
    return moveaxis(y, range(len(shape), len(shape) + inner), range(axis, axis + inner))


@namesake(np.choose)
def choose(a: Any, choices: Sequence[Any], *, mode: Any = "raise") -> Any:
    """Take each entry from the choice whose number `a` has there; all broadcast. `mode` is for unknown numbers."""
    numbers = np.choose(np.asarray(a), np.arange(len(choices)), mode=mode)
    return select([numbers == i for i in range(len(choices))], choices)


@namesake(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Take each entry from the first choice whose condition holds there, else `default`; all broadcast."""
    conditions = [np.asarray(condition) for condition in condlist]
    np.select(conditions, [stand_in(shape_of(x)) for x in choicelist], stand_in(shape_of(default)))  # or it refuses
    *choices, y = _of_one_dtype([*choicelist, default])
    for condition, x in zip(conditions[::-1], choices[::-1], strict=True):
        y = where(condition, x, y)
    return y


def _of_one_dtype(xs: list[Any]) -> list[Any]:
    """Give Python's numbers the dtype to which all promote: beside one another they would become float64."""
    weak = [type(x) in (bool, int, float) for x in xs]
    dtype = np.result_type(*(x if w else np.asarray(value_of(x)) for x, w in zip(xs, weak, strict=True)))
    return [dtype.type(x) if w else x for x, w in zip(xs, weak, strict=True)]


# -- entries, in order ---------------------------------------------------------------------------------


@namesake(np.sort)
def sort(a: Any, axis: int | None = -1) -> Any:
    """Put the entries along `axis`, or of the flattened `a`, in order. Entries that tie stay in theirs."""
    return take_along_axis(a, argsort(a, axis), axis)


@namesake(np.argsort)
def argsort(a: Any, axis: int | None = -1) -> Any:
    """Give the places, a plain array, from which `sort` takes the entries."""
    return np.argsort(a.value, axis, kind="stable")


@namesake(np.partition)
def partition(a: Any, kth: Any, axis: int | None = -1) -> Any:
    """Put entry number `kth` in its place along `axis`, smaller ones before it. Those that tie stay in order."""
    return take_along_axis(a, argpartition(a, kth, axis), axis)


@namesake(np.argpartition)
def argpartition(a: Any, kth: Any, axis: int | None = -1) -> Any:
    """Give the places, a plain array, from which `partition` takes the entries."""
    parted = np.partition(a.value, kth, axis)
    rank = np.argsort(np.argsort(parted, axis, kind="stable"), axis)
    return np.take_along_axis(argsort(a, axis), rank, axis)  # NumPy's own order, but stable


# -- parts ---------------------------------------------------------------------------------------------


@namesake(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Cut into a list of so many parts along `axis`, as equal as can be, or before the given places."""
    return _cut(np.array_split, ary, indices_or_sections, axis)


@namesake(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Cut into a list of so many equal parts along `axis`, or before the given places."""
    return _cut(np.split, ary, indices_or_sections, axis)


@namesake(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the first of at least two axes, like `split`."""
    if ary.ndim < 2:
        raise ValueError(f"vsplit cuts arrays of two axes or more, not of shape {ary.shape}: use split")
    return split(ary, indices_or_sections, 0)


@namesake(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the second axis, or along the only one, like `split`."""
    return split(ary, indices_or_sections, 0 if ary.ndim == 1 else 1)


@namesake(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the third axis, like `split`."""
    return split(ary, indices_or_sections, 2)


def _cut(theirs: Any, ary: Any, indices_or_sections: Any, axis: int) -> list[Any]:
    ary, axis, places = _line(ary, axis)
    parts = theirs(places, np.asarray(indices_or_sections))
    return _apart(ary, axis, [(int(part[0]), int(part[-1]) + 1) if part.size else (0, 0) for part in parts], slice)


def _apart(x: Any, axis: int, spans: Sequence[tuple[int, int]], read: Callable[..., Any], origin: int = 0) -> list[Any]:
    """Read spans of the axis, of which `x` begins at `origin`: each by the index that `read` makes of it.

    Many are read from parts that hold several: when the way back is recorded, each makes an array as large as what it
    was read from.
    """
    if len(spans) <= FEW:
        return [along(x, axis, read(start - origin, stop - origin)) for start, stop in spans]
    found, size = [], -(-len(spans) // FEW)
    for i in range(0, len(spans), size):
        group = spans[i : i + size]
        low, high = min(start for start, _ in group), max(stop for _, stop in group)
        found += _apart(along(x, axis, slice(low - origin, high - origin)), axis, group, read, low)
    return found


@namesake(getattr(np, "unstack", None))
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """Give a tuple of the parts of `x` at each place along `axis`."""
    x, axis, places = _line(x, axis)
    return tuple(_apart(x, axis, [(i, i + 1) for i in places.tolist()], lambda start, stop: start))
