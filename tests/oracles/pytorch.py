"""What PyTorch says in other words than NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import linalg as la
from torch.nn import functional as nn
from torch.utils.checkpoint import checkpoint

from . import Function, Library, scan, without


def array(x: Any) -> Any:
    return torch.tensor(np.array(x)) if isinstance(x, np.ndarray | np.generic) else x


def values_and_vjp(f: Function, xs: list[Any], cts: list[Any]) -> tuple[Any, Any]:
    xs = [x.requires_grad_() for x in xs]
    ys = f(*xs)
    seeds = [
        torch.ones_like(y) if ct is None or np.shape(ct) != y.shape else torch.tensor(ct).to(y.dtype)
        for y, ct in zip(ys, cts, strict=False)
    ]
    found = torch.autograd.grad(ys, xs, seeds, materialize_grads=True)
    return [y.detach() for y in ys], [ct.detach() for ct in found]


# -- reductions over several axes ----------------------------------------------------------------------


def axes_of(axis: Any, ndim: int) -> tuple[list[int], list[int]]:
    """List the axes that are left, and those that go."""
    gone = sorted(i % ndim for i in (range(ndim) if axis is None else np.atleast_1d(np.array(axis, int)).tolist()))
    return [i for i in range(ndim) if i not in gone], gone


def flat(x: Any, left: list[int], gone: list[int]) -> Any:
    shape = (*(x.shape[i] for i in left), math.prod(x.shape[i] for i in gone))
    return x.permute((*left, *gone)).reshape(shape)


def along(f: Function) -> Function:
    """Let a reduction of the last axis reduce any."""

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        left, gone = axes_of(axis, x.ndim)
        y = f(flat(x, left, gone))
        kept = tuple(1 if i in gone else n for i, n in enumerate(x.shape))
        return y.reshape((*y.shape[: y.ndim - len(left)], *kept)) if keepdims else y

    return reduced


def over(f: Function) -> Function:
    """Let what keeps the shape, and goes over the last axis, go over any."""

    def called(x: Any, axis: Any) -> Any:
        left, gone = axes_of(axis, x.ndim)
        order = [*left, *gone]
        y = f(flat(x, left, gone)).reshape([x.shape[i] for i in order])
        return y.permute([order.index(i) for i in range(x.ndim)])

    return called


def quantile(f: Function, whole: int = 1) -> Function:
    def called(x: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
        p = torch.tensor(np.divide(q, whole), dtype=x.dtype)  # PyTorch takes no other dtype; NumPy's promotes
        y = along(lambda x: f(x, p.reshape(-1), -1).reshape((*p.shape, *x.shape[:-1])))(x, axis, keepdims)
        return y if type(q) in (int, float) else y.double()

    return called


def amax(x: Any) -> Any:
    return torch.amax(x, -1)


# -- indices -------------------------------------------------------------------------------------------


def place(i: Any) -> Any:
    if isinstance(i, list | np.ndarray):
        if np.ndim(i) and np.asarray(i).dtype.kind == "i":
            return torch.tensor(i).long()
        return torch.tensor(i) if np.ndim(i) or i.dtype == bool else int(i)
    return without("PyTorch slices forwards") if isinstance(i, slice) and (i.step or 1) < 0 else i


def getitem(x: Any, index: Any) -> Any:
    return x[tuple(map(place, index)) if type(index) is tuple else place(index)]


def put(x: Any, v: Any, index: Any, accumulate: bool) -> Any:
    places = getitem(torch.arange(x.numel()).reshape(x.shape), index)
    v = v.expand(torch.broadcast_shapes(v.shape, places.shape)).reshape(places.shape)
    return x.reshape(-1).index_put((places,), v, accumulate=accumulate).reshape(x.shape)


def counted(x: Any, indices: Any, axis: Any) -> Any:
    """Indices that count from the front alone."""
    return torch.tensor(indices % max(x.numel() if axis is None else x.shape[axis], 1))


def take(x: Any, indices: Any, axis: Any, mode: str) -> Any:
    i = counted(x, indices, axis) if mode == "raise" else without("PyTorch takes what is there")
    if axis is None:
        return torch.take(x, i)
    y = torch.index_select(x, axis, i.reshape(-1))
    return y.unflatten(axis, i.shape) if i.ndim else y.squeeze(axis)


def split(f: Function) -> Function:
    def called(x: Any, indices_or_sections: Any, **axis: Any) -> Any:
        parts = indices_or_sections
        return f(x, tuple(parts) if isinstance(parts, list) else parts, *axis.values())

    return called


# -- the rest ------------------------------------------------------------------------------------------


def clip(x: Any, low: Any = None, high: Any = None, a_min: Any = None, a_max: Any = None) -> Any:
    return torch.clip(x, *(array(a if b is None else b) for a, b in ((a_min, low), (a_max, high))))


def pad(x: Any, pad_width: Any, mode: str, constant_values: Any = 0) -> Any:
    if mode != "constant" or np.ndim(constant_values):
        without("PyTorch pads with one number if there may be any number of axes")
    pairs = np.broadcast_to(pad_width, (x.ndim, 2))[::-1]
    return nn.pad(x, pairs.reshape(-1).tolist(), value=constant_values)


def diff(x: Any, n: int = 1, axis: int = -1, **ends: Any) -> Any:
    like = [1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)]
    return torch.diff(x, n, axis, **{name: end if end.ndim else end.expand(like) for name, end in ends.items()})


def cumulative(f: Function) -> Function:
    return lambda x, axis=0, include_initial=False: (
        without("PyTorch starts with the first") if include_initial else f(torch.atleast_1d(x), axis)
    )


def gradient(x: Any, *steps: Any, axis: Any = None, edge_order: int) -> Any:
    axes = axes_of(axis, x.ndim)[1] if axis is None else np.atleast_1d(axis).tolist()
    steps = tuple(map(array, steps)) or (1.0,)
    steps = steps * len(axes) if len(steps) == 1 else steps
    parts = torch.gradient(x, spacing=steps, dim=axes, edge_order=edge_order)
    return parts[0] if len(parts) == 1 else parts


def correlate(x: Any, y: Any, mode: str) -> Any:
    if len(x) < len(y):
        return correlate(y, x, mode).flip(0)
    n = len(y)
    around = {"full": (n - 1, n - 1), "same": (n // 2, (n - 1) // 2), "valid": (0, 0)}[mode]
    return nn.conv1d(nn.pad(x, around)[None], y[None, None])[0]


def observed(*xs: Any, rowvar: bool) -> Any:
    """Give a row for each variable."""
    return torch.cat([torch.atleast_2d(x if rowvar or x.ndim == 1 else x.T) for x in xs])


def cross(x: Any, y: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    a, b, c = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    return la.cross(*torch.broadcast_tensors(x.movedim(a, -1), y.movedim(b, -1))).movedim(-1, c)


def convolve(x: Any, w: Any, *b: Any, **params: Any) -> Any:
    n = w.ndim - 2
    y = (nn.conv1d, nn.conv2d)[n - 1](x.reshape((-1, *x.shape[-n - 1 :])), w, *b, **params)
    return y.reshape((*x.shape[: -n - 1], *y.shape[1:]))


def pool(f: Function) -> Function:
    def pooled(x: Any, kernel_size: Any, **params: Any) -> Any:
        whole = x.ndim - len(kernel_size)
        y = f(x.reshape((math.prod(x.shape[:whole]), 1, *x.shape[whole:])), kernel_size, **params)
        return y.reshape((*x.shape[:whole], *y.shape[2:]))

    return pooled


class Product(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Any, y: Any) -> Any:
        context.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(context: Any, g: Any) -> Any:
        x, y = context.saved_tensors
        return g * y, g * x


# fmt: off
FUNCTIONS: dict[str, Function] = {
    "power": torch.pow,
    "divmod": lambda x, y: (torch.div(x, y, rounding_mode="floor"), torch.remainder(x, y)),
    "modf": lambda x: (torch.frac(x), torch.trunc(x)),
    "fabs": torch.abs,
    "degrees": torch.rad2deg,
    "radians": torch.deg2rad,
    "clip": clip,
    "where": lambda condition, x, y: torch.where(*map(array, (condition, x, y))),
    "max": lambda x, axis=None, **kept: torch.max(x) if axis is None and not kept else along(amax)(x, axis, **kept),
    "min": along(lambda x: torch.amin(x, -1)),
    "prod": along(lambda x: torch.prod(x, -1)),
    "median": along(lambda x: torch.median(x, -1).values),
    "var": lambda x, axis=None, ddof=0, keepdims=False: torch.var(x, axis, correction=ddof, keepdim=keepdims),
    "std": lambda x, axis=None, ddof=0, keepdims=False: torch.std(x, axis, correction=ddof, keepdim=keepdims),
    "quantile": quantile(torch.quantile),
    "percentile": quantile(torch.quantile, whole=100),
    "nanmedian": along(lambda x: torch.nanmedian(x, -1).values),
    "nanquantile": quantile(torch.nanquantile),
    "nanpercentile": quantile(torch.nanquantile, whole=100),
    "trapezoid": lambda y, *x, dx=1.0, axis: torch.trapezoid(y, *x, **({} if x else {"dx": dx}), dim=axis),
    "norm": lambda x, ord=None, axis=None, keepdims=False: la.norm(
        x, "fro" if ord == "f" else ord, axis, keepdim=keepdims
    ),
    "cumsum": scan(torch.cumsum),
    "cumprod": scan(torch.cumprod),
    "cumulative_sum": cumulative(torch.cumsum),
    "cumulative_prod": cumulative(torch.cumprod),
    "diff": diff,
    "ediff1d": lambda x, *ends: without("PyTorch adds no ends to differences") if ends else torch.diff(x.reshape(-1)),
    "gradient": gradient,
    "reshape": lambda x, shape, order="C": (
        torch.reshape(x, shape if np.ndim(shape) else (shape,)) if order == "C" else without("order")),
    "ravel": lambda x, order="C": torch.ravel(x) if order == "C" else without("order"),
    "transpose": lambda x, axes=None: torch.permute(x, tuple(range(x.ndim))[::-1] if axes is None else axes),
    "permute_dims": lambda x, axes=None: FUNCTIONS["transpose"](x, axes),
    "matrix_transpose": lambda x: x.mT,
    "swapaxes": lambda x, axis1, axis2: torch.swapaxes(x, axis1, axis2),
    "squeeze": lambda x, axis=None: torch.squeeze(x) if axis is None else torch.squeeze(x, axis),
    "expand_dims": lambda x, axis: torch.unsqueeze(x, axis) if type(axis) is int else without("several at once"),
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
    "broadcast_arrays": torch.broadcast_tensors,
    "meshgrid": lambda *xs, indexing, sparse=False: (
        without("sparse grids") if sparse else torch.meshgrid(*xs, indexing=indexing)),
    "concatenate": lambda xs, axis=0: torch.cat([x.reshape(-1) for x in xs] if axis is None else xs, axis or 0),
    "append": lambda x, y, axis=None: FUNCTIONS["concatenate"]([x, y], axis),
    "astype": lambda x, dtype: x.to(getattr(torch, np.dtype(dtype).name)),
    "copy": torch.clone,
    "flip": lambda x, axis=None: torch.flip(x, axes_of(axis, x.ndim)[1]),
    "rot90": lambda x, k, axes: torch.rot90(x, k, axes),
    "roll": lambda x, shift, axis: torch.roll(x, [shift] * np.size(axis) if np.ndim(axis) > np.ndim(shift) else shift,
                                              axis),
    "tile": lambda x, reps: torch.tile(x, tuple(np.atleast_1d(np.array(reps, int)).tolist())),
    "pad": pad,
    "tril": lambda x, k: torch.tril(x, k),
    "triu": lambda x, k: torch.triu(x, k),
    "diag": lambda x, k: torch.diag(x, k),
    "diagflat": lambda x, k: torch.diagflat(x, k),
    "diagonal": lambda x, offset, axis1, axis2: torch.diagonal(x, offset, axis1, axis2),
    "linalg.diagonal": la.diagonal,
    "trace": lambda x, offset, axis1, axis2: torch.diagonal(x, offset, axis1, axis2).sum(-1),
    "linalg.trace": lambda x, offset: torch.diagonal(x, offset, -2, -1).sum(-1),
    "getitem": getitem,
    "take": take,
    "take_along_axis": lambda x, indices, axis: torch.take_along_dim(x, counted(x, indices, axis), axis),
    "extract": lambda condition, x: torch.masked_select(x, torch.tensor(condition)),
    "repeat": lambda x, repeats, axis: torch.repeat_interleave(x, torch.tensor(repeats), axis),
    "select": lambda *args: without("PyTorch has no select among arrays"),
    "sort": lambda x, axis=-1: torch.sort(x.reshape(-1) if axis is None else x, dim=axis or 0).values,
    "array_split": split(torch.tensor_split),
    "split": split(torch.tensor_split),
    "hsplit": split(torch.hsplit),
    "vsplit": split(torch.vsplit),
    "dsplit": split(torch.dsplit),
    "unstack": lambda x, axis: torch.unbind(x, axis),
    "einsum": lambda *args, optimize: torch.einsum(*args),
    "tensordot": lambda x, y, axes: torch.tensordot(
        x, y, axes if type(axes) is int else [np.atleast_1d(i).tolist() for i in axes]),
    "vecdot": lambda x, y, axis=-1: la.vecdot(x, y, dim=axis),
    "vdot": lambda x, y: torch.vdot(x.reshape(-1), y.reshape(-1)),
    "outer": lambda x, y: torch.outer(x.reshape(-1), y.reshape(-1)),
    "cross": cross,
    "convolve": lambda x, y, mode: correlate(*((x, y.flip(0)) if len(x) >= len(y) else (y, x.flip(0))), mode),
    "correlate": correlate,
    "bincount": lambda numbers, weights, minlength: torch.bincount(torch.tensor(numbers), weights, minlength),
    "linspace": lambda *args, **params: without("PyTorch does not differentiate the ends"),
    "cov": lambda *xs, rowvar, bias, ddof=None: torch.cov(
        observed(*xs, rowvar=rowvar), correction=int(not bias) if ddof is None else ddof),
    "corrcoef": lambda *xs, rowvar: torch.corrcoef(observed(*xs, rowvar=rowvar)),
    "svd": lambda x, full_matrices=True, compute_uv=True: la.svd(x, full_matrices) if compute_uv else la.svdvals(x),
    "qr": lambda x, mode="reduced": la.qr(x, mode).R if mode == "r" else la.qr(x, mode),
    "vector_norm": lambda x, **params: la.vector_norm(x, **dimmed(params)),
    "matrix_norm": lambda x, **params: la.matrix_norm(x, **dimmed(params)),
}

ROWS: dict[str, Function] = {
    "erf": torch.erf,
    "erfc": torch.erfc,
    "sigmoid": torch.sigmoid,
    "softplus": nn.softplus,
    "softsign": nn.softsign,
    "relu": nn.relu,
    "leaky_relu": lambda x, slope: nn.leaky_relu(x, slope),
    "silu": nn.silu,
    "gelu": nn.gelu,
    "elu": nn.elu,
    "selu": nn.selu,
    "hardtanh": nn.hardtanh,
    "logsigmoid": nn.logsigmoid,
    "logsumexp": along(lambda x: torch.logsumexp(x, -1)),
    "softmax": over(lambda x: nn.softmax(x, -1)),
    "log_softmax": over(lambda x: nn.log_softmax(x, -1)),
    "cummax": scan(lambda x, axis: torch.cummax(x, axis).values),
    "cummin": scan(lambda x, axis: torch.cummin(x, axis).values),
    "ops.getitem": getitem,
    "set_at": lambda x, v, index: put(x, v, index, accumulate=False),
    "add_at": lambda x, v, index: put(x, v, index, accumulate=True),
    "conv1d": convolve,
    "conv2d": convolve,
    "max_pool1d": pool(nn.max_pool1d),
    "max_pool2d": pool(nn.max_pool2d),
    "avg_pool1d": pool(nn.avg_pool1d),
    "avg_pool2d": pool(nn.avg_pool2d),
    "embedding": lambda weight, ids: nn.embedding(torch.tensor(ids), weight),
    "checkpoint": lambda x, y: checkpoint(lambda x, y: torch.sin(x) * y + x, x, y, use_reentrant=False),
    "custom_vjp": lambda x, y: Product.apply(*torch.broadcast_tensors(x, y)),
    "dropout": lambda x, **params: without("another generator draws another mask"),
    "mse": nn.mse_loss,
    "mse_loss": nn.mse_loss,
    "l1_loss": nn.l1_loss,
    "huber_loss": nn.huber_loss,
    "binary_cross_entropy": nn.binary_cross_entropy,
    "binary_cross_entropy_with_logits": nn.binary_cross_entropy_with_logits,
    "cross_entropy": lambda x, target, reduction: nn.cross_entropy(x, torch.tensor(target), reduction=reduction),
    "nll_loss": lambda x, target, reduction: nn.nll_loss(x, torch.tensor(target), reduction=reduction),
    "kl_div": nn.kl_div,
    "nll": lambda x, ids: nn.nll_loss(x, torch.tensor(ids)),
}
# fmt: on


def dimmed(params: dict[str, Any]) -> dict[str, Any]:
    return {{"axis": "dim", "keepdims": "keepdim"}.get(name, name): value for name, value in params.items()}


def grad(f: Function) -> Function:
    return torch.func.grad(lambda x: f(x).sum())


LIBRARY = Library("PyTorch", torch, torch.Tensor, array, values_and_vjp, grad, FUNCTIONS, ROWS)
