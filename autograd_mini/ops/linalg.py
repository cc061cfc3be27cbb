"""Products of vectors, matrices and arrays. What `numpy.linalg` does with one matrix is in `decompositions`."""

from __future__ import annotations

import math
import operator as op
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core import Operation, primitive
from .elementwise import mul_p
from .namesake import namesake
from .shape import expand_dims, moveaxis, ravel, reshape, shape_of, squeeze, transpose

__all__ = [
    "cross", "dot", "einsum", "inner", "kron", "matmul", "matvec", "outer", "tensordot", "vdot", "vecdot", "vecmat",
]  # fmt: skip

# Every product could be an einsum; matmul is a primitive for speed.
# fmt: off
matmul_p = primitive("matmul", op.matmul, lambda g, z, x, y: _left(g, x, y),
                                          lambda g, z, x, y: _right(g, x, y))
einsum_p: Operation = primitive("einsum", lambda *xs, subscripts, optimize: _einsum(xs, subscripts, optimize),
                     lambda g, z, *xs, subscripts, optimize, position:
                         _turned(g, xs, subscripts, optimize, position), variadic=True)
# The product of matrices could stand for this; it takes many times as long on the way back.
vecdot_p  = primitive("vecdot",  lambda x, y: np.vecdot(x, y), lambda g, z, x, y: expand_dims(g, -1) * y,
                                                               lambda g, z, x, y: expand_dims(g, -1) * x)
# Each component could be written out; this is one node, and its own rule.
cross_p: Operation = primitive("cross", lambda x, y: np.cross(x, y), lambda g, z, x, y: cross_p(y, g),
                                                                     lambda g, z, x, y: cross_p(g, x))
# fmt: on


def _left(g: Any, x: Any, y: Any) -> Any:
    if x.ndim > 1 < y.ndim:
        return g @ y.mT
    if x.ndim == y.ndim:
        return g * y
    g, _, y = _matrices(g, x, y)
    return g @ y.mT  # of a vector a row, which the engine sums back


def _right(g: Any, x: Any, y: Any) -> Any:
    if y.ndim == 2 < x.ndim:  # one tall product does what a sum over products would
        rows = math.prod(x.shape[:-1])  # not -1, which an empty array does not determine
        return x.reshape(rows, x.shape[-1]).mT @ g.reshape(rows, g.shape[-1])
    if x.ndim > 1 < y.ndim:
        return x.mT @ g
    if x.ndim == y.ndim:
        return x * g
    columns, (g, x, _) = y.ndim == 1, _matrices(g, x, y)
    return squeeze(x.mT @ g, -1) if columns else x.mT @ g


