"""Initialisers: functions of a shape and a generator that give the first values of a parameter.

A layer takes any of them, or any other function of this form, as its `init`:
``nn.Linear(3, 2, init=nn.init.orthogonal)``, or with an argument, ``init=partial(nn.init.normal, std=0.02)``.

How many numbers add up to one is the *fan*. A weight of two axes is one of `Linear`, of shape (in, out); one of three
or more is a kernel of a convolution, of shape (out, in / groups, *lengths), whose fans are the products of its channels
with its lengths.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "calculate_gain", "constant", "kaiming_normal", "kaiming_uniform", "lecun_normal", "lecun_uniform", "normal",
    "ones", "orthogonal", "truncated_normal", "uniform", "xavier_normal", "xavier_uniform", "zeros",
]  # fmt: skip

Array = np.ndarray[Any, np.dtype[np.float64]]
Shape = Sequence[int]
# in quotes, for NumPy loads its random numbers when they are first asked for
Rng: TypeAlias = "np.random.Generator | int | None"  # what numpy.random.default_rng takes
Initializer: TypeAlias = "Callable[[tuple[int, ...], np.random.Generator], Any]"


def zeros(shape: Shape, rng: Rng = None) -> Array:
    """Give zeros."""
    return np.zeros(shape)


def ones(shape: Shape, rng: Rng = None) -> Array:
    """Give ones."""
    return np.ones(shape)


def constant(shape: Shape, rng: Rng = None, *, value: float) -> Array:
    """Give `value` everywhere."""
    return np.full(shape, float(value))


def normal(shape: Shape, rng: Rng = None, *, mean: float = 0.0, std: float = 1.0) -> Array:
    """Draw from the normal distribution."""
    return np.random.default_rng(rng).normal(mean, std, shape)


def uniform(shape: Shape, rng: Rng = None, *, low: float = 0.0, high: float = 1.0) -> Array:
    """Draw from `low` up to, and without, `high`."""
    return np.random.default_rng(rng).uniform(low, high, shape)


def truncated_normal(
    shape: Shape, rng: Rng = None, *, mean: float = 0.0, std: float = 1.0, bound: float = 2.0
) -> Array:
    """Draw from the normal distribution, and again what is further than ``bound * std`` from the mean.

    The standard deviation of what is left is less than `std`: 0.8796 of it for a bound of 2.

    Raises
    ------
    ValueError
        If `bound` is less than 0.1: nearly everything would be drawn again, and what is left is nearly uniform.
    """
    if not bound >= 0.1:
        raise ValueError(f"bound counts standard deviations, at least 0.1, not {bound}: use uniform for less")
    rng = np.random.default_rng(rng)
    x = rng.standard_normal(shape)
    while (beyond := np.abs(x) > bound).any():
        x[beyond] = rng.standard_normal(np.count_nonzero(beyond))
    return mean + std * x


def xavier_uniform(shape: Shape, rng: Rng = None, *, gain: float = 1.0) -> Array:
    """Draw uniformly with variance ``gain**2 * 2 / (fan_in + fan_out)``; also called Glorot's [1]_.

    References
    ----------
    .. [1] Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
       networks", AISTATS 2010, equations (12) and (16).
    """
    return _uniform(shape, rng, gain, "fan_avg")


def xavier_normal(shape: Shape, rng: Rng = None, *, gain: float = 1.0) -> Array:
    """Draw from the normal distribution with the variance of `xavier_uniform`."""
    return _normal(shape, rng, gain, "fan_avg")


def kaiming_uniform(shape: Shape, rng: Rng = None, *, gain: float = math.sqrt(2), mode: str = "fan_in") -> Array:
    """Draw uniformly with variance ``gain**2 / fan``; also called He's [1]_.

    Parameters
    ----------
    shape : sequence of int
    rng : numpy.random.Generator or int, optional
    gain : float
        That of the activation behind the layer, by default of ReLU; see `calculate_gain`.
    mode : {"fan_in", "fan_out", "fan_avg"}
        What keeps its variance: what goes forward, what goes backward, or a compromise.

    References
    ----------
    .. [1] He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, equations (10) and (14).
    """
    return _uniform(shape, rng, gain, mode)


def kaiming_normal(shape: Shape, rng: Rng = None, *, gain: float = math.sqrt(2), mode: str = "fan_in") -> Array:
    """Draw from the normal distribution with the variance of `kaiming_uniform`."""
    return _normal(shape, rng, gain, mode)


def lecun_uniform(shape: Shape, rng: Rng = None) -> Array:
    """Draw uniformly with variance ``1 / fan_in`` [1]_.

    References
    ----------
    .. [1] LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, equation (16).
    """
    return _uniform(shape, rng, 1.0, "fan_in")


def lecun_normal(shape: Shape, rng: Rng = None) -> Array:
    """Draw from the normal distribution with variance ``1 / fan_in``, as `selu` wants it."""
    return _normal(shape, rng, 1.0, "fan_in")


def orthogonal(shape: Shape, rng: Rng = None, *, gain: float = 1.0) -> Array:
    """Draw `gain` times a matrix of orthonormal rows or columns, whichever are fewer, evenly among all such [1]_ [2]_.

    Of a kernel, the rows are what its results see.

    References
    ----------
    .. [1] Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
       neural networks", ICLR 2014.
    .. [2] Mezzadri, "How to generate random matrices from the classical compact groups", Notices AMS 54 (2007).
    """
    fans(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(np.random.default_rng(rng).standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.where(np.diagonal(r) < 0, -1, 1)  # qr prefers some signs, which would make some matrices more likely
    return gain * (q if rows >= columns else q.T).reshape(shape)


GAINS: dict[str, Callable[[float], float]] = {
    "linear": lambda slope: 1.0,
    "sigmoid": lambda slope: 1.0,
    "tanh": lambda slope: 5 / 3,
    "relu": lambda slope: math.sqrt(2),
    "leaky_relu": lambda slope: math.sqrt(2 / (1 + slope**2)),
    "selu": lambda slope: 3 / 4,
}


def calculate_gain(activation: str, slope: float = 0.01) -> float:
    """Give the factor that makes up for what an activation takes from the spread; the table is PyTorch's.

    Parameters
    ----------
    activation : {"linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"}
    slope : float
        That of the negative side of "leaky_relu".
    """
    if activation not in GAINS:
        raise ValueError(f"gains are known for {', '.join(GAINS)}, not for {activation!r}: pass a number as gain")
    return GAINS[activation](slope)


def fans(shape: Shape) -> tuple[int, int]:
    """Give how many numbers add up to one going forward, and going backward."""
    if len(shape) < 2 or not all(shape):
        raise ValueError(f"a weight has two axes or more and no empty one, not the shape {tuple(shape)}")
    if len(shape) == 2:
        return shape[0], shape[1]
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _fan(shape: Shape, mode: str) -> float:
    inward, outward = fans(shape)
    known = {"fan_in": inward, "fan_out": outward, "fan_avg": (inward + outward) / 2}
    if mode not in known:
        raise ValueError(f"mode is one of {', '.join(known)}, not {mode!r}")
    return known[mode]


def _uniform(shape: Shape, rng: Rng, gain: float, mode: str) -> Array:
    bound = gain * math.sqrt(3 / _fan(shape, mode))
    return uniform(shape, rng, low=-bound, high=bound)


def _normal(shape: Shape, rng: Rng, gain: float, mode: str) -> Array:
    return normal(shape, rng, std=gain * math.sqrt(1 / _fan(shape, mode)))
