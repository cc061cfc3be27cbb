"""A user's own operation against all that holds of one, and a function against another library's gradient."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..core import Node, _Each, _missing
from ..derivatives import value_and_grad
from ..numpy_protocol import plain
from ..tensor import Tensor
from ..trees import grown, leaves
from .differences import Array, eps_of
from .gradcheck import GradientError, gradcheck, named_arrays
from .graph import check_graph

Function = Callable[..., Any]
Operands = list[Any]

DOMAINS = [(-1.0, 1.0), (0.0, 1.0), (1.0, 2.0)]


def check_op(
    operation: Function,
    *operands: Any,
    reference: Function | None = None,
    params: Mapping[str, Any] | None = None,
    order: int = 2,
    seed: int = 0,
) -> None:
    """Check that an operation, one of `primitive` for instance, is what those of this library are.

    It gives the same for Tensors as for arrays; its value, shape and dtype are those of the reference;
    every rule agrees with differences, to `order`, by vjp and by jvp; and all this for other
    operands too, wherever the operation takes them: in float32 and float16, with axes of length one and
    fewer axes where it broadcasts, without axes, without entries, and with constants for all operands but one.

    Parameters
    ----------
    operation : callable
        Takes Tensors and arrays.
    *operands : array_like
        Where to check. If none are given, arrays of shape (2, 3) are drawn: between -1 and 1, or, where the value
        is not finite there, between 0 and 1, or between 1 and 2.
    reference : callable, optional
        Gives the value for arrays, with the same keywords; a NumPy or SciPy function, for instance.
    params : mapping, optional
        Keywords for the operation.
    order : int
        The highest derivative to check.
    seed : int
        Seeds the operands that are drawn, and what `gradcheck` draws.

    Raises
    ------
    AssertionError
        At the first thing that does not hold: a `GradientError` that names the rule, if it is a rule.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> from autograd_mini.testing import check_op
    >>> check_op(ag.primitive("cube", lambda x: x**3, lambda g, y, x: g * 3 * x**2), reference=lambda x: x * x * x)
    >>> check_op(ag.log1p, 0.5, reference=np.log1p)
    >>> widened = ag.primitive("widened", lambda x: np.float64(2) * x, lambda g, y, x: 2 * g)
    >>> check_op(widened)
    Traceback (most recent call last):
        ...
    AssertionError: widened of float32 operands of shapes (2, 3) gives float64, not float32
    """
    __tracebackhide__ = True  # pytest shows who called this
    keywords = dict(params or {})
    name = getattr(operation, "__name__", repr(operation))

    def f(*xs: Any) -> Any:
        return operation(*xs, **keywords)

    f.__name__ = name

    given = [np.array(plain(x), np.float64) for x in operands] or _drawn(f, _arity(operation), seed, name)
    wanted = [i for i in range(len(given)) if _differentiable(operation, i)]
    if not wanted:
        raise ValueError(f"{name} has no operand to differentiate by, or no operands were given")
    for xs in _variants(f, given):
        shapes = ", ".join(str(x.shape) for x in xs)
        what = f"{name} of {xs[0].dtype} operands of shapes {shapes}"
        tensors = [Tensor(x) if i in wanted else x for i, x in enumerate(xs)]
        with np.errstate(all="ignore"):
            given = [x.copy()[()] for x in xs]
            value, y = f(*given), f(*tensors)
        if not isinstance(value, (np.ndarray, np.generic)):
            raise AssertionError(f"{what} gives {type(value).__name__} for arrays, not an array")
        value = np.asarray(value)
        for i, (x, now) in enumerate(zip(xs, given, strict=True)):
            if not np.array_equal(x, now):
                raise AssertionError(f"{what} changes operand {i}, which belongs to the caller: let it work on a copy")
        if not isinstance(y, Node) or not y.requires_grad:
            raise AssertionError(f"{what} gives {type(y).__name__} for Tensors, not a recorded Tensor")
        if not np.array_equal(y.value, value, equal_nan=True) or y.value.shape != value.shape:
            raise AssertionError(f"{what} gives {y.value} for Tensors and {value} for arrays")
        theirs = None if reference is None else np.asarray(reference(*[x[()] for x in xs], **keywords))
        dtype = np.result_type(*xs) if theirs is None else theirs.dtype
        if value.dtype != dtype or y.value.dtype != dtype:
            raise AssertionError(f"{what} gives {value.dtype}, not {dtype}")
        if theirs is not None:
            _same(value, theirs, 100 * eps_of(value), what, "its value", "the reference")
        check_graph(y, seed=seed).verify()
        depth = order if xs[0].dtype == np.float64 else 1
        if len(wanted) == len(xs):
            gradcheck(f, *xs, order=depth, seed=seed)
        for i in wanted if len(xs) > 1 else ():
            # rules see the constants as they are: narrow
            rtol = None if xs[i].dtype == np.float64 else 100 * eps_of(xs[i])
            gradcheck(_alone(f, xs, i), xs[i], order=depth, rtol=rtol, seed=seed)


def _alone(f: Function, xs: Operands, i: int) -> Function:
    """Make a function of one operand: the others are constants."""

    def alone(x: Any) -> Any:
        return f(*[other[()] for other in xs[:i]], x, *[other[()] for other in xs[i + 1 :]])

    alone.__name__ = f"{f.__name__} (operand {i} alone)"
    return alone


def _arity(operation: Function) -> int:
    rules = getattr(getattr(operation, "op", None), "rules", None)
    if isinstance(rules, tuple):
        return len(rules)
    if isinstance(rules, _Each):
        return 2
    raise ValueError("check_op draws operands for what `primitive` gives; for any other function, pass them")


def _differentiable(operation: Function, i: int) -> bool:
    rules = getattr(getattr(operation, "op", None), "rules", None)
    rule = rules[i] if isinstance(rules, tuple) else None
    return not (isinstance(rule, partial) and rule.func is _missing)


def _drawn(f: Function, arity: int, seed: int, name: str) -> Operands:
    for low, high in DOMAINS:
        rng = np.random.default_rng(seed)
        xs = [rng.uniform(low, high, (2, 3)) for _ in range(arity)]
        if np.all(np.isfinite(_value(f, xs))):
            return xs
    raise ValueError(f"{name} has no finite value at arrays of shape (2, 3): pass operands that it takes")


def _value(f: Function, xs: Operands) -> Any:
    """Give what an operation gives for arrays, or nan if it does not take them."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return f(*[x[()] for x in xs])
        except Exception:
            return np.nan


