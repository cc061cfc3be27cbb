"""Arrays, and what goes with them: shapes, axes, indices."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ... import nn
from ...tensor import Tensor

Draw = Callable[[st.SearchStrategy[Any]], Any]
Shape = tuple[int, ...]
FLOATS = np.float16, np.float32, np.float64
GRID = 64  # numbers are drawn in steps of a 64th, which all floating dtypes hold


# -- shapes and what goes with them ----------------------------------------------------------------------


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3) -> st.SearchStrategy[Shape]:
    """Draw shapes, also of no axes and of no entries."""
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable_shapes(
    n: int, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Draw so many shapes that broadcast."""
    found = hnp.mutually_broadcastable_shapes(num_shapes=n, max_dims=max_dims, min_side=min_side, max_side=max_side)
    return found.map(lambda shapes: shapes.input_shapes)


@st.composite
def axes(draw: Draw, shape: Shape) -> Any:
    """Draw what reductions take as `axis`: None, one, or a tuple of some or none; also counted from the end."""
    ndim = len(shape)
    form = draw(st.sampled_from(["all", "one", "some"]))
    if form == "all":
        return None
    if form == "one" and ndim:
        return draw(st.integers(0, ndim - 1)) - ndim * draw(st.booleans())
    order = draw(st.permutations(range(ndim)))
    return tuple(axis - ndim * draw(st.booleans()) for axis in order[: draw(st.integers(0, ndim))])


@st.composite
def indices(draw: Draw, shape: Shape) -> Any:
    """Draw indices of any kind: slices, integers, arrays of integers, masks, in any mixture."""
    arrays = draw(st.sampled_from([(), (2,), (3,), (2, 1), (1, 2), (0,)]))  # they broadcast if they end alike
    masked = draw(st.booleans())
    parts: list[Any] = []
    axis = 0
    while axis < len(shape):
        n = shape[axis]
        kinds = ["slice", "slice"]
        kinds += ["mask", "mask"] if masked else ["array", "list"] if n or 0 in arrays else []
        kinds += ["integer"] if n else []
        kind = draw(st.sampled_from(kinds))
        if kind == "mask":
            wide = draw(st.integers(1, len(shape) - axis))
            parts.append(draw(hnp.arrays(bool, shape[axis : axis + wide])))
            masked = False  # two masks need as many True each
            axis += wide
            arrays = (int(parts[-1].sum()),)
            continue
        if kind == "slice":
            parts.append(draw(st.slices(n)))
        elif kind == "integer":
            parts.append(draw(st.sampled_from([int, np.int32, np.array]))(draw(st.integers(-n, n - 1))))
        else:
            dtype = draw(st.sampled_from([np.int64, np.int8]))
            array = draw(hnp.arrays(dtype, arrays, elements=st.integers(-n, n - 1) if n else st.just(0)))
            parts.append(array.tolist() if kind == "list" and array.size else array)
        axis += 1
    if draw(st.booleans()):  # leave some to an ellipsis
        i = draw(st.integers(0, len(parts)))
        j = draw(st.integers(i, len(parts)))
        parts[i:j] = [...]
    for _ in range(draw(st.integers(0, 1))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)


# -- values ----------------------------------------------------------------------------------------------


def floating(dtype: Any) -> Any:
    """Take a dtype that Tensors keep, and refuse any other."""
    with suppress(TypeError):  # of what is no dtype
        if np.dtype(dtype).type in FLOATS:
            return np.dtype(dtype)
    raise TypeError(
        f"Tensors are of float16, float32 or float64, not of {getattr(dtype, '__name__', repr(dtype))}: draw what else "
        "a function takes with hypothesis.extra.numpy.arrays"
    )


def tensors(
    dtype: Any = np.float64,
    shape: Any = None,
    elements: st.SearchStrategy[Any] | None = None,
    domain: tuple[float, float] = (-2.0, 2.0),
    requires_grad: bool = True,
) -> st.SearchStrategy[Tensor]:
    """Draw Tensors, by default of numbers between -2 and 2 in steps of a 64th, which float16 holds too.

    Parameters
    ----------
    dtype : dtype, or strategy of them
        float16, float32 or float64.
    shape : tuple of int, or strategy of them
        By default `shapes()`.
    elements : strategy, optional
        Of the numbers themselves.
    domain : pair of float
        The least and the greatest number, where no `elements` are given. What a dtype does not hold is rounded, but
        never out of the domain.
    requires_grad : bool

    Raises
    ------
    TypeError
        If the dtype is another.
    ValueError
        If no such number lies in the domain, or if it is too wide to count them.

    Examples
    --------
    >>> from hypothesis import given
    >>> import autograd_mini as ag
    >>> from autograd_mini.testing import gradcheck, strategies
    >>> @given(strategies.tensors(domain=(0.25, 2.0)))
    ... def test_log(x):
    ...     gradcheck(ag.log, x)
    >>> test_log()
    """
    if isinstance(dtype, st.SearchStrategy):
        return dtype.flatmap(lambda kind: tensors(kind, shape, elements, domain, requires_grad))
    kind, shape = floating(dtype), shapes() if shape is None else shape
    if elements is not None:
        return hnp.arrays(kind, shape, elements=elements).map(lambda x: Tensor(x, requires_grad))
    least, most = _ends(domain, kind)
    steps = hnp.arrays(np.int64, shape, elements=st.integers(math.ceil(least * GRID), math.floor(most * GRID)))
    return steps.map(lambda n: Tensor(np.clip(n / GRID, least, most).astype(kind), requires_grad))


def _ends(domain: tuple[float, float], kind: Any) -> tuple[float, float]:
    """Give the least and the greatest number of a domain that a dtype holds."""
    low, high = domain
    if not low <= high:
        raise ValueError(f"domain is the least and the greatest number, not {domain}")
    with np.errstate(over="ignore"):  # infinity lies outside, beside the greatest number
        least, most = kind.type(low), kind.type(high)
    least = float(np.nextafter(least, kind.type(np.inf)) if float(least) < low else least)
    most = float(np.nextafter(most, kind.type(-np.inf)) if float(most) > high else most)
    if max(-least, most) >= 2**63 / GRID:
        raise ValueError(
            f"numbers in steps of a 64th are drawn up to 2**57, not in {domain}: pass elements=st.floats()"
        )
    if math.ceil(least * GRID) > math.floor(most * GRID):
        raise ValueError(
            f"no number of {kind} in steps of a 64th lies in the domain {domain}: widen it, or pass "
            f"elements=st.floats({low}, {high})"
        )
    return least, most


def mlps(max_layers: int = 3, max_size: int = 4) -> st.SearchStrategy[nn.MLP]:
    """Draw multilayer perceptrons of any sizes, with smooth activations and weights from a seed."""
    sizes = st.lists(st.integers(1, max_size), min_size=2, max_size=max_layers + 1)
    activations = st.sampled_from(["tanh", "sigmoid"])
    return st.builds(nn.MLP, sizes, activations, rng=st.integers(0, 999))
