"""A user's own operation against all that holds of one, and a function against another library's gradient."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    on_kink: str = "raise",
) -> None:
    """Check that an operation, one of `primitive` for instance, is what those of this library are.

    It gives the same for Tensors as for arrays; its value, shape and dtype are those of the reference;
    every rule agrees with differences, to `order`, by vjp and by jvp; and all this for other
    operands too: in float32 and float16, with axes of length one, with fewer axes where it broadcasts,
    without axes, without entries, and with constants for all operands but one.

    Which of these the operation has to take the reference says, by giving finite numbers for them; let it raise for
    what the operation refuses on purpose. Without a reference nothing tells what an operation refuses from what it
    gets wrong: where it raises, gives what is not finite, or does not broadcast, nothing is checked. What it
    gives in narrow dtypes is then compared with what it gives for the same numbers in float64.

    Parameters
    ----------
    operation : callable
        Takes Tensors and arrays.
    *operands : array_like
        Where to check. If none are given, arrays of shape (2, 3) are drawn: between -1 and 1, or, where the value
        is not finite there, between 0 and 1, or between 1 and 2. Integers and booleans are constants where
        the operation has no rule for them, and else the same numbers in float64.
    reference : callable, optional
        Gives the value for arrays, with the same keywords; a NumPy or SciPy function, for instance. It may answer
        in a wider dtype, as those of SciPy do in float16.
    params : mapping, optional
        Keywords for the operation.
    order : int
        The highest derivative to check.
    seed : int
        Seeds the operands that are drawn, and what `gradcheck` draws.
    on_kink : "raise", "skip" or "subgradient"
        What to do about kinks at the operands, as in `gradcheck`. At those that are tried besides, what lies
        between both sides is accepted.

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
    name = getattr(operation, "__name__", repr(operation))
    keywords = dict(params or {})

    def f(*xs: Any) -> Any:
        return operation(*xs, **keywords)

    def oracle(*xs: Any) -> Any:
        if reference is not None:
            return reference(*xs, **keywords)
        value = f(*_handed(xs))  # what it refuses in narrow dtypes it may
        return f(*_cast(xs, np.float64)) if np.all(np.isfinite(value)) else value

    f.__name__ = name
    whose, oracle.__name__ = ("itself in float64", name) if reference is None else ("the reference",) * 2
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # what is not finite is an error here, or expected
        points = list(operands) or _drawn(oracle, _arity(operation), seed)
        wanted = [i for i in range(len(points)) if _differentiable(operation, i)]
        if not wanted:
            raise ValueError(f"{name} has no operand to differentiate by, or no operands were given")
        points = [_operand(x, i in wanted) for i, x in enumerate(points)]
        for xs, theirs in _variants(oracle, points):
            dtype, rounding, asked = _dtype(xs), eps_of(xs[wanted[0]]), xs is points
            what = f"{name} of {dtype} operands of shapes {', '.join(str(x.shape) for x in xs)}"
            y = _recorded(f, xs, wanted, what)
            value = np.asarray(y.value)
            dtypes = {dtype, np.result_type(*xs)}  # an index does not widen, and a factor does
            if reference is not None:
                dtypes = {theirs.dtype} | {
                    own for own in dtypes if own.kind == theirs.dtype.kind and own < theirs.dtype
                }
            if value.dtype not in dtypes:
                raise AssertionError(f"{what} gives {value.dtype}, not {' or '.join(sorted(map(str, dtypes)))}")
            atol = 0.0 if asked else float(np.finfo(dtype).tiny) + 10 * _unsteady(f, oracle, xs)
            if reference is None:
                atol += rounding  # which is lost where a 1 is added and taken away
            _same(value, theirs, 100 * max(eps_of(value), rounding), atol, what, "its value", whose)
            report = check_graph(y, seed=seed)
            if on_kink != "skip" or any(not check.finding or check.finding.verdict != "kink" for check in report.wrong):
                report.verify()
            # nobody asked for a kink that only rounding or leaving out leads to
            on_kinks = "subgradient" if on_kink == "raise" and not asked else on_kink
            depth = order if dtype == np.float64 else 1
            for free in [wanted, *([i] for i in wanted)] if len(wanted) > 1 else [wanted]:
                # rules see the constants as they are: narrow
                rtol = 100 * rounding if dtype != np.float64 and len(free) < len(xs) else None
                ours = [xs[i] for i in free]
                gradcheck(_of(f, xs, free), *ours, order=depth, rtol=rtol, seed=seed, on_kink=on_kinks)


