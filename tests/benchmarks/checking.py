"""Ask how sharp `gradcheck` is, and how quick: ``python -m tests.benchmarks.checking``, with ``--peers`` beside others.

Every function is written once, for the namespace of any library, and every checker is asked the same at its defaults:
whether the derivatives that its library finds are right, to second order. Before that, the values must be ours. Times
are measured in turns, in one process with one thread. For sharpness, what the rules say is changed by a part of it: all
of the derivatives by the first input, or those by one entry, the median of those that are not 0. A change that passes
is missed; what is right and does not pass is a false alarm.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

from .timing import interleaved, machine, ratio  # first: the package sets the variables that NumPy reads

import numpy as np  # isort: skip

import autograd_mini as ag  # isort: skip
from autograd_mini.testing import gradcheck  # isort: skip

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]


class Place(NamedTuple):
    """A function, which takes a namespace and then its inputs, and the inputs."""

    function: Function
    inputs: tuple[Array, ...]


class Checker(NamedTuple):
    """How a library is asked."""

    namespace: Any
    array: Function  # its array of one of NumPy's
    stop: Function  # the identity without a derivative
    check: Function  # takes a function and a list of inputs; raises AssertionError where derivatives seem wrong

    def asked(self, place: Place, change: Array | None = None) -> tuple[Function, list[Any]]:
        """Make the function of this library and its inputs; the derivatives by the first are changed by that part."""
        part = None if change is None else self.array(change)

        def f(x: Any, *others: Any) -> Any:
            return place.function(self.namespace, x if part is None else x + part * (x - self.stop(x)), *others)

        return f, [self.array(x) for x in place.inputs]


# ---- what is asked -----------------------------------------------------------------------------------

rng = np.random.default_rng(0)


def drawn(*shape: int, low: float = -2, high: float = 2) -> Array:
    return rng.uniform(low, high, shape)


def mlp(m: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
    x = m.linspace(-1, 1, 12, dtype=w.dtype).reshape(4, 3)
    return m.mean(m.square(m.tanh(x @ w + b) @ v + c - 1))


def cross_entropy(m: Any, z: Any) -> Any:
    return m.mean(m.log(m.sum(m.exp(z), axis=1)) - z[np.arange(4), np.array([1, 0, 4, 2])])


def softmax(m: Any, x: Any) -> Any:
    return m.exp(x) / m.sum(m.exp(x), axis=-1, keepdims=True)


def variance(m: Any, x: Any) -> Any:
    return m.mean(m.square(x - m.mean(x, axis=0)), axis=0)


TIMED = {
    "tanh of 3×3": Place(lambda m, x: m.tanh(x), (drawn(3, 3),)),
    "softmax cross-entropy of 4×5": Place(cross_entropy, (drawn(4, 5),)),
    "loss of an MLP 3-4-1, all parameters": Place(mlp, (drawn(3, 4), drawn(4), drawn(4, 1), drawn(1))),
    "matmul of 4×5 by 5×3": Place(lambda m, x, y: m.matmul(x, y), (drawn(4, 5), drawn(5, 3))),
}

# Of one operand, all entries of which lie between two numbers.
ELEMENTWISE: dict[tuple[float, float], str] = {
    (-2, 2): "exp exp2 expm1 sin cos sinh cosh arctan arcsinh square sinc",
    (0.25, 3): "log log2 log10 log1p sqrt reciprocal absolute",
    (-0.9, 0.9): "tan arcsin arccos arctanh",
    (1.25, 3): "arccosh",
}

# fmt: off
ORDINARY: dict[str, Place] = TIMED | {
    name: Place(lambda m, x, name=name: getattr(m, name)(x), (drawn(3, low=low, high=high),))
    for (low, high), names in ELEMENTWISE.items() for name in names.split()
} | {
    "x + y": Place(lambda m, x, y: x + y, (drawn(2, 3), drawn(3))),
    "x * y": Place(lambda m, x, y: x * y, (drawn(2, 1), drawn(3))),
    "x / y": Place(lambda m, x, y: x / y, (drawn(2, 3), drawn(2, 1, low=1))),
    "x ** y": Place(lambda m, x, y: x**y, (drawn(3, low=0.25), drawn(3))),
    "x ** 3": Place(lambda m, x: x**3, (drawn(2, 3),)),
    "maximum": Place(lambda m, x, y: m.maximum(x, y), (drawn(4), drawn(4))),
    "logaddexp": Place(lambda m, x, y: m.logaddexp(x, y), (drawn(3), drawn(3))),
    "arctan2": Place(lambda m, x, y: m.arctan2(x, y), (drawn(3, low=0.5), drawn(3))),
    "where": Place(lambda m, x: m.where(x > 0, x, 0.1 * x), (np.array([-1.5, 0.5, 2.0, -0.25]),)),
    "sigmoid": Place(lambda m, x: 1 / (1 + m.exp(-x)), (drawn(2, 3),)),
    "sum": Place(lambda m, x: m.sum(x, axis=1), (drawn(2, 3),)),
    "mean": Place(lambda m, x: m.mean(x), (drawn(2, 3),)),
    "prod": Place(lambda m, x: m.prod(x), (drawn(4),)),
    "cumsum": Place(lambda m, x: m.cumsum(x, axis=0), (drawn(4),)),
    "max": Place(lambda m, x: m.max(x), (drawn(4),)),
    "variance": Place(variance, (drawn(3, 2),)),
    "logsumexp": Place(lambda m, x: m.log(m.sum(m.exp(x))), (drawn(5),)),
    "softmax": Place(softmax, (drawn(2, 3),)),
    "norm": Place(lambda m, x: m.linalg.norm(x), (drawn(4),)),
    "outer": Place(lambda m, x, y: m.outer(x, y), (drawn(2), drawn(3))),
    "einsum": Place(lambda m, x, y: m.einsum("ij,kj->ik", x, y), (drawn(2, 3), drawn(2, 3))),
    "det": Place(lambda m, x: m.linalg.det(x), (drawn(3, 3),)),
    "inv": Place(lambda m, x: m.linalg.inv(x), (drawn(3, 3),)),
    "solve": Place(lambda m, x, y: m.linalg.solve(x, y), (drawn(3, 3), drawn(3, 2))),
    "getitem": Place(lambda m, x: x[1:, ::2], (drawn(3, 3),)),
    "concatenate": Place(lambda m, x, y: m.concatenate([x, x * y]), (drawn(3), drawn(3))),
    "reshape": Place(lambda m, x: m.reshape(x, (3, 2)) * 2.0, (drawn(2, 3),)),
    "Rosenbrock": Place(lambda m, x: m.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), (drawn(3),)),
}

SINGLE = np.float32
HARD: dict[str, Place] = {name: Place(function, tuple(map(np.asarray, inputs))) for name, function, *inputs in [
    ("single precision", lambda m, x: m.exp(m.sin(x)), np.array([0.3, 1.7, -0.6], SINGLE)),
    ("single precision, large", lambda m, x: m.sqrt(x), np.array([1e15, 3e15], SINGLE)),
    ("single precision, a product", lambda m, x: m.prod(x), np.array([0.3, 1.7, -0.6], SINGLE)),
    ("tiny", lambda m, x: x * x, [1e-30, -3e-30]),
    ("huge", lambda m, x: x * x, [1e30, -3e30]),
    ("tiny, near a pole", lambda m, x: 1 / x, [1e-30, -3e-30]),
    ("huge, far from a pole", lambda m, x: 1 / x, [1e30, -3e30]),
    ("small slopes", lambda m, x: 1e-8 * m.sin(x), [0.3, 1.7]),
    ("entries of all sizes", lambda m, x: m.log(x), [1e-12, 1.0, 1e12]),
    ("many periods away", lambda m, x: m.sin(x), [1e6, 2e6]),
    ("very many periods away", lambda m, x: m.sin(x), [1e8, -3e8]),
    ("fast oscillation", lambda m, x: m.sin(1e6 * x), [0.1, 1.0, 2.0]),
    ("oscillation that grows", lambda m, x: m.sin(1 / x), [0.01, 0.003, 0.1]),
    ("growth", lambda m, x: m.exp(100 * x), [0.0, 0.1, 1.0]),
    ("a narrow peak", lambda m, x: m.exp(-1e4 * x * x), [0.005, 0.01, 0.02]),
    ("a slope and periods", lambda m, x: x + m.sin(x), [1e4, 2e4]),
    ("a saturated sigmoid", lambda m, x: 1 / (1 + m.exp(-x)), [-30.0, 20.0]),
    ("near a pole", lambda m, x: 1 / (1 - x), [1 - 1e-7, 1 + 1e-5]),
    ("near a pole, twice", lambda m, x: m.tan(x), [np.pi / 2 - 1e-3, 1.0]),
    ("near the end of the domain", lambda m, x: m.arcsin(x), [0.9999, -0.99999]),
    ("near zero", lambda m, x: m.log(x), [1e-8, 1e-5]),
    ("ill-conditioned", lambda m, x: m.linalg.inv(x), [[1.0, 1.0], [1.0, 1.001]]),
    ("very ill-conditioned", lambda m, x, y: m.linalg.solve(x, y),
     1 / (np.arange(5)[:, None] + np.arange(5) + 1.0), np.ones((5, 1))),
    ("an offset", lambda m, x: m.sin(x) + 1e6, [1.0, 2.0, 3.0]),
    ("an offset that nearly drowns it", lambda m, x: m.sin(x) + 1e10, [1.0, 2.0, 3.0]),
    ("rounding that the value does not show", lambda m, x: (x + 1e8) - 1e8, [1.0, 2.0]),
    ("cancellation", lambda m, x: (1 - m.cos(x)) / (x * x), [1e-3, 2.0]),
    ("cancellation in the rules", lambda m, x: (m.exp(x) - 1) / x, [1e-6, 1.0]),
    ("cancellation near a root", lambda m, x: x**3 - 3 * x**2 + 3 * x - 1, [1.001, 2.0]),
    ("cancellation of squares", lambda m, x: m.mean(x * x) - m.mean(x) ** 2, [1e4, 1e4 + 1]),
    ("cancellation, large", lambda m, x: m.sqrt(x * x + 1) - x, [1e3, 1.0]),
    ("near a kink", lambda m, x: m.where(x > 0, x, 0.0 * x), [1e-5, -1e-5, 1.0]),
    ("nearer to a kink", lambda m, x: abs(x - 1), [1 + 1e-7, 1 - 1e-7]),
    ("near a tie", lambda m, x: m.max(x), [1.0, 1 + 1e-6, 0.5]),
]}
# fmt: on

PLACES = {"ordinary": ORDINARY, "hard": HARD}
CHANGES = {"0.001 %": 1e-5, "0.1 %": 1e-3, "1 %": 1e-2, "10 %": 0.1, "factor 2": 1.0, "wrong sign": -2.0}

# ---- who is asked ------------------------------------------------------------------------------------


def autograd_mini() -> Checker:
    return Checker(ag, np.asarray, ag.stop_gradient, lambda f, xs: gradcheck(f, *xs))


def pytorch() -> Checker:
    import torch

    torch.set_num_threads(1)

    def check(f: Function, xs: list[Any]) -> None:
        torch.manual_seed(0)
        leaves = [x.requires_grad_() for x in xs]
        ways = (torch.autograd.gradcheck, torch.autograd.gradgradcheck)
        if not all(way(f, leaves, raise_exception=False) for way in ways):
            raise AssertionError

    return Checker(torch, torch.tensor, torch.Tensor.detach, check)


def jax() -> Checker:
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    def check(f: Function, xs: list[Any]) -> None:
        check_grads(f, xs, order=2, modes=("fwd", "rev"))

    return Checker(jax.numpy, jax.numpy.asarray, jax.lax.stop_gradient, check)


def hips_autograd() -> Checker:
    from autograd import numpy
    from autograd.test_util import check_grads
    from autograd.tracer import getval

    def check(f: Function, xs: list[Any]) -> None:
        np.random.seed(0)
        try:
            check_grads(f, order=2)(*xs)
        except NotImplementedError:  # no forward mode, which linear algebra lacks there
            check_grads(f, order=2, modes=["rev"])(*xs)

    return Checker(numpy, np.array, getval, check)


CHECKERS: dict[str, tuple[str, Callable[[], Checker]]] = {
    "autograd_mini": ("numpy", autograd_mini),
    "PyTorch": ("torch", pytorch),
    "JAX": ("jax", jax),
    "HIPS autograd": ("autograd", hips_autograd),
}

# ---- what they say -----------------------------------------------------------------------------------


def agree(name: str, place: Place, checkers: dict[str, Checker]) -> None:
    """Compare the values; one that differs means that another function is asked about."""
    ours = np.asarray(place.function(ag, *place.inputs))
    for who, checker in checkers.items():
        f, xs = checker.asked(place)
        value = np.asarray(f(*xs))
        if not np.allclose(value, ours, rtol=1e-9 if ours.dtype == np.float64 else 1e-5, atol=0):
            raise SystemExit(f"{name}: the value of {who} is {value}, ours is {ours}")


def changes(place: Place) -> Iterator[tuple[str, Array]]:
    """Give every change twice: of the derivatives by one entry, and by all."""
    x, *others = place.inputs
    value, pull_back = ag.vjp(lambda x: place.function(ag, x, *others), x)
    slopes = np.ravel(pull_back(np.random.default_rng(0).standard_normal(np.shape(value)))[0])
    places = np.flatnonzero(slopes)
    median = places[np.argsort(np.abs(slopes[places]))[len(places) // 2]]
    one = (np.arange(x.size) == median).reshape(x.shape)
    for name, change in CHANGES.items():
        for where in (one, np.ones(x.shape)):
            yield name, np.asarray(change * where, x.dtype)


def passes(checker: Checker, place: Place, change: Array | None = None) -> bool:
    """Whether a checker takes the derivatives for right, those by the first input changed by a part of them."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            checker.check(*checker.asked(place, change))
    except AssertionError:
        return False
    return True