def _variants(f: Function, xs: Operands) -> Iterator[Operands]:
    """Give the operands, and others of other dtypes and shapes that the operation takes too."""
    yield xs
    shape = np.shape(f(*[x[()] for x in xs]))
    found: list[Operands] = [[x.astype(dtype) for x in xs] for dtype in (np.float32, np.float16)]
    for i, x in enumerate(xs):
        if x.ndim and len(xs) > 1:  # where it broadcasts
            for part in (x[:1], x[0], x[..., :1]):
                other = [*xs[:i], np.array(part), *xs[i + 1 :]]
                if np.shape(_value(f, other)) == shape:
                    found.append(other)
    if any(x.ndim for x in xs) and all(x.size for x in xs):
        found += [[np.array(x.flat[0]) for x in xs], [x[:0] if x.ndim else x for x in xs]]
    for other in found:
        if np.all(np.isfinite(_value(f, other))):
            yield other


def check_against(reference: Function, f: Function, *inputs: Any, rtol: float | None = None) -> None:
    """Check the value and the gradient of `f` against those by another library, or by hand.

    Parameters
    ----------
    reference : callable
        Takes the inputs as arrays, and gives the value and the gradient, as `ag.value_and_grad` does: like
        the input if there is one, a tuple if there are more. What it gives need only convert to arrays.
    f : callable
        Gives a scalar.
    *inputs : tree of array_like or Tensor, or Module
        A Module is handed to the reference as a dict of its parameters by path.
    rtol : float, optional
        How far they may be apart, as a part of the largest entry of each array. By default 1000 times the eps
        of its dtype.

    Raises
    ------
    GradientError
        At the first value or gradient that differs: it says which, where, and both numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> from autograd_mini.testing import check_against
    >>> check_against(lambda x: (np.sum(x**3), 3 * x**2), lambda x: ag.sum(x**3), [1.0, 2.0])

    With JAX: ``check_against(jax.value_and_grad(g), f, x)``.
    """
    __tracebackhide__ = True  # pytest shows who called this
    named: list[tuple[str, Any]] = []
    forms = [named_arrays(x, f"input {i}", named) for i, x in enumerate(inputs)]
    if not named:
        raise ValueError("check_against compares gradients by the inputs, and got none")
    arrays = iter([x for _, x in named])
    args = [grown(form, arrays) for form in forms]
    own = [x if hasattr(x, "named_parameters") else arg for x, arg in zip(inputs, args, strict=True)]
    numbers = tuple(range(len(inputs)))
    value, gradients = value_and_grad(f, numbers)(*own)
    given = reference(*args)
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise TypeError(f"a reference gives the value and the gradient, and this one gave {type(given).__name__}")
    theirs, slopes = given
    slopes = slopes if len(inputs) > 1 else (slopes,)
    wanted, found = (len(list(leaves(tree))) for tree in (gradients, slopes))
    if wanted != found:
        raise GradientError(f"the reference gives {found} gradients, and there are {wanted} inputs")
    pairs = [(value, theirs), *_paired(gradients, slopes)]
    labels = ["the value", *(f"the gradient by {label}" for label, _ in named)]
    for label, (mine, other) in zip(labels, pairs, strict=True):
        mine, other = np.asarray(plain(mine)), np.asarray(other)
        if other.dtype.kind not in "fiub":
            raise GradientError(f"{label} by the reference is of {other.dtype}, not of real numbers")
        tolerance = 1000 * max(eps_of(x) for x in (mine, other) if x.dtype.kind == "f") if rtol is None else rtol
        _same(mine, other, tolerance, getattr(f, "__name__", repr(f)), label, "the reference")