def _matrices(g: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Write a vector on the left as a row, one on the right as a column, and `g` as their product."""
    if y.ndim == 1:
        g, y = expand_dims(g, -1), expand_dims(y, 1)
    if x.ndim == 1:
        g, x = expand_dims(g, -2), expand_dims(x, 0)
    return g, x, y


matmul = namesake(np.matmul)(matmul_p)

# -- einsum --------------------------------------------------------------------------------------------


def _einsum(xs: Sequence[Any], subscripts: str, optimize: Any) -> Any:
    y: Any = np.einsum(subscripts, *xs, optimize=optimize)
    return y[()]


def _turned(g: Any, xs: Sequence[Any], subscripts: str, optimize: Any, position: int) -> Any:
    """Give the cotangent of one operand: an einsum with `g` in its place and its own labels for output.

    A label that nothing else has is summed over, so ones stand for it; of a label that it has twice,
    only the diagonal counts, so an identity joins its two places.
    """
    terms, output = _labels(subscripts, [x.ndim for x in xs])
    operands = [g, *xs[:position], *xs[position + 1 :]]
    labels = [output, *terms[:position], *terms[position + 1 :]]
    lengths: dict[Any, set[int]] = {}
    for x, term in zip(operands, labels, strict=True):
        for label, n in zip(term, x.shape, strict=True):
            lengths.setdefault(label, set()).add(n)
    place: list[Any] = []
    for axis, (label, n) in enumerate(zip(terms[position], xs[position].shape, strict=True)):
        if label in place:
            operands.append(np.eye(n, dtype=g.dtype))
            labels.append([label, (label, axis)])
            label = label, axis
        elif label not in lengths or (n != 1 and n not in lengths[label]):
            operands.append(np.ones(n, g.dtype))
            labels.append([label])
        place.append(label)
    every = dict.fromkeys(label for term in [*labels, place] for label in term)
    letter = dict(zip(every, string.ascii_letters, strict=False))
    text = ["".join(letter[label] for label in term) for term in [*labels, place]]
    return einsum_p(*operands, subscripts=",".join(text[:-1]) + "->" + text[-1], optimize=bool(optimize))


def _labels(subscripts: str, ndims: Sequence[int]) -> tuple[list[list[Any]], list[Any]]:
    """Give every axis of the operands and of the result a label: a letter, or a number for what an ellipsis covers."""
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = given.split(",")
    if not arrow:
        count = Counter(given)
        result = "..." + "".join(sorted(label for label in count if label.isalpha() and count[label] == 1))
    covered = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]

    def spelt(term: str, ndim: int) -> list[Any]:
        before, _, after = term.partition("...")
        return [*before, *range(-ndim, 0), *after]  # without dots there are none

    return [spelt(term, n) for term, n in zip(terms, covered, strict=True)], spelt(result, max(covered))


@namesake(np.einsum)
def einsum(*operands: Any, optimize: Any = False) -> Any:
    """Sum products of entries as subscripts say: ``einsum("ij,jk->ik", x, y)`` [1]_.

    All forms of NumPy: implicit and explicit output, ellipses, repeated labels, and operands each followed
    by its list of labels, ``einsum(x, [0, 1], y, [1, 2], [0, 2])``.

    References
    ----------
    .. [1] Laue, Mitterreiter and Giesen, "A simple and efficient tensor calculus", AAAI 2020, section 3.
    """
    if isinstance(operands[0], str):
        subscripts, xs = operands[0], operands[1:]
    else:
        xs, terms = operands[::2], operands[1::2]
        subscripts = ",".join(map(_spelt, terms)) + "".join("->" + _spelt(term) for term in xs[len(terms) :])
        xs = xs[: len(terms)]
    return einsum_p(*xs, subscripts=subscripts, optimize=optimize)


def _spelt(term: Sequence[Any]) -> str:
    """Write a list of labels, which are integers or an Ellipsis, as letters in the same order."""
    letters = string.ascii_uppercase + string.ascii_lowercase
    if any(label is not ... and not 0 <= label < len(letters) for label in term):
        raise ValueError(f"the labels of einsum are integers from 0 to {len(letters) - 1} and ..., not {term}")
    return "".join("..." if label is ... else letters[label] for label in term)


# -- products that are matmul or multiply after a change of shape ----------------------------------------


@namesake(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum products over `axes`: so many last ones of `a` and first ones of `b`, or a pair of lists of axes."""
    left, right = (range(-axes, 0), range(axes)) if isinstance(axes, (int, np.integer)) else axes
    shapes = shape_of(a), shape_of(b)
    left, right = normalize_axis_tuple(left, len(shapes[0])), normalize_axis_tuple(right, len(shapes[1]))
    lengths = [shapes[0][i] for i in left]
    if lengths != [shapes[1][i] for i in right]:
        raise ValueError(
            f"tensordot sums over axes of equal lengths, not {left} of {shapes[0]} with {right} of {shapes[1]}"
        )
    rows = [i for i in range(len(shapes[0])) if i not in left]
    columns = [i for i in range(len(shapes[1])) if i not in right]
    kept = [shapes[0][i] for i in rows], [shapes[1][i] for i in columns]
    x = reshape(transpose(a, (*rows, *left)), (math.prod(kept[0]), math.prod(lengths)))
    y = reshape(transpose(b, (*right, *columns)), (math.prod(lengths), math.prod(kept[1])))
    return reshape(matmul_p(x, y), (*kept[0], *kept[1]))


@namesake(np.dot)
def dot(a: Any, b: Any) -> Any:
    """Sum products over the last axis of `a` and the last but one (or only) axis of `b`; numbers multiply."""
    p, q = len(shape_of(a)), len(shape_of(b))
    if not p or not q:
        return mul_p(a, b)
    return matmul_p(a, b) if p <= 2 >= q else tensordot(a, b, (-1, -min(q, 2)))


@namesake(np.inner)
def inner(a: Any, b: Any) -> Any:
    """Sum products over the last axes; numbers multiply."""
    return tensordot(a, b, (-1, -1)) if shape_of(a) and shape_of(b) else mul_p(a, b)


@namesake(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    """Sum the products of all entries, whatever the shapes."""
    return matmul_p(ravel(a), ravel(b))


@namesake(np.outer)
def outer(a: Any, b: Any) -> Any:
    """Multiply every entry of `a` by every entry of `b`: a matrix, whatever the shapes."""
    return mul_p(expand_dims(ravel(a), 1), ravel(b))


@namesake(np.kron)
def kron(a: Any, b: Any) -> Any:
    """Put `b`, times an entry of `a`, in the place of that entry."""
    p, q = shape_of(a), shape_of(b)
    ndim = max(len(p), len(q))
    p, q = (1,) * (ndim - len(p)) + p, (1,) * (ndim - len(q)) + q
    x, y = reshape(a, [n for m in p for n in (m, 1)]), reshape(b, [n for m in q for n in (1, m)])
    return reshape(mul_p(x, y), [m * n for m, n in zip(p, q, strict=True)])


@namesake(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Give the vector products of the vectors of three components along an axis."""
    if axis is not None:
        axisa = axisb = axisc = axis
    z = cross_p(_components(a, axisa), _components(b, axisb))
    return moveaxis(z, -1, axisc)


def _components(x: Any, axis: int) -> Any:
    shape = shape_of(x)
    axis = normalize_axis_index(axis, len(shape))
    if shape[axis] != 3:
        raise ValueError(f"cross multiplies vectors of three components, not of {shape[axis]} (axis {axis} of {shape})")
    return moveaxis(x, axis, -1)


@namesake(np.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Sum products over one axis; the others broadcast."""
    return vecdot_p(*(x if axis == -1 else moveaxis(x, axis, -1) for x in (x1, x2)))


def matvec(x1: Any, x2: Any) -> Any:
    """Multiply matrices by vectors: the vectors lie along the last axis of `x2`."""
    return squeeze(matmul(x1, expand_dims(x2, -1)), -1) if len(shape_of(x2)) > 1 else matmul(x1, x2)


def vecmat(x1: Any, x2: Any) -> Any:
    """Multiply vectors by matrices: the vectors lie along the last axis of `x1`."""
    return squeeze(matmul(expand_dims(x1, -2), x2), -2) if len(shape_of(x1)) > 1 else matmul(x1, x2)
