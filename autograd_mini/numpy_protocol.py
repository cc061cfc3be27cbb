"""NumPy's own functions on Tensors: which of ours answers for which of theirs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from operator import attrgetter
from typing import Any

import numpy as np

from . import linalg, ops
from .core import Node

Function = Callable[..., Any]


def named(names: str) -> list[Function]:
    """Find functions by their names in `numpy`; a NumPy may not have them yet, or no longer."""
    paths = [name.rpartition(".") for name in names.split()]
    found = [getattr(np.linalg if home else np, name, None) for home, _, name in paths]
    return [function for function in found if function is not None]


# -- the table: every function of numpy and numpy.linalg is in one of its four parts --------------------

# 1. Differentiable. Our functions have NumPy's names, so most answer for their namesakes.
NAMESPACES: list[tuple[Any, Any]] = [(np, ops), (np.linalg, linalg)]
ANSWERS: dict[Function, Function] = {
    getattr(theirs, name): getattr(ours, name)
    for theirs, ours in NAMESPACES
    for name in ours.__all__
    if hasattr(theirs, name)
} | {
    theirs: ours
    for names, ours in {
        "conjugate real real_if_close": ops.positive, "row_stack": ops.vstack,
        "trapz": ops.trapezoid,
    }.items()
    for theirs in named(names)
}  # fmt: skip

# The methods of ufuncs that go along an axis: 0 by default, unlike those of the functions.
METHODS: dict[str, dict[Function, Function]] = {
    "reduce": {
        np.add: ops.sum, np.multiply: ops.prod, np.maximum: ops.max, np.minimum: ops.min, np.logaddexp: ops.logsumexp,
    },
    "accumulate": {
        np.add: ops.cumsum, np.multiply: ops.cumprod, np.maximum: ops.cummax, np.minimum: ops.cummin,
    },
}  # fmt: skip

# 2. Leaves the graph: piecewise constant, or about the array and not its numbers. The answer is a plain array.
LEAVES = """
    equal not_equal less less_equal greater greater_equal isclose allclose array_equal array_equiv
    logical_and logical_or logical_xor logical_not all any isin in1d
    isnan isinf isfinite isneginf isposinf iscomplex iscomplexobj isreal isrealobj
    sign signbit floor ceil rint trunc fix round around floor_divide spacing angle imag
    argmax argmin nanargmax nanargmin argwhere nonzero flatnonzero count_nonzero searchsorted digitize lexsort
    shape ndim size result_type can_cast common_type min_scalar_type linalg.matrix_rank einsum_path
    diag_indices_from tril_indices_from triu_indices_from
    zeros_like ones_like full_like empty_like array2string array_repr array_str shares_memory may_share_memory
