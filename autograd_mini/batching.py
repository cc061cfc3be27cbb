"""A recorded pullback, computed again for many cotangents at once.

A pullback is linear in its cotangent, so what a recorded sweep leaves is a graph of linear operations from
the cotangent of the output to those of the inputs. Here each of them is applied to values with one more
axis in front. Most can do that by themselves, with their axes or shapes shifted by one: a row of `RULES`
says how. Any other primitive is applied to one value after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .core import Node, Primitive, past, value_of
from .ops import decompositions as d
from .ops import elementwise as e
from .ops.convolution import unwindows_p, windows_p
from .ops.indexing import getitem_p, putitem_p
from .ops.linalg import einsum_p, matmul_p
from .ops.reductions import sum_p
from .ops.scans import cumsum_p, recurrence_p
from .ops.shape import (
    astype_p,
    broadcast_p,
    broadcast_to,
    concatenate,
    moveaxis,
    reshape,
    reshape_p,
    stack,
    transpose,
    transpose_p,
)

BYTES = 2**21  # of values at a time, about what a cache holds: with eight times as many it takes twice as long

# Takes an application, its operands, which of these have the axis in front, and its length; None if it cannot say.
Rule = Callable[[Node, list[Any], list[bool], int], Any]


def pulled_back(ct: Node, ends: list[Any], recorded: bool) -> list[Any]:
    """Give the rows of Jacobians: what cotangents become that are 1 at one entry each.

    Parameters
    ----------
    ct : Node
        Where a recorded sweep started from.
    ends : list of Node or array
        What it led to: linear in `ct`.
    recorded : bool
        Whether the rows are to be differentiated. Then they are Nodes.

    Returns
    -------
    list of Node or array
        For every end an array of shape ``(ct.size, *end.shape)``.
    """
    between = _between(ct, ends)
    size = ct.value.size
    step = max(1, BYTES // max(1, sum(node.value.nbytes for node in between)))
    parts: list[list[Any]] = []
    for start in range(0, size, step):
        n = min(step, size - start)
        rows: dict[Any, Any] = {ct: np.eye(n, size, start, ct.value.dtype).reshape(n, *ct.value.shape)}
        for node in between:
            rows[node] = _applied(node, rows, recorded, n)
        parts.append([rows[x] if _in(x, rows) else broadcast_to(x, (n, *np.shape(x))) for x in ends])
    return [concatenate(part) for part in zip(*parts, strict=True)]  # copies what may be a view


def _in(x: Any, rows: dict[Any, Any]) -> bool:
    return isinstance(x, Node) and x in rows


def _between(ct: Node, ends: list[Any]) -> list[Node]:
    """Find the applications on the ways from `ct` to the ends, oldest first. Nothing on them is older than `ct`."""
    frontier = [x for x in ends if isinstance(x, Node)]
    seen = set(frontier)
    while frontier:
        for x in past(frontier.pop()):
            if isinstance(x, Node) and x.age > ct.age and x not in seen:
                seen.add(x)
                frontier.append(x)
    found: dict[Node, None] = {}
    for node in sorted(seen, key=lambda node: node.age):
        if any(isinstance(x, Node) and (x is ct or x in found) for x in past(node)):
            found[node] = None
    return list(found)


def _applied(node: Node, rows: dict[Any, Any], recorded: bool, n: int) -> Any:
    op, params = node.op, node.params
    assert op is not None
    operands = past(node)
    given = [_in(x, rows) for x in operands]
    xs = [rows[x] if many else x if recorded else value_of(x) for x, many in zip(operands, given, strict=True)]
    y = RULES[op](node, xs, given, n) if op in RULES else None
    if y is None:
        one_by_one = ([x[i] if many else x for x, many in zip(xs, given, strict=True)] for i in range(n))
        y = stack([op.apply(*operands, **params) for operands in one_by_one])
    return y


# -- the rules -----------------------------------------------------------------------------------------


def _aligned(x: Any, ndim: int) -> Any:
    """Insert axes of length 1 behind the one in front, so that what broadcasts still does."""
    missing = ndim + 1 - x.ndim
    return reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:])) if missing > 0 else x


def _elementwise(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    ndim = node.value.ndim
    return _op(node).apply(
        *[_aligned(x, ndim) if many else x for x, many in zip(xs, given, strict=True)], **node.params
    )


def _op(node: Node) -> Primitive:
    assert node.op is not None
    return node.op


def _summed(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    (x,), axis = xs, node.params["axis"]
    ndim = x.ndim - 1
    axes = range(ndim) if axis is None or not ndim else normalize_axis_tuple(axis, ndim)
    return reshape(sum_p(x, axis=tuple([i + 1 for i in axes])), (n, *node.value.shape))


def _scanned(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    xs = [x if many else broadcast_to(x, (n, *x.shape)) for x, many in zip(xs, given, strict=True)]
    axis = node.params["axis"]
    return _op(node).apply(*xs, **{**node.params, "axis": axis + (axis >= 0)})


def _reshaped(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    (x,), shape = xs, node.value.shape
    if node.params["order"] == "C":
        return reshape(x, (n, *shape))
    return moveaxis(reshape(moveaxis(x, 0, -1), (*shape, n), "F"), -1, 0)


def _transposed(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    return transpose(xs[0], (0, *[i + 1 for i in node.params["axes"]]))


def _broadcast(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    return broadcast_to(_aligned(xs[0], node.value.ndim), (n, *node.value.shape))


def _indexed(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    """Read, or write, with all of the axis in front; or moved to the end, if NumPy would move what it has read."""
    (x,), params, index = xs, dict(node.params), node.params["index"]
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [i for i in parts if isinstance(i, (bool, np.bool_)) or np.ndim(i)]
    plain = [i for i in parts if isinstance(i, slice) or i is None or i is ...]
    front = not arrays or len(arrays) + len(plain) == len(parts) == len(plain) + 1
    if front:
        params["index"] = (slice(None), *parts)
    else:
        x = moveaxis(x, 0, -1)
        params["index"] = (*parts, slice(None)) if any(i is ... for i in parts) else parts
    if "shape" in params:
        params["shape"] = (n, *params["shape"]) if front else (*params["shape"], n)
    y = _op(node).apply(x, **params)
    return y if front else moveaxis(y, -1, 0)


def _matmul(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    (x, y), (left, right) = xs, given
    if left and not right and y.ndim == 2:  # one tall product
        return reshape(reshape(x, (-1, x.shape[-1])) @ y, (n, *node.value.shape)) if x.size else None
    p, q = x.ndim - left, y.ndim - right
    ndim = max(p, q, 2)
    if p == 1:
        x = reshape(x, (*x.shape[:-1], 1, x.shape[-1]))
    if q == 1:
        y = reshape(y, (*y.shape, 1))
    z = (_aligned(x, ndim) if left else x) @ (_aligned(y, ndim) if right else y)
    return reshape(z, (n, *node.value.shape))


def _einsum(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    subscripts = node.params["subscripts"]
    free = [letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in subscripts]
    if "->" not in subscripts or "." in subscripts or not free:
        return None
    terms, result = subscripts.split("->")
    terms = [free[0] * many + term for term, many in zip(terms.split(","), given, strict=True)]
    return einsum_p(*xs, **{**node.params, "subscripts": ",".join(terms) + "->" + free[0] + result})


def _windows(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    return moveaxis(windows_p(xs[0], **node.params), len(node.params["kernel"]), 0)


def _unwindows(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    return unwindows_p(moveaxis(xs[0], 0, len(node.params["shape"])), **node.params)


def _solved(node: Node, xs: list[Any], given: list[bool], n: int) -> Any:
    return _elementwise(node, xs, given, n) if node.value.ndim > 1 else None


# fmt: off
RULES: dict[Primitive, Rule] = {
    operation.op: rule
    for rule, operations in {
        _elementwise: (e.add_p, e.sub_p, e.mul_p, e.div_p, e.neg_p, e.where_p, e.deg2rad, e.rad2deg, e.ldexp_p,
                       astype_p),
        _summed: (sum_p,),
        _scanned: (cumsum_p, recurrence_p),
        _reshaped: (reshape_p,),
        _transposed: (transpose_p,),
        _broadcast: (broadcast_p,),
        _indexed: (getitem_p, putitem_p),
        _matmul: (matmul_p,),
        _einsum: (einsum_p,),
        _windows: (windows_p,),
        _unwindows: (unwindows_p,),
        _solved: (d.solve_p,),
    }.items()
    for operation in operations
}
# fmt: on
