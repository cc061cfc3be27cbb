"""Operations that move values without changing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.typing import DTypeLike

from ..core import Operation, primitive
from .namesake import namesake

__all__ = [
    "append", "astype", "atleast_1d", "atleast_2d", "atleast_3d", "block", "broadcast_arrays", "broadcast_to",
    "column_stack", "concatenate", "copy", "dstack", "expand_dims", "hstack", "matrix_transpose", "meshgrid",
    "moveaxis", "permute_dims", "ravel", "reshape", "rollaxis", "squeeze", "stack", "swapaxes", "transpose", "vstack",
]  # fmt: skip

Axes = int | tuple[int, ...] | None


def shape_of(x: Any) -> tuple[int, ...]:
    """``numpy.shape(x)``, without the detour through NumPy for what has a shape."""
    try:
        shape: tuple[int, ...] = x.shape
    except AttributeError:
        shape = np.shape(x)
    return shape


# fmt: off
reshape_p: Operation = primitive("reshape",   lambda x, shape, order: np.reshape(x, shape, order=order)[()],
                        lambda g, y, x, shape, order: reshape_p(g, shape=x.shape, order=order))
transpose_p: Operation = primitive("transpose", lambda x, axes: np.transpose(x, axes),
                        lambda g, y, x, axes: transpose_p(g, axes=tuple(np.argsort(axes).tolist())))
identity_p  = primitive("identity",  lambda x: x,  # stands in for a Tensor where its other uses are not meant
                        lambda g, y, x: g)
broadcast_p = primitive("broadcast", lambda x, shape: _broadcast(x, shape),
                        lambda g, y, x, shape: g)  # the engine sums it back
astype_p    = primitive("astype",    lambda x, dtype: x.astype(dtype),
                        lambda g, y, x, dtype: g)  # the engine casts it back
concatenate_p = primitive("concatenate", lambda *xs, axis: np.concatenate(xs, axis),
                          lambda g, z, *xs, axis, position: _part(g, xs, axis, position), variadic=True)
# fmt: on


def _broadcast(x: Any, shape: int | Sequence[int]) -> Any:
    if isinstance(x, np.generic) and isinstance(shape, tuple):  # seven times faster, and every loss comes here
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))[()]
    return np.broadcast_to(x, shape)[()]


def stand_in(shape: int | Sequence[int]) -> Any:
    """Give something of that shape and of no size, for NumPy to say what it would make of it."""
    return _broadcast(np.False_, shape)


def along(x: Any, axis: int, part: Any) -> Any:
    """Read the given part of one axis, counted from the front, and all of the others."""
    return x[(slice(None),) * axis + (part,)]


def _part(g: Any, xs: tuple[Any, ...], axis: int, position: int) -> Any:
    """Give the slice of a concatenation that operand number `position` filled."""
    start = sum(map(itemgetter(axis), map(attrgetter("shape"), xs[:position])))  # of a thousand operands, in C
    return along(g, axis, slice(start, start + xs[position].shape[axis]))


def reshape(x: Any, shape: int | Sequence[int], order: str = "C") -> Any:
    """Give the entries of `x` another shape; one length may be -1. `order` is "C" or "F", as in NumPy."""
    if order not in ("C", "F"):
        raise ValueError(f"order is 'C' or 'F', not {order!r}: the others depend on how the memory happens to lie")
    return reshape_p(x, shape=shape, order=order)


def ravel(x: Any, order: str = "C") -> Any:
    """Give the entries of `x` along one axis."""
    return reshape(x, -1, order)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Permute the axes of `x`; reverse them by default."""
    ndim = len(shape_of(x))
    order = tuple(range(ndim))[::-1] if axes is None else normalize_axis_tuple(axes, ndim, "axes")
    return transpose_p(x, axes=order)


permute_dims = transpose


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Interchange two axes of `x`."""
    axes = list(range(len(shape_of(x))))
    i, j = normalize_axis_index(axis1, len(axes)), normalize_axis_index(axis2, len(axes))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose_p(x, axes=tuple(axes))


@namesake(np.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    """Transpose matrices: interchange the last two axes."""
    return x.mT


def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Move axes of `a` to other places; the others keep their order."""
    return _permuted(np.moveaxis, a, source, destination)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """Move one axis of `a` back to before the place `start`."""
    return _permuted(np.rollaxis, a, axis, start)


def _permuted(theirs: Callable[..., Any], x: Any, *params: Any) -> Any:
    """Permute the axes of `x` as a function of NumPy permutes those of an array whose strides name them."""
    ndim = len(shape_of(x))
    axes = np.ndarray((1,) * ndim, np.bool_, b"\0", 0, range(ndim))
    return transpose_p(x, axes=theirs(axes, *params).strides)


def squeeze(x: Any, axis: Axes = None) -> Any:
    """Leave out axes of length 1: all of them, or those named, which must have it."""
    shape = shape_of(x)
    if axis is None:
        axes = tuple(i for i, n in enumerate(shape) if n == 1)
    else:
        axes = normalize_axis_tuple(axis, len(shape))
        if any(shape[i] != 1 for i in axes):
            raise ValueError(f"squeeze leaves out axes of length 1, and axis {axis} of shape {shape} is not one")
    return reshape_p(x, shape=tuple(n for i, n in enumerate(shape) if i not in axes), order="C")


