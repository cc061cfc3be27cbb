"""Convolution, pooling, embedding and dropout, beside loops over every entry of the result."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_mini as ag
from autograd_mini import core

from .table import Case, Draw, Row, broadcast, cased

# -- references: NumPy, and plain loops ----------------------------------------------------------------


def pairs(padding: Any, kernel: Any, dilation: Any) -> list[tuple[int, int]]:
    """How much padding before and after each axis."""
    if padding == "same":
        spare = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return [(i // 2, i - i // 2) for i in spare]
    return [(i, i) for i in ((0,) * len(kernel) if padding == "valid" else padding)]


def padded(x: Any, padding: Any, fill: float) -> Any:
    for axis, (before, after) in zip(range(-len(padding), 0), padding, strict=True):
        wide = [np.full((*x.shape[:axis], i, *x.shape[axis:][1:]), fill, x.dtype) for i in (before, after)]
        x = np.concatenate([wide[0], x, wide[1]], axis=axis) if before or after else x
    return x


def each_window(x: Any, kernel: Any, stride: Any, dilation: Any, f: Callable[[Any], Any]) -> Any:
    """Call `f` for every window, and stack what it gives."""
    n = len(kernel)
    out = [(i - d * (k - 1) - 1) // s + 1 for i, k, s, d in zip(x.shape[-n:], kernel, stride, dilation, strict=True)]
    entries = []
    for place in np.ndindex(*out):
        part = [
            slice(i * s, i * s + d * (k - 1) + 1, d) for i, k, s, d in zip(place, kernel, stride, dilation, strict=True)
        ]
        entries.append(f(x[(..., *part)]))
    y = np.stack(entries, axis=-1)
    return np.reshape(y, (*y.shape[:-1], *out))


def convolve(x: Any, weight: Any, *bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    n = weight.ndim - 2
    x, weight, kernel = 1.0 * x, 1.0 * weight, weight.shape[2:]
    x = padded(x, pairs(padding, kernel, dilation), 0)
    inner, per_group = weight.shape[1], weight.shape[0] // groups
    axes = tuple(range(-n - 1, 0))

    def entries(patch: Any) -> Any:
        parts = [patch[(..., slice(i * inner, (i + 1) * inner), *[slice(None)] * n)] for i in range(groups)]
        sums = [np.sum(parts[o // per_group] * weight[o], axis=axes) for o in range(weight.shape[0])]
        return np.stack(sums, axis=-1)

    y = each_window(x, kernel, stride, dilation, entries)
    return y + np.reshape(bias[0], (-1, *[1] * n)) if bias else y


def largest(x: Any, kernel_size: Any, stride: Any, padding: Any) -> Any:
    x, n = x if isinstance(x, core.Node) else np.asarray(x), len(kernel_size)
    if x.dtype.kind == "f":
        x = padded(x, pairs(padding, kernel_size, ()), -math.inf)
    else:
        x = np.pad(x, [(0, 0)] * (x.ndim - n) + pairs(padding, kernel_size, ()), mode="edge")
    axes = tuple(range(-n, 0))
    return each_window(x, kernel_size, stride or kernel_size, (1,) * n, lambda patch: np.max(patch, axis=axes))


def average(x: Any, kernel_size: Any, stride: Any, padding: Any, count_include_pad: bool) -> Any:
    axes = tuple(range(-len(kernel_size), 0))

    def sums(x: Any) -> Any:
        x = padded(x, pairs(padding, kernel_size, ()), 0)
        ones = (1,) * len(kernel_size)
        return each_window(x, kernel_size, stride or kernel_size, ones, lambda patch: np.sum(patch, axis=axes))

    count = math.prod(kernel_size) if count_include_pad else sums(np.ones(x.shape[axes[0] :])).astype((1.0 * x).dtype)
    return sums(1.0 * x) / count


def looked_up(weight: Any, ids: Any) -> Any:
    return (weight if isinstance(weight, core.Node) else np.asarray(weight))[ids]


def dropped(x: Any, p: float, seed: int, training: bool) -> Any:
    kept = np.random.default_rng(seed).random(x.shape) >= p
    return 1.0 * x * kept.astype((1.0 * x).dtype) / (1 - p if p < 1 else 1) if training else 1.0 * x


# -- cases ---------------------------------------------------------------------------------------------


def sizes(draw: Draw, n: int, low: int, high: int) -> tuple[int, ...]:
    return tuple(draw(st.integers(low, high)) for _ in range(n))


def lengths(draw: Draw, kernel: Any, dilation: Any, padding: Any) -> tuple[int, ...]:
    """Lengths of axes into which the kernel fits, with its padding."""
    around = pairs(padding, kernel, dilation)
    least = [max(d * (k - 1) + 1 - sum(p), 1) for k, d, p in zip(kernel, dilation, around, strict=True)]
    return tuple(i + draw(st.integers(0, 2)) for i in least)


@st.composite
def convolutions(draw: Draw, n: int) -> Case:
    batch = draw(st.sampled_from([(), (0,), (1,), (2,), (2,), (2, 1)]))
    groups, inner, features = draw(st.sampled_from([1, 1, 2])), *sizes(draw, 2, 1, 2)
    kernel, stride, dilation = sizes(draw, n, 1, 3 if n == 1 else 2), sizes(draw, n, 1, 2), sizes(draw, n, 1, 2)
    padding = draw(st.sampled_from(["valid", "same", sizes(draw, n, 0, 2)]))
    stride = (1,) * n if padding == "same" else stride
    x = (*batch, groups * inner, *lengths(draw, kernel, dilation, padding))
    shapes = [x, (groups * features, inner, *kernel), (groups * features,)][: draw(st.integers(2, 3))]
    params = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return cased(draw, shapes, ["any"] * len(shapes), **params)


@st.composite
def pools(draw: Draw, n: int, kind: str, **params: Any) -> Case:
    batch = draw(st.sampled_from([(), (0,), (2,), (1, 3)]))
    kernel = sizes(draw, n, 1, 3)
    stride = draw(st.sampled_from([None, sizes(draw, n, 1, 2)]))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    x = (*batch, *lengths(draw, kernel, (1,) * n, padding))
    drawn = {name: draw(value) for name, value in params.items()}
    return cased(draw, [x], [kind], kernel_size=kernel, stride=stride, padding=padding, **drawn)


@st.composite
def lookups(draw: Draw) -> Case:
    classes, features = draw(st.integers(1, 3)), draw(st.integers(0, 2))
    ids = hnp.arrays(int, draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)))
    return cased(draw, [(classes, features)], ["any"], ids=abs(draw(ids)) % classes)


def drops() -> st.SearchStrategy[Case]:
    p, seed = st.sampled_from([0.0, 0.5, 0.5, 0.75, 1.0]), st.integers(0, 9)
    return broadcast("any", p=p, seed=seed, training=st.sampled_from([True, True, False]))


# fmt: off
ROWS = [
    Row("conv1d",      ag.conv1d,     convolve, convolutions(1), exact=False),
    Row("conv2d",      ag.conv2d,     convolve, convolutions(2), exact=False),
    Row("max_pool1d",  ag.max_pool1d, largest,  pools(1, "distinct")),
    Row("max_pool2d",  ag.max_pool2d, largest,  pools(2, "distinct")),
    Row("avg_pool1d",  ag.avg_pool1d, average,  pools(1, "any", count_include_pad=st.booleans()), exact=False),
    Row("avg_pool2d",  ag.avg_pool2d, average,  pools(2, "any", count_include_pad=st.booleans()), exact=False),
    Row("embedding",   lambda weight, ids: ag.embedding(ids, weight), looked_up, lookups()),
    Row("dropout",     lambda x, p, seed, training: ag.dropout(x, p, np.random.default_rng(seed), training), dropped,
                       drops(), exact=False),
]
# fmt: on
