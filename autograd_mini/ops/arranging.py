"""Entries in another order, more often, or among zeros: all of it said in shapes and indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..core import Operation, primitive
from .elementwise import where
from .indexing import positions, putitem_p, set_at
from .namesake import namesake
from .shape import Axes, broadcast_to, moveaxis, ravel, reshape, stand_in, swapaxes

__all__ = [
    "diag", "diagflat", "diagonal", "flip", "fliplr", "flipud", "pad", "resize", "roll", "rot90", "tile", "trace",
    "tril", "triu",
]  # fmt: skip

# fmt: off
# This could be derived; it is a primitive for speed: rolling back needs no index of every entry.
roll_p: Operation = primitive("roll", lambda x, shift, axis: np.roll(x, shift, axis)[()],
                              lambda g, y, x, shift, axis: roll_p(g, shift=np.negative(shift), axis=axis))
# fmt: on


@namesake(np.roll)
def roll(a: Any, shift: int | Sequence[int], axis: Axes = None) -> Any:
    """Move the entries on along `axis`, or of the flattened `a`; those that leave come in again at the other end."""
    axes = None if axis is None else normalize_axis_tuple(axis, a.ndim, allow_duplicate=True)
    return roll_p(a, shift=np.array(shift)[()], axis=axes)


@namesake(np.flip)
def flip(m: Any, axis: Axes = None) -> Any:
    """Reverse the order of the entries along `axis`: an int, a tuple, or all by default."""
    axes = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim)
    return m[tuple(slice(None, None, -1 if i in axes else 1) for i in range(m.ndim))]


@namesake(np.flipud)
def flipud(m: Any) -> Any:
    """Reverse the order along the first axis."""
    return flip(m, 0)


@namesake(np.fliplr)
def fliplr(m: Any) -> Any:
    """Reverse the order along the second axis."""
    return flip(m, 1)


@namesake(np.rot90)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Turn by `k` times 90 degrees in the plane of two axes, from the first towards the second."""
    np.rot90(stand_in(m.shape), k, axes)  # or it refuses
    turned = flip(m, ((), axes[1], axes, axes[0])[k % 4])
    return swapaxes(turned, *axes) if k % 2 else turned


@namesake(np.tile)
def tile(A: Any, reps: int | Sequence[int]) -> Any:
    """Lay copies of `A` side by side, so many along each axis."""
    counts = np.array(reps, ndmin=1).tolist()
    counts = [1] * (A.ndim - len(counts)) + counts
    lengths = [1] * (len(counts) - A.ndim) + list(A.shape)
    pairs = list(zip(counts, lengths, strict=True))
    copies = broadcast_to(reshape(A, [k for n in lengths for k in (1, n)]), tuple(k for pair in pairs for k in pair))
    return reshape(copies, [count * n for count, n in pairs])


@namesake(np.resize)
def resize(a: Any, new_shape: int | Sequence[int]) -> Any:
    """Fill an array of another shape with the entries of `a`, over and over again."""
    shape = stand_in(new_shape).shape
    size = math.prod(shape)
    copies = broadcast_to(ravel(a), (-(-size // max(a.size, 1)), a.size))
    return reshape(ravel(copies)[:size], shape)


@namesake(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0) -> Any:
    """Add entries at both ends of each axis.

    `mode` is "constant", "edge", "reflect", "symmetric" or "wrap". The constants have no derivative.
    """
    if mode == "constant":
        frame = np.pad(np.empty(array.shape, array.dtype), pad_width, constant_values=constant_values)
        widths = np.zeros((array.ndim, 2), int)
        for axes, ends in pad_width.items() if isinstance(pad_width, dict) else [(..., pad_width)]:
            widths[axes] = ends
        starts = widths[:, 0].tolist()
        return set_at(frame, tuple(slice(i, i + n) for i, n in zip(starts, array.shape, strict=True)), array)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(
            f"pad of a Tensor has the modes 'constant', 'edge', 'reflect', 'symmetric' and 'wrap', not {mode!r}"
        )
    return ravel(array)[np.pad(positions(array.shape), pad_width, mode)]


# -- matrices ------------------------------------------------------------------------------------------


@namesake(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    """Put zeros above diagonal number `k`."""
    return where(_below(m.shape, k), m, 0)


@namesake(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    """Put zeros below diagonal number `k`."""
    return where(_below(m.shape, k - 1), 0, m)


def _below(shape: Any, k: int) -> Any:
    """Where diagonal number `k` is, and what lies below it."""
    n, m = (*shape, *shape)[-2:]  # NumPy makes a matrix of a vector, each row of it
    return np.tri(n, m, k, dtype=bool)


def _places(n: int, k: int) -> tuple[Any, Any]:
    """Index the `n` entries of diagonal number `k`."""
    return np.arange(n) + max(-k, 0), np.arange(n) + max(k, 0)


@namesake(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Read a diagonal of each matrix along two axes; it becomes the last axis."""
    n = np.diagonal(stand_in(a.shape), offset, axis1, axis2).shape[-1]
    return moveaxis(a, (axis1, axis2), (-2, -1))[(..., *_places(n, offset))]


@namesake(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Add up a diagonal of each matrix along two axes."""
    return diagonal(a, offset, axis1, axis2).sum(axis=-1)


@namesake(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """Make a matrix of zeros with the vector `v` on diagonal number `k`; or read that diagonal of a matrix."""
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"diag takes a vector or a matrix, not shape {v.shape}: use diagflat or diagonal")
    return putitem_p(v, index=_places(v.size, k), shape=(v.size + abs(k),) * 2)


@namesake(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """Make a matrix of zeros with the entries of `v` on diagonal number `k`."""
    return diag(ravel(v), k)