"""
PLAIN: frozenset[Function] = frozenset(named(LEAVES))

# 3. Refused at the call, and what to do instead.
REFUSED: dict[str, str] = {
    "copyto fill_diagonal place put put_along_axis putmask":
        "an array that is written to forgets where its numbers are from: ag.set_at and ag.add_at give a new one",
    "linalg.eig linalg.eigvals roots":
        "its results are complex numbers: np.linalg.eigh and eigvalsh of a symmetric matrix are real",
    "sort_complex": "its results are complex numbers: np.sort is real",
    "unique unique_all unique_counts unique_inverse unique_values union1d intersect1d setdiff1d setxor1d":
        "which of equal entries stays is arbitrary: choose them, t[np.unique(t.data, return_index=True)[1]]",
    "histogram histogram2d histogramdd histogram_bin_edges":
        "counts are constant in pieces and the edges are not: pass t.data, and add weights up with np.bincount",
    "geomspace": "write np.exp(np.linspace(np.log(start), np.log(stop), num))",
    "logspace": "write base ** np.linspace(start, stop, num)",
    "i0": "its derivative, the Bessel function of order 1, is not in NumPy: ag.primitive states one of yours",
    "nextafter": "a step of rounding is no number to differentiate: pass t.data",
    "apply_over_axes": "pass all axes at once: np.sum(t, axis=(0, 1), keepdims=True)",
    "poly polymul": "multiply polynomials with np.convolve",
    "polydiv": "the remainder of polynomials has no derivative rule: pass t.data",
    "polyfit": "solve it: np.linalg.lstsq(np.vander(x, degree + 1), y)",
    "bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_invert invert bitwise_count left_shift right_shift "
    "bitwise_left_shift bitwise_right_shift gcd lcm packbits unpackbits":
        "it is of integers, which have no derivative: pass t.data.astype(int)",
    "ix_ ravel_multi_index unravel_index":
        "places are integers, which have no derivative: pass t.data.astype(int)",
    "isnat is_busday busday_count busday_offset datetime_as_string": "it is of dates, and a Tensor holds numbers",
}  # fmt: skip

# 4. Takes nothing to differentiate. A Tensor in its place is refused by NumPy, or by `Tensor.__array__`.
OTHERS: dict[str, str] = {
    "array asarray asanyarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bmat require full arange "
    "fromiter kaiser bartlett blackman hamming hanning save savez savez_compressed savetxt":
        "it takes arrays and plain numbers: pass t.data, or join Tensors with ag.stack",
    "zeros ones empty eye identity tri tril_indices triu_indices diag_indices mask_indices indices fromfunction "
    "broadcast_shapes base_repr binary_repr format_float_positional format_float_scientific":
        "it takes lengths or a number, not arrays",
    "frombuffer fromfile fromregex fromstring from_dlpack genfromtxt load loadtxt": "it reads what is no array yet",
    "frompyfunc nested_iters": "it makes what calls or steps, and a Tensor in that is refused",
    "promote_types issubdtype isdtype mintypecode typename datetime_data": "it is of types",
    "isscalar iterable isfortran info": "it is of any object",
    "geterr seterr geterrcall seterrcall getbufsize setbufsize get_printoptions set_printoptions printoptions "
    "get_include show_config show_runtime test linalg.test": "it is of NumPy itself",
}  # fmt: skip
REASONS: dict[Function, str] = {
    function: why for names, why in [*REFUSED.items(), *OTHERS.items()] for function in named(names)
}


def ufunc(function: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Answer for ``function(*inputs)`` and the methods ``reduce``, ``accumulate`` and ``outer``."""
    if method == "__call__" and function in ANSWERS:
        ours = ANSWERS[function]
        if not kwargs or kwargs.keys() <= inspect.signature(ours).parameters.keys():
            return ours(*inputs, **kwargs)
    if function in PLAIN and method != "at":  # which writes to what is to be read only
        return getattr(function, method)(*plain(inputs, _read), **plain(dict(kwargs), _read))
    if along := METHODS.get(method, {}).get(function):
        return _called(f"{_name(function)}.{method}", along, inputs, {"axis": 0, **kwargs})
    if function not in ANSWERS and function not in PLAIN:
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
        return function(*plain(args, _read), **plain(dict(kwargs), _read))
    if function not in ANSWERS:
        raise _unsupported(function)
    return _called(_name(function), ANSWERS[function], args, kwargs)


def plain(x: Any, take: Function = attrgetter("value")) -> Any:
    """Put arrays for the Tensors in nested tuples, lists and dicts."""
    if isinstance(x, Node):
        return take(x)
    if isinstance(x, (tuple, list)):
        return type(x)([plain(part, take) for part in x])
    return {key: plain(value, take) for key, value in x.items()} if isinstance(x, dict) else x


def _read(x: Node) -> Any:
    """Give the array of a Tensor to read, not to write to by ``out=``."""
    if not x.value.shape:
        return x.value
    view = x.value.view()
    view.flags.writeable = False
    return view


DEFAULTS = {"out": None, "dtype": None, "casting": "same_kind"}  # they say nothing


def _called(name: str, ours: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    given = {key: x for key, x in kwargs.items() if key not in DEFAULTS or x is not DEFAULTS[key]}
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
    if why := REASONS.get(function):
        return TypeError(f"{_name(function)} takes no Tensor: {why}. To leave the graph on purpose, pass t.data")
    names = {known.__name__: _name(known) for known in ANSWERS}
    near = ", ".join(names[name] for name in get_close_matches(function.__name__, names, 3, 0.6))
    hint = f"the nearest that have one: {near}" if near else "ag.primitive states one"
    return TypeError(
        f"{_name(function)} has no derivative rule for Tensors; {hint}. To leave the graph on purpose, pass t.data"
    )
