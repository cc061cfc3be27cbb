"""Operations that move values without changing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core import Operation, primitive

__all__ = [
    "broadcast_to", "concatenate", "expand_dims", "ravel", "reshape", "squeeze", "stack", "swapaxes", "transpose",
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


def _broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(x, np.generic) and isinstance(shape, tuple):  # seven times faster, and every loss comes here
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))[()]
    return np.broadcast_to(x, shape)[()]


def _part(g: Any, xs: tuple[Any, ...], axis: int, position: int) -> Any:
    """Give the slice of a concatenation that operand number `position` filled."""
    start = sum(x.shape[axis] for x in xs[:position])
    return g[(slice(None),) * axis + (slice(start, start + xs[position].shape[axis]),)]


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


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Interchange two axes of `x`."""
    axes = list(range(len(shape_of(x))))
    i, j = normalize_axis_index(axis1, len(axes)), normalize_axis_index(axis2, len(axes))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose_p(x, axes=tuple(axes))


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


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Join arrays along an existing axis; ``axis=None`` flattens them first."""
    if axis is None:
        return concatenate_p(*(ravel(x) for x in arrays), axis=0)
    ndims = {len(shape_of(x)) for x in arrays}
    # what NumPy refuses (nothing, numbers, unequal ranks) goes to it unchanged, for its own message
    return concatenate_p(
        *arrays, axis=normalize_axis_index(axis, max(ndims)) if len(ndims) == 1 and ndims != {0} else axis
    )


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis."""
    if not len(arrays):
        raise ValueError("stack needs at least one array, and got none")
    shapes = {shape_of(x) for x in arrays}
    if len(shapes) > 1:
        raise ValueError(f"stack joins arrays of one shape, not of {sorted(shapes)}: use concatenate for those")
    return concatenate([expand_dims(x, axis) for x in arrays], normalize_axis_index(axis, len(shape_of(arrays[0])) + 1))