def _recorded(f: Function, xs: Operands, wanted: list[int], what: str) -> Node:
    """Give the value for Tensors, which is that for arrays, and takes nothing from the caller."""
    __tracebackhide__ = True
    given = _handed(xs)
    tensors = [Tensor(x) if i in wanted else x for i, x in enumerate(_handed(xs))]
    try:
        value, y = f(*given), f(*tensors)
    except Exception as error:
        raise AssertionError(f"{what} raises {type(error).__name__}: {error}") from error
    if not isinstance(value, (np.ndarray, np.generic)):
        raise AssertionError(f"{what} gives {type(value).__name__} for arrays, not an array")
    for i, (x, now) in enumerate(zip(xs, given, strict=True)):
        if not np.array_equal(x, now):
            raise AssertionError(f"{what} changes operand {i}, which belongs to the caller: let it work on a copy")
    if not isinstance(y, Node) or not y.requires_grad:
        raise AssertionError(f"{what} gives {type(y).__name__} for Tensors, not a recorded Tensor")
    if not np.array_equal(y.value, value, equal_nan=True):
        if not np.array_equal(_asked(f, xs), value, equal_nan=True):
            raise AssertionError(f"{what} gives another value each time: draw random numbers outside")
        raise AssertionError(f"{what} gives {y.value} for Tensors and {value} for arrays")
    if y.value.dtype != value.dtype:
        raise AssertionError(f"{what} gives {y.value.dtype} for Tensors and {value.dtype} for arrays")
    return y


def _handed(xs: Sequence[Any]) -> Operands:
    """Give copies of arrays, to be changed or kept, as operations get them."""
    return [x.copy()[()] for x in xs]


def _asked(f: Function, xs: Operands) -> Array:
    return np.asarray(plain(f(*_handed(xs))))


def _unsteady(f: Function, oracle: Function, xs: Operands) -> float:
    """Say how much the gap between a value and what it should be changes nearby: rounding does, a mistake hardly."""
    rng = np.random.default_rng(0)
    gaps = []
    for part in (0.0, 0.01, 0.01, 0.01, 0.01):
        near = [x * (1 + part * rng.uniform(-1, 1, x.shape)).astype(x.dtype) if x.dtype.kind == "f" else x for x in xs]
        ours, theirs = _answer(f, near), _answer(oracle, near)
        if ours is not None and theirs is not None and ours.shape == theirs.shape:
            gaps.append(ours - theirs)
    return max([float(np.abs(gap - gaps[0]).max(initial=0)) for gap in gaps if gap.shape == gaps[0].shape], default=0.0)


def _of(f: Function, xs: Operands, free: list[int]) -> Function:
    """Make a function of some operands: the others are constants."""
    if len(free) == len(xs):
        return f

    def some(*given: Any) -> Any:
        rest = iter(given)
        return f(*[next(rest) if i in free else x[()] for i, x in enumerate(xs)])

    some.__name__ = f"{f.__name__} (operand {' and '.join(map(str, free))} alone)"
    return some


def _operand(x: Any, wanted: bool) -> Array:
    """Give an operand as an array: in float64, or as it is if it counts or chooses and no rule differentiates by it."""
    x = np.array(plain(x))
    return x if x.dtype.kind in "iub" and not wanted else np.array(Tensor(x).data, np.float64)


def _dtype(xs: Operands) -> np.dtype[Any]:
    """Give the dtype of the operands that are not integers or booleans."""
    return np.result_type(*[x.dtype for x in xs if x.dtype.kind == "f"])


def _cast(xs: Sequence[Any], dtype: Any) -> Operands:
    return [x.astype(dtype) if x.dtype.kind == "f" else x for x in xs]


def _arity(operation: Function) -> int:
    rules = getattr(getattr(operation, "op", None), "rules", None)
    if isinstance(rules, tuple):
        return len(rules)
    if isinstance(rules, _Each):
        return 2
    raise ValueError("check_op draws operands for what `primitive` gives; for any other function, pass them")


def _differentiable(operation: Function, i: int) -> bool:
    rules = getattr(getattr(operation, "op", None), "rules", None)
    rule = rules[i] if isinstance(rules, tuple) and i < len(rules) else None
    return not (isinstance(rule, partial) and rule.func is _missing)


def _drawn(oracle: Function, arity: int, seed: int) -> Operands:
    for low, high in DOMAINS:
        rng = np.random.default_rng(seed)
        xs = [rng.uniform(low, high, (2, 3)) for _ in range(arity)]
        if _answer(oracle, xs) is not None:
            return xs
    raise ValueError(f"{oracle.__name__} has no finite value at arrays of shape (2, 3): pass operands that it takes")


