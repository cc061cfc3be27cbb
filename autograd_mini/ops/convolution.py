"""What networks are made of beside products of matrices: convolution, pooling, embedding, dropout.

Convolution and pooling are one idea: cut an array into *windows*, and then multiply, average or take the
largest. Adding overlapping windows up again, `unwindows`, is its adjoint, so each is the rule of the other [1]_.

References
----------
.. [1] Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285, 2016, chapter 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index as integer
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..core import Node, Operation, is_recording, primitive, value_of
from .elementwise import floating, where
from .indexing import class_ids, getitem_p, putitem_p
from .reductions import mean
from .shape import reshape, shape_of, transpose

__all__ = [
    "avg_pool1d", "avg_pool2d", "conv1d", "conv2d", "dropout", "embedding", "max_pool1d", "max_pool2d", "one_hot",
]  # fmt: skip

Sizes = int | Sequence[int]  # one for every spatial axis, or one for all
Grid = tuple[int, ...]
Pads = list[tuple[int, int]]  # how much before and after, for every spatial axis

# With n spatial axes, which are the last of an array, those of a kernel become the first n of its windows.
# fmt: off
windows_p: Operation = primitive("windows", lambda x, kernel, **steps: _windows(x, kernel, **steps),
                      lambda g, y, x, kernel, **steps: unwindows_p(g, shape=x.shape[-len(kernel):], **steps))
unwindows_p: Operation = primitive("unwindows", lambda x, shape, **steps: _unwindows(x, shape, **steps),
                      lambda g, y, x, shape, **steps: windows_p(g, kernel=x.shape[:len(shape)], **steps))
# fmt: on


def _windows(x: Any, kernel: Grid, stride: Grid, dilation: Grid) -> Any:
    """View an array of shape (..., *spatial) as its windows, of shape (*kernel, ..., *out), without a copy."""
    n = len(kernel)
    y = sliding_window_view(x, _extents(kernel, dilation), tuple(range(-n, 0)))
    every: Any = (..., *(slice(None, None, step) for step in (*stride, *dilation)))
    return np.moveaxis(y[every], range(-n, 0), range(n))


def _unwindows(x: Any, shape: Grid, stride: Grid, dilation: Grid) -> Any:
    """Add windows of shape (*kernel, ..., *out) up where they overlap, in an array of shape (..., *shape)."""
    n = len(shape)
    y = np.zeros((*x.shape[n:-n], *shape), np.promote_types(x.dtype, np.float32))  # half precision adds up in single
    for offset in np.ndindex(x.shape[:n]):
        starts = [o * d for o, d in zip(offset, dilation, strict=True)]
        axes = zip(starts, x.shape[-n:], stride, strict=True)
        met: Any = (..., *(slice(start, start + count * step, step) for start, count, step in axes))
        y[met] += x[offset]
    return y.astype(x.dtype, copy=False)


def _extents(kernel: Grid, dilation: Grid) -> Grid:
    """How many entries a dilated kernel spans."""
    return tuple([d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)])


# -- the arguments of PyTorch --------------------------------------------------------------------------


def _sizes(name: str, sizes: Sizes, n: int, least: int = 1) -> Grid:
    """Give one size for each of `n` axes."""
    try:
        grid = tuple([integer(i) for i in sizes]) if isinstance(sizes, Sequence) else (integer(sizes),) * n
    except TypeError:
        grid = ()
    if len(grid) != n or min(grid) < least:
        raise ValueError(f"{name} is an integer of at least {least}, or a tuple of {n} such, not {sizes!r}")
    return grid


def _pads(padding: Sizes | str, kernel: Grid, stride: Grid, dilation: Grid) -> Pads:
    """How much to add before and after each axis; "same" puts an odd one after, as PyTorch does."""
    if padding == "valid":
        padding = 0
    if padding == "same":
        if set(stride) != {1}:
            raise ValueError(f"padding='same' needs a stride of 1, not {stride}: give the padding in numbers")
        spare = [extent - 1 for extent in _extents(kernel, dilation)]
        return [(i // 2, i - i // 2) for i in spare]
    if isinstance(padding, str):
        raise ValueError(f"padding is 'same', 'valid', or in numbers, not {padding!r}")
    return [(i, i) for i in _sizes("padding", padding, len(kernel), least=0)]


def _fit(name: str, shape: tuple[int, ...], pads: Pads, kernel: Grid, dilation: Grid) -> None:
    """Refuse a kernel that does not fit into the padded array."""
    extents, spatial = _extents(kernel, dilation), shape[-len(kernel) :]
    padded = tuple([before + i + after for i, (before, after) in zip(spatial, pads, strict=True)])
    if not all(spatial) or any(i < extent for i, extent in zip(padded, extents, strict=True)):
        raise ValueError(
            f"{name} of an array of shape {shape}: its last axes, {padded} with the padding, are shorter than the "
            f"kernel, which spans {extents} with its dilation, or empty"
        )


def _padded(x: Any, pads: Pads) -> Any:
    """Put zeros around the last axes of `x`."""
    if not any(map(any, pads)):
        return x
    lead, spatial = x.shape[: -len(pads)], x.shape[-len(pads) :]
    inside = [slice(before, before + i) for i, (before, _) in zip(spatial, pads, strict=True)]
    outer = [before + i + after for i, (before, after) in zip(spatial, pads, strict=True)]
    return putitem_p(x, index=(..., *inside), shape=(*lead, *outer))


# -- convolution ---------------------------------------------------------------------------------------


def _conv(
    n: int, x: Any, weight: Any, bias: Any, stride: Sizes, padding: Sizes | str, dilation: Sizes, groups: int
) -> Any:
    """Correlate along the last `n` axes: one product of matrices, the weight by the columns of windows."""
    name = f"conv{n}d"
    x, weight = floating(x), floating(weight)
    if x.ndim < n + 1 or weight.ndim != n + 2:
        raise ValueError(
            f"{name} takes x of shape (..., channels, *{n} lengths) and a weight of shape (out, channels / groups, "
            f"*{n} lengths), not {x.shape} and {weight.shape}"
        )
    *batch, channels = x.shape[:-n]
    features, inner, *lengths = weight.shape
    (groups,) = _sizes("groups", groups, 1)
    if channels != inner * groups or features % groups:
        raise ValueError(
            f"{name} of x {x.shape} with groups={groups} takes a weight whose first axis is a multiple of {groups} "
            f"and whose second is {channels} / {groups}, not a weight {weight.shape}"
        )
    if bias is not None and shape_of(bias) != (features,):
        raise ValueError(f"{name} with a weight {weight.shape} takes a bias ({features},), not {shape_of(bias)}")
    kernel, strides = _sizes("the kernel", lengths, n), _sizes("stride", stride, n)
    dilations = _sizes("dilation", dilation, n)
    pads = _pads(padding, kernel, strides, dilations)
    _fit(name, x.shape, pads, kernel, dilations)

    first = (len(batch), *range(len(batch)), *range(len(batch) + 1, x.ndim))  # channels first, then the batch
    if isinstance(x, Node) and isinstance(weight, Node) and not (x.requires_grad and is_recording()):
        x = x.value  # for speed: the views of what needs no graph need no copies
    x = _padded(transpose(x, first), pads)
    patches = windows_p(x, kernel=kernel, stride=strides, dilation=dilations)
    out = patches.shape[-n:]
    patches = transpose(patches, (n, *range(n), *range(n + 1, patches.ndim)))  # channels, kernel, batch, out
    columns = reshape(patches, (groups, inner * prod(kernel), prod(batch) * prod(out)))
    rows = reshape(weight, (groups, features // groups, inner * prod(kernel)))
    y = transpose(reshape(rows @ columns, (features, *batch, *out)), np.argsort(first).tolist())
    return y if bias is None else y + reshape(bias, (features, *[1] * n))


def conv1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Correlate along the last axis, as ``torch.nn.functional.conv1d`` does; see `conv2d`.

    Parameters
    ----------
    x : Tensor or array of shape (..., channels, length)
    weight : Tensor or array of shape (out, channels / groups, kernel length)
    bias : Tensor or array of shape (out,), optional
    stride, padding, dilation, groups : as in `conv2d`

    Raises
    ------
    ValueError
        If the shapes do not go together, or the kernel does not fit into the padded array.
    """
    return _conv(1, x, weight, bias, stride, padding, dilation, groups)


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Correlate along the last two axes, as ``torch.nn.functional.conv2d`` does: the kernel is not flipped.

    Parameters
    ----------
    x : Tensor or array of shape (..., channels, height, width)
    weight : Tensor or array of shape (out, channels / groups, kernel height, kernel width)
    bias : Tensor or array of shape (out,), optional
    stride : int or tuple
        How far the kernel moves. What is left over at the far end is not used, and has gradient 0.
    padding : int, tuple, "same" or "valid"
        How many zeros to put around each axis. "same" keeps the lengths, for a stride of 1; "valid" is 0.
    dilation : int or tuple
        How far apart the entries of the kernel lie.
    groups : int
        Into how many parts the channels fall, each with its own part of the results.

    Raises
    ------
    ValueError
        If the shapes do not go together, or the kernel does not fit into the padded array.
    """
    return _conv(2, x, weight, bias, stride, padding, dilation, groups)


# -- pooling -------------------------------------------------------------------------------------------


def _pool(
    name: str, n: int, x: Any, kernel_size: Sizes, stride: Sizes | None, padding: Sizes
) -> tuple[Any, Pads, dict[str, Grid]]:
    """Check the arguments of pooling: give the array, its padding, and the parameters of its windows."""
    x = x if isinstance(x, Node) else np.asarray(x)
    if x.ndim < n:
        raise ValueError(f"{name} takes an array with at least {n} axes, not of shape {x.shape}")
    kernel = _sizes("kernel_size", kernel_size, n)
    pads = [(i, i) for i in _sizes("padding", padding, n, least=0)]
    if any(2 * i > k for (i, _), k in zip(pads, kernel, strict=True)):
        raise ValueError(f"the padding of {name} is at most half of the kernel {kernel}, not {padding}")
    dilation = (1,) * n
    _fit(name, x.shape, pads, kernel, dilation)
    stride = kernel if stride is None else _sizes("stride", stride, n)
    return x, pads, {"kernel": kernel, "stride": stride, "dilation": dilation}


def _max_pool(n: int, x: Any, kernel_size: Sizes, stride: Sizes | None, padding: Sizes) -> Any:
    x, pads, grid = _pool(f"max_pool{n}d", n, x, kernel_size, stride, padding)
    lead, spatial = x.shape[:-n], x.shape[-n:]
    m, size = prod(lead), prod(spatial)

    def patches(values: Any) -> Any:
        if any(map(any, pads)):  # to repeat the edge changes no maximum
            values = np.pad(values, [(0, 0)] * (values.ndim - n) + pads, mode="edge")
        return _windows(values, **grid)

    cut = patches(value_of(x))
    out = cut.shape[-n:]
    k, p = prod(grid["kernel"]), prod(out)
    best = np.argmax(cut.reshape(k, m, p), axis=0)  # the first of those that tie, or of the NaNs
    places = patches(np.arange(size).reshape(spatial)).reshape(k, p)[best, np.arange(p)]
    places += size * np.arange(m)[:, None]
    return getitem_p(reshape(x, (m * size,)), index=places.reshape(*lead, *out))


def _avg_pool(n: int, x: Any, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, count_include_pad: bool) -> Any:
    x, pads, grid = _pool(f"avg_pool{n}d", n, x, kernel_size, stride, padding)
    axes = tuple(range(n))
    y = mean(windows_p(_padded(x, pads), **grid), axis=axes)
    if count_include_pad:
        return y
    inside = np.ones(x.shape[-n:], y.dtype)
    return y / mean(windows_p(_padded(inside, pads), **grid), axis=axes)  # by the part of the window that is inside


def max_pool1d(x: Any, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> Any:
    """Take the largest entry of each window along the last axis; see `max_pool2d`."""
    return _max_pool(1, x, kernel_size, stride, padding)


def max_pool2d(x: Any, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> Any:
    """Take the largest entry of each window along the last two axes. Of entries that tie, the first has the gradient.

    Parameters
    ----------
    x : Tensor or array of shape (..., height, width)
    kernel_size : int or tuple
    stride : int or tuple, optional
        How far the window moves; by its own size by default.
    padding : int or tuple
        How far windows reach over each edge, at most half of their size. What is there is never the largest.

    Raises
    ------
    ValueError
        If the window does not fit into the padded array, or the padding is too large.
    """
    return _max_pool(2, x, kernel_size, stride, padding)


def avg_pool1d(
    x: Any, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, count_include_pad: bool = True
) -> Any:
    """Average each window along the last axis; see `avg_pool2d`."""
    return _avg_pool(1, x, kernel_size, stride, padding, count_include_pad)


def avg_pool2d(
    x: Any, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, count_include_pad: bool = True
) -> Any:
    """Average each window along the last two axes.

    Parameters
    ----------
    x : Tensor or array of shape (..., height, width)
    kernel_size : int or tuple
    stride : int or tuple, optional
        How far the window moves; by its own size by default.
    padding : int or tuple
        How many zeros to put around each axis, at most half of the window.
    count_include_pad : bool
        Whether those zeros count as entries, as in PyTorch by default, or the average is of the others only.

    Raises
    ------
    ValueError
        If the window does not fit into the padded array, or the padding is too large.
    """
    return _avg_pool(2, x, kernel_size, stride, padding, count_include_pad)


# -- embedding and dropout -----------------------------------------------------------------------------


def embedding(ids: Any, weight: Any) -> Any:
    """Look up ``weight[ids]``. A row that is named several times has the sum of their gradients.

    Parameters
    ----------
    ids : integer array of any shape
    weight : Tensor or array of shape (classes, features)

    Raises
    ------
    IndexError
        If an id is negative or not less than the number of classes.
    TypeError
        If ids are not integers.
    """
    shape = shape_of(weight)
    if len(shape) != 2:
        raise ValueError(f"embedding takes a weight of shape (classes, features), not {shape}")
    return getitem_p(weight, index=class_ids(ids, shape[0]))


def one_hot(ids: Any, classes: int, dtype: Any = np.float64) -> Any:
    """Make an array of shape (*ids.shape, classes), a constant, with 1 at each id and 0 elsewhere.

    Raises
    ------
    IndexError
        If an id is negative or not less than `classes`.
    TypeError
        If ids are not integers.
    """
    return (class_ids(ids, classes)[..., None] == np.arange(classes)).astype(dtype)


def dropout(x: Any, p: float, rng: np.random.Generator, training: bool = True) -> Any:
    """Put 0 for each entry with probability `p`, and divide the others by ``1 - p``, so that the mean stays [1]_.

    Parameters
    ----------
    x : Tensor or array
    p : float
        From 0 to 1, where nothing is left but zeros.
    rng : numpy.random.Generator
        Decides which.
    training : bool
        Otherwise `x` is given as it is, and `rng` is left alone.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    References
    ----------
    .. [1] Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014).
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability from 0 to 1, not {p!r}")
    x = floating(x)
    return where(rng.random(x.shape) >= p, x, 0) / (1 - float(p) or 1) if training else x
