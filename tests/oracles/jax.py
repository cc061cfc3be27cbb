"""What JAX says in other words than NumPy."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
from jax import lax, nn
from jax import numpy as jnp
from jax.scipy import special

from . import Function, Library, scan, without

jax.config.update("jax_enable_x64", True)


def array(x: Any) -> Any:
    return jnp.asarray(x) if isinstance(x, np.ndarray) else x


def values_and_vjp(f: Function, xs: list[Any], cts: list[Any]) -> tuple[Any, Any]:
    ys, vjp = jax.vjp(f, *xs)
    return ys, vjp(
        [
            jnp.ones_like(y) if ct is None or np.shape(ct) != y.shape else jnp.asarray(ct, y.dtype)
            for y, ct in zip(ys, cts, strict=False)
        ]
    )


def getitem(x: Any, index: Any) -> Any:
    part = lambda i: np.array(i) if isinstance(i, list) else i
    return x[tuple(map(part, index)) if type(index) is tuple else part(index)]


def convolve(x: Any, w: Any, *b: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    n = w.ndim - 2
    around = padding.upper() if isinstance(padding, str) else [(i, i) for i in padding]
    flat = x.reshape(-1, *x.shape[-n - 1 :])
    y = lax.conv_general_dilated(flat, w, stride, around, rhs_dilation=dilation, feature_group_count=groups)
    y = y.reshape(*x.shape[: -n - 1], *y.shape[1:])
    return y + b[0].reshape(-1, *[1] * n) if b else y


def windows(x: Any, start: float, f: Function, kernel_size: Any, stride: Any, padding: Any) -> Any:
    whole = [1] * (x.ndim - len(kernel_size))
    pairs = [*[(0, 0)] * len(whole), *((i, i) for i in padding)]
    return lax.reduce_window(x, start, f, (*whole, *kernel_size), (*whole, *(stride or kernel_size)), pairs)


def max_pool(x: Any, **params: Any) -> Any:
    return windows(x, -math.inf, lax.max, **params)


def avg_pool(x: Any, count_include_pad: bool, **params: Any) -> Any:
    count = (
        math.prod(params["kernel_size"]) if count_include_pad else windows(jnp.ones(x.shape), 0.0, lax.add, **params)
    )
    return windows(x, 0.0, lax.add, **params) / count


product = jax.custom_vjp(lambda x, y: x * y)
product.defvjp(lambda x, y: (x * y, (x, y)), lambda xs, g: (g * xs[1], g * xs[0]))


def gradient(x: Any, *steps: Any, edge_order: int, **axis: Any) -> Any:
    found = jnp.gradient(x, *steps, **axis) if edge_order == 1 else without("JAX has the first order at the edges")
    return tuple(found) if isinstance(found, list) else found


FUNCTIONS: dict[str, Function] = {
    "getitem": getitem,
    "clip": lambda x, low=None, high=None, a_min=None, a_max=None: jnp.clip(
        x, a_min if low is None else low, a_max if high is None else high
    ),
    "compress": lambda condition, x, axis: jnp.compress(np.array(condition, bool), x, axis),
    "partition": lambda *args, **params: without("JAX has another order within the parts"),
    "quantile": lambda x, q, **params: jnp.quantile(x, np.array(q, float), **params),
    "percentile": lambda x, q, **params: jnp.percentile(x, np.array(q, float), **params),
    "nanquantile": lambda x, q, **params: jnp.nanquantile(x, np.array(q, float), **params),
    "nanpercentile": lambda x, q, **params: jnp.nanpercentile(x, np.array(q, float), **params),
    "delete": lambda x, obj, axis: jnp.delete(x, np.array(obj, int) if isinstance(obj, list) else obj, axis),
    "insert": lambda x, obj, v, axis: jnp.insert(x, np.array(obj, int), v, axis),
    "repeat": lambda x, repeats, axis: jnp.repeat(x, np.array(repeats), axis),
    "gradient": gradient,
    "rot90": lambda x, k, axes: jnp.rot90(x, k, tuple(axes)),
    "take": lambda x, indices, axis, mode: jnp.take(x, indices, axis, mode=None if mode == "raise" else mode),
}  # fmt: skip

ROWS: dict[str, Function] = {
    "sigmoid": nn.sigmoid,
    "erf": special.erf,
    "erfc": special.erfc,
    "softplus": nn.softplus,
    "softsign": nn.soft_sign,
    "relu": nn.relu,
    "leaky_relu": lambda x, slope: nn.leaky_relu(x, slope),
    "silu": nn.silu,
    "gelu": lambda x, approximate: nn.gelu(x, approximate == "tanh"),
    "elu": nn.elu,
    "selu": nn.selu,
    "hardtanh": lambda x, max_val, min_val=-1: (
        nn.hard_tanh(x) if (min_val, max_val) == (-1, 1) else without("other limits")
    ),
    "logsigmoid": nn.log_sigmoid,
    "logsumexp": special.logsumexp,
    "softmax": nn.softmax,
    "log_softmax": nn.log_softmax,
    "cummax": scan(lax.cummax),
    "cummin": scan(lax.cummin),
    "ops.getitem": getitem,
    "set_at": lambda x, v, index: x.at[index].set(v),
    "add_at": lambda x, v, index: x.at[index].add(v),
    "conv1d": convolve,
    "conv2d": convolve,
    "max_pool1d": max_pool,
    "max_pool2d": max_pool,
    "avg_pool1d": avg_pool,
    "avg_pool2d": avg_pool,
    "embedding": lambda weight, ids: jnp.take(weight, ids, axis=0),
    "checkpoint": jax.checkpoint(lambda x, y: jnp.sin(x) * y + x),
    "custom_vjp": lambda x, y: product(*jnp.broadcast_arrays(x, y)),
    "dropout": lambda x, **params: without("JAX has no dropout"),
}


def grad(f: Function) -> Function:
    return jax.grad(lambda x: f(x).sum())


LIBRARY = Library("JAX", jnp, jax.Array, array, values_and_vjp, grad, FUNCTIONS, ROWS)
