"""NumPy's own functions on Tensors: which of ours answers for which of theirs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from . import linalg, ops
from .core import Node

Function = Callable[..., Any]

# Our functions have NumPy's names, so most answer for their namesakes.
NAMESPACES: list[tuple[Any, Any]] = [(np, ops), (np.linalg, linalg)]
ANSWERS: dict[Function, Function] = {
    getattr(theirs, name): getattr(ours, name)
    for theirs, ours in NAMESPACES
    for name in ours.__all__
    if hasattr(theirs, name)
} | {np.amax: ops.max, np.amin: ops.min}

# The methods of ufuncs that go along an axis: 0 by default, unlike those of the functions.
METHODS: dict[str, dict[Function, Function]] = {
    "reduce": {
        np.add: ops.sum, np.multiply: ops.prod, np.maximum: ops.max, np.minimum: ops.min, np.logaddexp: ops.logsumexp,
    },
    "accumulate": {
        np.add: ops.cumsum, np.multiply: ops.cumprod, np.maximum: ops.cummax, np.minimum: ops.cummin,
    },
}  # fmt: skip

# Piecewise constant, or about the array and not its numbers: the answer is a plain array.
PLAIN: frozenset[Function] = frozenset({
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.logical_and, np.logical_or,
    np.logical_xor, np.logical_not, np.sign, np.signbit, np.floor, np.ceil, np.rint, np.trunc, np.isnan, np.isinf,
    np.isfinite, np.floor_divide,
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argwhere, np.nonzero, np.count_nonzero,
    np.searchsorted, np.all, np.any, np.isclose, np.allclose, np.array_equal, np.round, np.result_type,
    np.zeros_like, np.ones_like, np.full_like, np.empty_like, np.array2string, np.array_repr, np.array_str,
    np.iscomplexobj, np.isrealobj, np.shares_memory, np.may_share_memory,
})  # fmt: skip


def ufunc(function: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Answer for ``function(*inputs)`` and the methods ``reduce``, ``accumulate`` and ``outer``."""
    if method == "__call__" and not kwargs and function in ANSWERS:
        return ANSWERS[function](*inputs)
    if function in PLAIN:
        return getattr(function, method)(*plain(inputs), **plain(dict(kwargs)))
    if along := METHODS.get(method, {}).get(function):
        return _called(f"{_name(function)}.{method}", along, inputs, {"axis": 0, **kwargs})
    if function not in ANSWERS:
        raise _unsupported(function)
    if method == "outer" and not kwargs:
        x, y = inputs
        return ANSWERS[function](ops.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y)
    if "out" in kwargs:
        raise TypeError(
            f"{_name(function)} cannot write a Tensor into an array (out=, or an operator like a += t): "
            "write a = a + t, or leave the graph with t.data"
        )
    what = f"method {method}" if method != "__call__" else "keyword " + ", ".join(f"{k}=" for k in kwargs)
    raise TypeError(f"{_name(function)} of a Tensor has no {what}: call it plainly, or leave the graph with t.data")


def function(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Answer for a NumPy function that is not a ufunc."""
    if function in PLAIN or (function is np.where and len(args) == 1):
        return function(*plain(args), **plain(dict(kwargs)))
    if function not in ANSWERS:
        raise _unsupported(function)
    return _called(_name(function), ANSWERS[function], args, kwargs)


def plain(x: Any) -> Any:
    """Put arrays for the Tensors in nested tuples, lists and dicts."""
    if isinstance(x, Node):
        return x.value
    if isinstance(x, (tuple, list)):
        return type(x)([plain(part) for part in x])
    return {key: plain(value) for key, value in x.items()} if isinstance(x, dict) else x


def _called(name: str, ours: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    given = {key: x for key, x in kwargs.items() if x is not None or key not in ("out", "dtype")}  # None says nothing
    try:
        return ours(*args, **given)
    except TypeError:
        signature = inspect.signature(ours)
        try:
            signature.bind(*args, **given)
        except TypeError as error:
            bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
            takes = signature.replace(parameters=bare, return_annotation=signature.empty)
            raise TypeError(f"{name} of a Tensor takes {takes}: {error}; or leave the graph with t.data") from None
        raise


def _name(function: Function) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module}.{function.__name__}".replace("numpy.", "np.", 1)


def _unsupported(function: Function) -> TypeError:
    names = {known.__name__: _name(known) for known in ANSWERS}
    near = ", ".join(names[name] for name in get_close_matches(function.__name__, names, 3, 0.6))
    hint = f"the nearest that have one: {near}" if near else "ag.primitive states one"
    return TypeError(
        f"{_name(function)} has no derivative rule for Tensors; {hint}. To leave the graph on purpose, pass t.data"
    )