def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Any:
    """Insert axes of length 1, at the places they have in the result."""
    shape = list(shape_of(x))
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    for i in sorted(normalize_axis_tuple(axis, len(shape) + count)):
        shape.insert(i, 1)
    return reshape_p(x, shape=tuple(shape), order="C")


def broadcast_to(x: Any, shape: int | tuple[int, ...]) -> Any:
    """Repeat `x` to the given shape, by NumPy's rules of broadcasting."""
    return broadcast_p(x, shape=shape)


@namesake(np.broadcast_arrays)
def broadcast_arrays(*args: Any) -> Any:
    """Repeat all operands to the one shape to which they broadcast; give a tuple."""
    shape = np.broadcast_shapes(*map(shape_of, args))
    return tuple(broadcast_to(x, shape) for x in args)


@namesake(np.meshgrid)
def meshgrid(*xi: Any, indexing: Any = "xy", sparse: bool = False) -> Any:
    """Give each coordinate at every point of the grid that vectors of coordinates span; a tuple."""
    grids = np.meshgrid(*map(stand_in, map(shape_of, xi)), indexing=indexing, sparse=True)
    grids = tuple(reshape(x, grid.shape) for x, grid in zip(xi, grids, strict=True))
    return grids if sparse else broadcast_arrays(*grids)


@namesake(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    """Give what has no axis one of length 1; of several operands, a tuple."""
    return _at_least(np.atleast_1d, arys)


@namesake(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    """Give what has fewer than two axes further ones of length 1, in front; of several operands, a tuple."""
    return _at_least(np.atleast_2d, arys)


@namesake(np.atleast_3d)
def atleast_3d(*arys: Any) -> Any:
    """Give what has fewer than three axes further ones of length 1, round it; of several operands, a tuple."""
    return _at_least(np.atleast_3d, arys)


def _at_least(theirs: Callable[..., Any], arys: tuple[Any, ...]) -> Any:
    found = tuple(reshape(x, theirs(stand_in(shape_of(x))).shape) for x in arys)
    return found if len(found) > 1 else found[0]


@namesake(getattr(np, "astype", None))
def astype(x: Any, dtype: DTypeLike, /) -> Any:
    """Convert to another floating dtype; of a Tensor, any other leaves the graph and gives a plain array."""
    return x.astype(dtype)


@namesake(np.copy)
def copy(a: Any) -> Any:
    """Give the same entries in memory of their own."""
    return astype(a, a.dtype)


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Join arrays along an existing axis; ``axis=None`` flattens them first."""
    if axis is None:
        return concatenate_p(*(ravel(x) for x in arrays), axis=0)
    ndims = [len(shape_of(x)) for x in arrays]
    # nothing and numbers, which NumPy refuses, go to it unchanged, for its own message
    return concatenate_p(*arrays, axis=normalize_axis_index(axis, max(ndims)) if any(ndims) else axis)


@namesake(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Join `values` to the end of `arr` along an existing axis; by default both are flattened first."""
    return concatenate([arr, values], axis)


def joined(dtype: Any, *parts: Any) -> Any:
    """Flatten and join parts, in the given dtype: an integer one would lose their derivatives, so it widens."""
    y = concatenate(parts, None)
    return astype(y, dtype) if dtype.kind == "f" and y.dtype != dtype else y


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis."""
    if not len(arrays):
        raise ValueError("stack needs at least one array, and got none")
    shapes = {shape_of(x) for x in arrays}
    if len(shapes) > 1:
        raise ValueError(f"stack joins arrays of one shape, not of {sorted(shapes)}: use concatenate for those")
    return concatenate([expand_dims(x, axis) for x in arrays], axis)


@namesake(np.vstack)
def vstack(tup: Sequence[Any]) -> Any:
    """Join arrays along the first axis; vectors are rows."""
    return concatenate([atleast_2d(x) for x in tup], 0)


@namesake(np.hstack)
def hstack(tup: Sequence[Any]) -> Any:
    """Join arrays along the second axis; vectors along their only one."""
    parts = [atleast_1d(x) for x in tup]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1)


@namesake(np.dstack)
def dstack(tup: Sequence[Any]) -> Any:
    """Join arrays along the third axis."""
    return concatenate([atleast_3d(x) for x in tup], 2)


@namesake(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Any:
    """Join arrays along the second axis; vectors are columns."""
    return concatenate([x if len(shape_of(x)) > 1 else transpose(atleast_2d(x)) for x in tup], 1)


@namesake(np.block)
def block(arrays: Any) -> Any:
    """Join nested lists of blocks: the innermost along the last axis, those round them along the one before."""
    ndim = np.block(_mapped(lambda x: stand_in(shape_of(x)), arrays)).ndim  # NumPy refuses what does not fit
    depth, first = 0, arrays
    while isinstance(first, list):
        depth, first = depth + 1, first[0]

    def join(part: Any, axis: int) -> Any:
        if isinstance(part, list):
            return concatenate([join(x, axis + 1) for x in part], axis)
        return reshape(part, (1,) * (ndim - len(shape_of(part))) + shape_of(part))

    return join(arrays, -depth)


def _mapped(f: Callable[[Any], Any], nested: Any) -> Any:
    return [_mapped(f, x) for x in nested] if isinstance(nested, list) else f(nested)