def _answer(oracle: Function, xs: Operands) -> Array | None:
    """Give what the reference says, or None if it raises, or says what is not finite in the dtype of the operands."""
    try:
        theirs = _asked(oracle, xs)
        return theirs if np.all(np.isfinite(theirs.astype(_dtype(xs)))) else None
    except Exception:
        return None


def _variants(oracle: Function, xs: Operands) -> Iterator[tuple[Operands, Array]]:
    """Give the operands, and others of other dtypes and shapes that have an answer, each with it."""
    theirs = _asked(oracle, xs)
    yield xs, theirs
    found: list[tuple[Operands, tuple[int, ...] | None]] = [
        (_cast(xs, dtype), theirs.shape) for dtype in (np.float32, np.float16)
    ]
    cuts: list[Callable[[Array], Array]] = [lambda x: x[:1], lambda x: x[..., :1], lambda x: x[0]]
    for i, x in enumerate(xs):
        if x.ndim and x.size and len(xs) > 1:  # where it broadcasts
            found += [([*xs[:i], np.asarray(cut(x)), *xs[i + 1 :]], theirs.shape) for cut in cuts]
    if all(x.size for x in xs):
        cuts = [*cuts[:2], lambda x: x[:0]]
        found += [([cut(x) if x.ndim else x for x in xs], None) for cut in cuts]
        if all(x.dtype.kind == "f" for x in xs):  # nothing is chosen from what has no axes
            found.append(([np.array(x.flat[0]) for x in xs], None))
    seen = [[(x.dtype, x.shape) for x in xs]]
    for other, shape in found:
        kinds = [(x.dtype, x.shape) for x in other]
        answer = None if kinds in seen else _answer(oracle, other)
        if answer is not None and shape in (None, answer.shape):
            seen.append(kinds)
            yield other, answer


def check_against(reference: Function, f: Function, *inputs: Any, rtol: float | None = None, atol: float = 0.0) -> None:
    """Check the value and the gradient of `f` against those by another library, or by hand.

    Parameters
    ----------
    reference : callable
        Takes the inputs as arrays, and gives the value and the gradient, as `ag.value_and_grad` does: like
        the input if there is one, a tuple if there are more. What it gives need only convert to arrays, as
        Tensors of PyTorch do, recorded or not.
    f : callable
        Gives a scalar.
    *inputs : tree of array_like or Tensor, or Module
        A Module is handed to the reference as a dict of its parameters by path.
    rtol, atol : float
        How far they may be apart: as a part of the largest entry of each array, and beyond that. By default `rtol` is
        1000 times the eps of its dtype. A hundredth of `rtol` is also tolerated of what an exact zero may
        be rounded from: the value and what it changes by in proportion to the inputs, ``abs(gradient * x)``, added up;
        and for a gradient, that over the largest entry of its input, or over 1.

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
    terms = [value, *(plain(mine) * x for (mine, _), (_, x) in zip(pairs[1:], named, strict=True))]
    natural = sum(float(np.abs(y[np.isfinite(y)]).sum()) for y in map(np.asarray, plain(terms)))
    sizes = [1.0, *(float(np.abs(x).max(initial=1)) for _, x in named)]
    for label, size, (mine, other) in zip(labels, sizes, pairs, strict=True):
        mine, other = plain(mine), plain(other)
        mine, other = np.asarray(mine), np.asarray(other.detach() if hasattr(other, "detach") else other)
        if other.dtype.kind not in "fiub":
            raise GradientError(f"{label} by the reference is of {other.dtype}, not of real numbers")
        tolerance = 1000 * max(eps_of(x) for x in (mine, other) if x.dtype.kind == "f") if rtol is None else rtol
        floor = atol + tolerance / 100 * natural / size
        _same(mine, other, tolerance, floor, getattr(f, "__name__", repr(f)), label, "the reference")


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


def _same(ours: Array, theirs: Array, rtol: float, atol: float, what: str, which: str, whose: str) -> None:
    __tracebackhide__ = True
    if ours.shape != theirs.shape:
        raise GradientError(f"{what}: {which} has shape {ours.shape}, and by {whose} {theirs.shape}")
    x, y = ours.astype(np.float64), theirs.astype(np.float64)
    alike = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(invalid="ignore"):
        apart = np.where(alike, 0, np.abs(x - y))
    tolerance = rtol * float(np.abs(y[np.isfinite(y)]).max(initial=0)) + atol
    if not np.all(apart <= tolerance):
        entry = np.unravel_index(int(np.argmax(np.where(np.isnan(apart), np.inf, apart))), x.shape)
        place = tuple(map(int, entry))
        raise GradientError(
            f"{what}: {which} at entry {place} is {x[entry]:.9g}, and by {whose} {y[entry]:.9g}, more than "
            f"{tolerance:.1e} apart"
        )
