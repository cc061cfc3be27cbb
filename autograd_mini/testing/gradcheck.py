"""What the rules say, against differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np

from ..core import Node, assume, mode, sweep
from ..derivatives import jvp
from ..numpy_protocol import plain
from ..ops.shape import identity_p
from ..tensor import Tensor
from ..trees import grown, leaves
from .differences import EPS, Array, Line, along, eps_of

Function = Callable[..., Any]

RTOL = 1000 * EPS ** (2 / 3)  # where the truncation of a quick look mostly stays: its step squared, times the curvature
KINKS = ("raise", "skip", "subgradient")


class GradientError(AssertionError):
    """The rules and the differences disagree, or what was checked has no derivative.

    Attributes
    ----------
    outputs : sequence of Tensor
        What was checked, recorded where it was; () if that is not known.
    names : mapping of str to Tensor
        What the inputs behind them are called.
    """

    outputs: Sequence[Any] = ()
    names: Mapping[str, Any] = MappingProxyType({})


def gradcheck(
    f: Function,
    *inputs: Any,
    order: int = 2,
    modes: Sequence[str] = ("vjp", "jvp"),
    directions: int = 2,
    rtol: float | None = None,
    atol: float = 0.0,
    seed: int = 0,
    on_kink: str = "raise",
) -> None:
    """Check the derivatives of `f` at `inputs` against differences of its values.

    For a random cotangent ``ct`` and a random direction ``u`` of each input, what the sweep finds for
    ``<ct J, 2hu>`` is compared with ``<ct, f(x + hu) - f(x - hu)>``. Then the same is done with the
    function that takes the inputs and ``ct`` to ``ct J``, which checks second derivatives, and so on.
    A disagreement is followed to the fewest entries that show it, and there looked at again with
    Richardson's extrapolation over a ladder of steps.

    Parameters
    ----------
    f : callable
        Takes Tensors; gives a Tensor of any shape, or a tree of them. It must give the same whenever
        it is called with the same.
    *inputs : tree of array_like or Tensor, or Module
        Where to check: finite numbers. Of a Module it is the parameters that are not frozen; `f`
        is called with the Module itself.
    order : int
        The highest derivative to check.
    modes : sequence of "vjp" and "jvp"
        How rules are asked: by the sweep, or by `ag.jvp`, which comes from differentiating it by the
        cotangent. If both are, differences are taken once, and the two ways are compared with each other.
    directions : int
        How many cotangents to try at each order, each with one direction of every input.
    rtol, atol : float
        How far rules and differences may be apart: as a part of the sizes that are added up, and as a
        derivative. By default `rtol` is what follows from the dtypes: see Notes.
    seed : int
        Seeds the random cotangents and directions.
    on_kink : "raise", "skip" or "subgradient"
        What to do where the derivatives from the left and from the right differ, as those of relu at
        0 and of max at ties: say so, pass over it, or accept what lies between the two.

    Raises
    ------
    GradientError
        At the first disagreement, or kink. It says which input, where in it, and both numbers with the
        error of the differences. Also where a rule writes to what it is given.
    ValueError
        Where there is nothing to differentiate by.

    Notes
    -----
    Rules and differences run in float64, with steps in proportion to the entries. Tolerated are
    ``1000 * eps ** (2/3)`` of what is compared (`eps` that of float64), the rounding of `f` itself (20
    times the eps of its values, which are narrow if it makes them so, and what that is over a step),
    that of derivatives as large as `f` over its inputs, and ten times what the extrapolation seems to
    err by. Where that is more than a thousandth, other steps are tried: 256 and 65,536 times smaller,
    for what lies near a pole or a kink; and as large as the inputs, for what is drowned by rounding.
    Before a rule is called wrong, it is asked again at inputs and cotangents moved by a few eps: as far
    as its answers scatter, it only rounds. Inputs of narrower dtypes go through the rules as they are
    too, and what comes out may differ from what came out in float64 by 100 times their eps, the
    rounding of what `f` gives, and four times what such differences scatter by. A number that is not
    finite agrees with nothing, but a value that stays infinite does not change; where there are values
    to one side only, that side is enough. No `.grad` is touched.

    References
    ----------
    .. [1] Nocedal and Wright, *Numerical Optimization*, 2nd ed., Springer 2006, section 8.1.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> from autograd_mini.testing import gradcheck
    >>> gradcheck(ag.tanh, [0.5, -1.0], order=3)
    >>> gradcheck(lambda p: ag.exp(p["a"]) * p["b"], {"a": ag.Tensor(1e-9), "b": ag.Tensor([1e9, 2.0])})
    >>> gradcheck(ag.relu, [-1.0, 0.0, 1.0], on_kink="subgradient")
    >>> gradcheck(ag.relu, [-1.0, 0.0, 1.0])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    autograd_mini.testing.gradcheck.GradientError: kink of relu by input 0, entry (1,): ...
    """
    __tracebackhide__ = True  # pytest shows who called this
    if order < 1 or directions < 1:
        raise ValueError(f"gradcheck checks from order 1, in at least one direction, not order={order}, {directions=}")
    if on_kink not in KINKS:
        raise ValueError(f"on_kink is one of {', '.join(map(repr, KINKS))}, not {on_kink!r}")
    if not modes or not {"vjp", "jvp"}.issuperset(modes):
        raise ValueError(f"modes are 'vjp', 'jvp' or both, not {modes!r}")
    rng = np.random.default_rng(seed)
    name = getattr(f, "__name__", repr(f))
    # The sweep needs a graph, also under no_grad; and what is not finite is an error here, so no warning.
    eps = EPS
    with mode(recording=True), np.errstate(all="ignore"), _flattened(f, inputs) as (function, points, labels):
        if not points:
            raise ValueError(
                f"{name} has no input to be differentiated by: give gradcheck arrays, or what has parameters"
            )
        bent: list[Any] = []  # the entries where there are kinks, which one look at is enough
        for n in range(1, order + 1):
            bent += [np.zeros(x.shape, bool) for x in points[len(bent) :]]
            wide = [x.astype(np.float64) for x in points]
            middle = _values(function, wide)
            narrow = any(x.dtype != np.float64 for x in points)
            ys = _values(function, points) if narrow else middle
            if any(np.isnan(y).any() for y in (*middle, *ys)):
                raise GradientError(f"the value of {name} has a nan, and nothing agrees with that (order {n})")
            eps = max([eps, *map(eps_of, middle)])
            tolerance = RTOL + 20 * eps if rtol is None else rtol
            sizes = [float(np.abs(x).max(initial=1)) for x in wide]
            spans = [max(size / 100, 1) for size in sizes]  # over which such as softmax change, however large x is
            # how large derivatives may be expected to be: an exact zero is only zero within the rounding of that
            if n == 1:
                natural = inner = sum(float(np.abs(y[np.isfinite(y)]).sum()) for y in middle)
            floors = [10 * eps * natural / size for size in sizes]
            for _ in range(directions):
                cts = [_kept(np.asarray(rng.standard_normal(y.shape), y.dtype))[()] for y in ys]
                seeds = [_kept(np.array(ct, y.dtype))[()] for ct, y in zip(cts, middle, strict=True)]
                us = [rng.uniform(0.5, 1, x.shape) * rng.choice([-1, 1], x.shape) for x in points]
                pulled = _pull_back(function, _fixed(wide), seeds) if "vjp" in modes else ()
                for way in modes:
                    if way == "vjp":
                        slopes = [along(gradient) for gradient in pulled]
                    elif pulled and _adjoint(function, wide, us, seeds, pulled, tolerance):
                        continue
                    else:
                        slopes = [_pushed(function, wide, i, seeds) for i in range(len(wide))]
                    for i, slope in enumerate(slopes):
                        alone = _alone(function, wide, i)
                        line = Line(alone, wide[i], middle, seeds, slope, eps, tolerance, atol + floors[i], natural)
                        for finding in line.check(np.where(bent[i], 0, us[i])):
                            again = _values(function, wide)
                            if not all(map(np.array_equal, middle, again)):
                                raise GradientError(
                                    f"{name} gives another value each time, and has no derivative: draw random numbers "
                                    "outside, or from a generator that it makes anew"
                                )
                            kink = finding.verdict == "kink"
                            if kink and (on_kink == "skip" or (on_kink == "subgradient" and finding.between)):
                                bent[i] |= (finding.direction != 0) & (len(finding.entries) == 1)
                                continue
                            what = "kink" if kink else "gradient" if way == "vjp" else "jvp"
                            if finding.verdict == "wrong" and rtol is None:
                                spread = _scatter(function, wide, seeds, 10 * EPS)[i]
                                rounding = 4 * float(np.abs(spread * finding.direction).sum())
                                if abs(finding.rules - finding.differences) <= finding.error + rounding:
                                    continue
                            raise GradientError(f"{what} of {name} by {labels[i]}, {finding} (order {n})")
                if narrow and pulled:
                    own = _pull_back(function, _fixed(points), cts)
                    coarse = max(map(eps_of, (*points, *ys)))
                    least = 100 * coarse if rtol is None else rtol
                    for i, (exact, rounded) in enumerate(zip(pulled, own, strict=True)):
                        place = _unlike(exact, rounded, least, atol + floors[i])
                        if place and rtol is None:
                            error = _scatter(function, points, cts, 10 * coarse, np.float64)[i]
                            place = _unlike(exact, rounded, least, atol + 10 * coarse * inner / spans[i] + 4 * error)
                        if place:
                            raise GradientError(f"gradient of {name} by {labels[i]}, {place} (order {n})")
            natural, inner = sum(natural / size for size in sizes), sum(inner / span for span in spans)
            function, points = _pullback(function, len(points)), points + cts
            labels = labels + [f"cotangent {i} of order {n}" for i in range(len(cts))]


@contextmanager
def _flattened(f: Function, inputs: tuple[Any, ...]) -> Iterator[tuple[Function, list[Any], list[str]]]:
    """Make `f` a function of all the arrays in its inputs; give it, them, and what each is called.

    Parameters of Modules become what is passed for them, and in the end what they were.
    """
    named: list[tuple[str, Any]] = []
    forms = [named_arrays(x, f"input {i}", named) for i, x in enumerate(inputs)]
    parameters = [p for x in inputs if hasattr(x, "named_parameters") for p in x.parameters() if p.requires_grad]
    before = [Node() for _ in parameters]
    for old, p in zip(before, parameters, strict=True):
        assume(old, p)

    def flat(*xs: Any) -> Any:
        rest, own = iter(xs), iter(parameters)
        args = [grown(form, rest) for form in forms]
        for i, x in enumerate(inputs):
            if hasattr(x, "named_parameters"):
                for value in args[i].values():
                    assume(next(own), identity_p(value))
                args[i] = x
        return f(*args)

    try:
        yield flat, [x for _, x in named], [label for label, _ in named]
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise GradientError(
            "a rule writes to what it is given (its operands, its result or the cotangent), which others use too: let "
            f"it make a new array ({error})"
        ) from error
    except GradientError as error:
        error.names = {label: Tensor(x) for label, x in named}
        error.outputs = [y for y in leaves(flat(*error.names.values())) if isinstance(y, Tensor)]
        raise
    finally:
        for p, old in zip(parameters, before, strict=True):
            assume(p, old)


def named_arrays(x: Any, label: str, named: list[tuple[str, Any]]) -> Any:
    """Give the form of an input, and add its arrays with their names to `named`; a list is an array."""
    if hasattr(x, "named_parameters"):
        parameters = ((path, p) for path, p in x.named_parameters() if p.requires_grad)
        return {path: named_arrays(p, f"{label}.{path}", named) for path, p in parameters}
    if isinstance(x, tuple):
        parts = [named_arrays(part, f"{label}[{i}]", named) for i, part in enumerate(x)]
        return grown(x, iter(parts))
    if isinstance(x, dict):
        return {key: named_arrays(part, f"{label}[{key!r}]", named) for key, part in x.items()}
    named.append((label, Tensor(plain(x)).data))
    return None


def _unlike(exact: Any, rounded: Any, rtol: float, atol: float) -> str:
    """Say where a gradient of narrow arrays is not that of the same numbers in float64, rounded."""
    wanted = np.asarray(exact).astype(rounded.dtype)
    known = np.isfinite(wanted)  # what is too large for the dtype may be anything
    size = np.abs(np.where(known, exact, 0))
    apart = np.where(known, np.abs(np.float64(rounded) - wanted), 0)
    if np.all(apart <= rtol * size.sum() + atol + float(np.finfo(rounded.dtype).tiny)):
        return ""
    entry = np.unravel_index(int(np.argmax(np.where(np.isnan(apart), np.inf, apart))), apart.shape)
    return (
        f"entry {tuple(map(int, entry))}: in {rounded.dtype} the rules say {rounded[entry]:.9g}, and in float64, where "
        f"differences agree, {np.asarray(exact)[entry]:.9g}"
    )


def _fixed(arrays: Sequence[Any]) -> list[Tensor]:
    """Make Tensors to which no rule can write."""
    xs = list(map(Tensor, arrays))
    for x in xs:
        _kept(x.value)
    return xs


def _kept(x: Array) -> Array:
    """Let nobody write to an array."""
    if isinstance(x, np.ndarray):
        x.flags.writeable = False
    return x


def _scatter(
    function: Function, points: Sequence[Any], cts: Sequence[Any], part: float, against: Any = None
) -> list[Any]:
    """Give how far each gradient scatters where all numbers move by such a part of them, as they do when they round.

    With `against`, it is what it differs from the gradient of the same numbers in that dtype that scatters.
    """
    rng = np.random.default_rng(0)
    found = []
    for size in (0, part, part, part, part, part):
        moved = [
            [np.asarray(x * (1 + size * rng.uniform(-1, 1, x.shape)), x.dtype) for x in xs] for xs in (points, cts)
        ]
        pulled = _pull_back(function, _fixed(moved[0]), [ct[()] for ct in moved[1]])
        if against is not None:
            wide = [[x.astype(against) for x in xs] for xs in moved]
            exact = _pull_back(function, _fixed(wide[0]), [ct[()] for ct in wide[1]])
            pulled = tuple(np.subtract(x, y, dtype=against) for x, y in zip(pulled, exact, strict=True))
        found.append(pulled)
    return [np.ptp(gradients, axis=0) for gradients in zip(*found, strict=True)]


def _adjoint(
    function: Function, points: Sequence[Any], us: Sequence[Array], cts: Sequence[Any], pulled: Any, rtol: float
) -> bool:
    """Whether the jvp along all inputs at once is what the pulled back cotangents say, to which each adds as much."""
    sizes = [float(np.abs(g * u).sum()) for g, u in zip(pulled, us, strict=True)]
    tangents = [u / size if 0 < size < np.inf else u for u, size in zip(us, sizes, strict=True)]
    moved = leaves(plain(jvp(function, tuple(points), tuple(tangents))[1]))
    terms = [float((ct * y).sum()) for ct, y in zip(cts, moved, strict=True)]
    terms += [-float((g * u).sum()) for g, u in zip(pulled, tangents, strict=True)]
    return abs(sum(terms)) <= rtol


def _pushed(function: Function, points: Sequence[Any], i: int, cts: Sequence[Any]) -> Callable[[Array], Any]:
    def slope(line: Array) -> Any:
        tangents = (line if k == i else np.zeros(x.shape) for k, x in enumerate(points))
        moved = leaves(plain(jvp(function, tuple(points), tuple(tangents))[1]))
        return np.concatenate([np.zeros(0), *(np.ravel(ct * y) for ct, y in zip(cts, moved, strict=True))])

    return slope


def _alone(function: Function, points: Sequence[Any], i: int) -> Callable[[Array], list[Array]]:
    """Make a function of input number `i`."""
    return lambda x: _values(function, [x if k == i else other for k, other in enumerate(points)])


def _values(function: Function, points: Sequence[Any]) -> list[Array]:
    values = [
        np.asarray(plain(y)) for y in leaves(function(*[x if isinstance(x, Tensor) else Tensor(x) for x in points]))
    ]
    for y in values:
        if y.dtype.kind not in "fiub":
            raise TypeError(f"gradcheck checks a function that gives real numbers, and this one gave {y!r}")
    return [y if y.dtype.kind == "f" else y.astype(np.float64) for y in values]


def _pull_back(function: Function, xs: Sequence[Any], cts: Sequence[Any], recorded: bool = False) -> tuple[Any, ...]:
    """Give the cotangents of `xs` from those of the outputs."""
    found: dict[Node, Any] = {}
    for y, ct in zip(leaves(function(*xs)), cts, strict=True):
        for node, g in sweep(y, ct, recorded=recorded) if isinstance(y, Node) else ():
            if node.op is None:
                found[node] = found[node] + g if node in found else g
    return tuple(found.get(x, np.zeros_like(x.value)) for x in xs)


def _pullback(function: Function, arity: int) -> Function:
    """Make a function of the inputs and the cotangents that gives the cotangents of the inputs."""
    return lambda *xs: _pull_back(function, xs[:arity], xs[arity:], recorded=True)