def _paired(ours: Any, theirs: Any) -> Iterator[tuple[Any, Any]]:
    """Give the arrays of two trees side by side, those of dicts by key."""
    if isinstance(ours, dict):
        if not isinstance(theirs, Mapping) or set(theirs) != set(ours):
            raise GradientError(f"the reference gives gradients by {_form(theirs)}, not by {_form(ours)}")
        for key, part in ours.items():
            yield from _paired(part, theirs[key])
    elif isinstance(ours, tuple):
        if not isinstance(theirs, (tuple, list)) or len(theirs) != len(ours):
            raise GradientError(f"the reference gives gradients by {_form(theirs)}, not by {_form(ours)}")
        for part, other in zip(ours, theirs, strict=True):
            yield from _paired(part, other)
    else:
        yield ours, theirs


def _form(tree: Any) -> str:
    if isinstance(tree, Mapping):
        return f"the keys {', '.join(map(repr, tree))}"
    return f"{len(tree)} inputs" if isinstance(tree, (tuple, list)) else "one array"


def _same(ours: Array, theirs: Array, rtol: float, what: str, which: str, whose: str) -> None:
    __tracebackhide__ = True
    if ours.shape != theirs.shape:
        raise GradientError(f"{what}: {which} has shape {ours.shape}, and by {whose} {theirs.shape}")
    x, y = ours.astype(np.float64), theirs.astype(np.float64)
    alike = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(invalid="ignore"):
        apart = np.where(alike, 0, np.abs(x - y))
    size = np.abs(y[np.isfinite(y)]).max(initial=0)
    if not np.all(apart <= rtol * size):
        entry = np.unravel_index(int(np.argmax(np.where(np.isnan(apart), np.inf, apart))), x.shape)
        place = tuple(map(int, entry))
        raise GradientError(
            f"{what}: {which} at entry {place} is {x[entry]:.9g}, and by {whose} {y[entry]:.9g}, more than "
            f"{rtol * size:.1e} apart"
        )
