"""What the rules say, against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import Node, mode, sweep
from ..numpy_protocol import plain
from ..tensor import Tensor

Function = Callable[..., Any]
Array = np.ndarray[Any, np.dtype[Any]]

SMALL = 1e-3  # an entry nearer to zero than this is moved as if it were this


class GradientError(AssertionError):
    """The rules and the central differences disagree."""


def gradcheck(f: Function, *inputs: Any, order: int = 2, directions: int = 2, seed: int = 0) -> None:
    """Check the derivatives of `f` at `inputs` against central differences.

    For a random cotangent ``ct`` and a random direction ``u`` of each input, what the sweep finds for
    ``<ct J, 2hu>`` is compared with ``<ct, f(x + hu) - f(x - hu)>``. Then the same is done with the
    function that takes the inputs and ``ct`` to ``ct J``, which checks second derivatives, and so on.
    A disagreement is followed to one entry by halving the direction.

    Parameters
    ----------
    f : callable
        Takes Tensors; gives a Tensor of any shape, or a tuple or list of them. It must give the same
        whenever it is called with the same.
    *inputs : array_like or Tensor
        Where to check: finite, and away from kinks. An entry `x` is moved by ``h * max(abs(x), 0.001)``.
    order : int
        The highest derivative to check.
    directions : int
        How many cotangents to try at each order, each with one direction of every input.
    seed : int
        Seeds the random cotangents and directions.

    Raises
    ------
    GradientError
        At the first disagreement. It says which input, where in it, and both numbers.

    Notes
    -----
    The rules run in the dtypes of the inputs, the differences in float64. With ``eps`` that of float64
    (or of a result that is narrower all the same), ``h = eps ** (1/3)`` balances truncation against
    rounding [1]_. Tolerated are ``1000 * eps ** (2/3)`` of what is compared, 100 times the eps of the
    narrowest dtype in which the rules ran, and the rounding of `f` itself. A number that is not finite
    agrees with nothing. No `.grad` is touched.

    References
    ----------
    .. [1] Nocedal and Wright, *Numerical Optimization*, 2nd ed., Springer 2006, section 8.1.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> from autograd_mini.testing import gradcheck
    >>> gradcheck(ag.tanh, [0.5, -1.0], order=3)
    """
    if order < 1 or directions < 1:
        raise ValueError(f"gradcheck checks from order 1, in at least one direction, not order={order}, {directions=}")
    rng = np.random.default_rng(seed)
    points = [Tensor(plain(x)).data for x in inputs]
    labels = [f"input {i}" for i in range(len(points))]
    name = getattr(f, "__name__", repr(f))
    function, eps = f, float(np.finfo(np.float64).eps)
    # The sweep needs a graph, also under no_grad; and what is not finite is an error here, so no warning.
    with mode(recording=True), np.errstate(all="ignore"):
        for n in range(1, order + 1):
            wide = _values(function, [Tensor(x.astype(np.float64)) for x in points])
            eps = max([eps, *(float(np.finfo(y.dtype).eps) for y in wide)])
            for _ in range(directions):
                tensors = [Tensor(x) for x in points]
                ys = _values(function, tensors)
                if any(np.isnan(y).any() for y in ys):
                    raise GradientError(f"the value of {name} has a nan, and nothing agrees with that (order {n})")
                cts = [np.asarray(rng.standard_normal(y.shape), y.dtype)[()] for y in ys]
                for i, gradient in enumerate(_pull_back(function, tensors, cts)):
                    u = rng.uniform(0.5, 1, points[i].shape) * rng.choice([-1, 1], points[i].shape)
                    check = _Line(function, points, i, np.asarray(gradient), cts, eps)
                    if check.disagreement(u):
                        raise GradientError(f"gradient of {name} by {labels[i]}, {check.locate(u)} (order {n})")
            function, points = _pullback(function, len(points)), points + cts
            labels += [f"cotangent {i} of order {n}" for i in range(len(cts))]


@dataclass
class _Line:
    """A function on lines through its points, along which only number `i` moves."""

    function: Function
    points: Sequence[Any]
    i: int
    gradient: Array
    cts: Sequence[Any]
    eps: float

    def __post_init__(self) -> None:
        self.rtol = 100 * max(float(np.finfo(x.dtype).eps) for x in (*self.points, *self.cts))
        self.points = [x.astype(np.float64) for x in self.points]

    def at(self, x: Any) -> list[Array]:
        return _values(self.function, [Tensor(x if k == self.i else other) for k, other in enumerate(self.points)])

    def compare(self, u: Any) -> tuple[float, float, float]:
        """Give the derivative along `u` by the rules, by central differences, and how far apart they may be."""
        x = self.points[self.i]
        step = self.eps ** (1 / 3) * np.maximum(np.abs(x), SMALL) * u
        above, below = x + step, x - step
        moved = np.asarray(above - below)  # what x really moves by, in floating point
        by_rules = np.where(moved == 0, 0, self.gradient * moved)  # not inf * 0
        differences, size, rounding = 0.0, np.abs(by_rules).sum(), 0.0
        for ct, high, low in zip(self.cts, self.at(above), self.at(below), strict=True):
            change = ct * np.where(high == low, 0, high - low).astype(np.float64)  # a steady inf does not change
            differences += change.sum()
            size += np.abs(change).sum()
            rounding += np.abs(ct * np.where(np.isfinite(high), high, 0)).sum() * self.eps
        tolerance = (1000 * self.eps ** (2 / 3) + self.rtol) * size + 50 * rounding
        unit = np.abs(moved).max()
        return float(by_rules.sum() / unit), float(differences / unit), float(tolerance / unit)

    def disagreement(self, u: Any) -> float:
        """How far beyond the tolerance the two are apart: 0 if within."""
        if not np.any(u):
            return 0.0
        rules, differences, tolerance = self.compare(u)
        excess = abs(rules - differences) - tolerance
        return max(excess, 0.0) if np.isfinite(excess) else np.inf

    def locate(self, u: Any) -> str:
        """Follow the larger disagreement to one entry, and say what the two numbers are there."""
        place = np.arange(np.size(u)).reshape(np.shape(u))
        low, high = 0, np.size(u)
        while high - low > 1:
            middle = (low + high) // 2
            left, right = (np.where((a <= place) & (place < b), u, 0) for a, b in ((low, middle), (middle, high)))
            low, high = (low, middle) if self.disagreement(left) >= self.disagreement(right) else (middle, high)
        rules, differences, _ = self.compare(np.where(place == low, 1, 0))
        entry = tuple(int(k) for k in np.unravel_index(low, np.shape(u)))
        return f"entry {entry}: rules say {rules:.9g}, central differences say {differences:.9g}"


def _outputs(function: Function, tensors: Sequence[Any]) -> Sequence[Any]:
    y = function(*tensors)
    return y if isinstance(y, (tuple, list)) else (y,)


def _values(function: Function, tensors: Sequence[Any]) -> list[Array]:
    values = [np.asarray(plain(y)) for y in _outputs(function, tensors)]
    return [y if y.dtype.kind == "f" else y.astype(np.float64) for y in values]


def _pull_back(function: Function, xs: Sequence[Any], cts: Sequence[Any], recorded: bool = False) -> tuple[Any, ...]:
    """Give the cotangents of `xs` from those of the outputs."""
    found: dict[Node, Any] = {}
    for y, ct in zip(_outputs(function, xs), cts, strict=True):
        for node, g in sweep(y, ct, recorded=recorded) if isinstance(y, Node) else ():
            if node.op is None:
                found[node] = found[node] + g if node in found else g
    return tuple(found.get(x, np.zeros_like(x.value)) for x in xs)


def _pullback(function: Function, arity: int) -> Function:
    """Make a function of the inputs and the cotangents that gives the cotangents of the inputs."""
    return lambda *xs: _pull_back(function, xs[:arity], xs[arity:], recorded=True)