def counted(checker: Checker, places: dict[str, Place]) -> tuple[int, dict[str, list[int]]]:
    """Count the false alarms and, for each change, how many were missed: of one entry, and of all."""
    alarms = sum(not passes(checker, place) for place in places.values())
    missed: dict[str, list[int]] = {name: [0, 0] for name in CHANGES}
    for place in places.values():
        for i, (name, change) in enumerate(changes(place)):
            missed[name][i % 2] += passes(checker, place, change)
    return alarms, missed


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.checking", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="also the checkers of other libraries that are installed")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these functions")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to time each function (default 10)")
    options = parser.parse_args(arguments)
    if unknown := set(options.only or ()) - ORDINARY.keys() - HARD.keys():
        parser.error(f"no functions have the names {sorted(unknown)}")
    checkers = {
        name: build()
        for name, (package, build) in CHECKERS.items()
        if package == "numpy" or (options.peers and find_spec(package))
    }
    chosen = {
        kind: {name: place for name, place in places.items() if name in (options.only or places)}
        for kind, places in PLACES.items()
    }
    for places in chosen.values():
        for name, place in places.items():
            agree(name, place, checkers)
    others = [name for name in checkers if name != "autograd_mini"]
    print(machine() + "".join(f", {name} {version(CHECKERS[name][0])}" for name in others), "\n")
    print("| checked to second order | autograd_mini |" + "".join(f" {name} / ours |" for name in others))
    print("|---" * (2 + len(others)) + "|")
    for name in filter(chosen["ordinary"].get, TIMED):
        asked = {who: partial(checker.check, *checker.asked(TIMED[name])) for who, checker in checkers.items()}
        times = interleaved(asked, options.seconds)
        cells = [f"{statistics.median(times['autograd_mini']) * 1e3:,.1f} ms"]
        cells += [f"{ratio(times, who, 'autograd_mini'):.1f}" for who in others]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print("\nMissed, of one entry and of all:\n")
    print("| functions | checker | false alarms | " + " | ".join(CHANGES) + " |")
    print("|---" * (3 + len(CHANGES)) + "|", flush=True)
    for kind, places in chosen.items():
        for who, checker in checkers.items():
            alarms, missed = counted(checker, places)
            cells = [f"{one}, {every}" for one, every in missed.values()]
            print(f"| {len(places)} {kind} | {who} | {alarms} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
