"""The error function, and what neurons do with it and with the functions in `elementwise`, where the sigmoid is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import Node, primitive
from .elementwise import clip, exp, floating, over_square, ratio, sigmoid, where

__all__ = [
    "elu", "erf", "erfc", "gelu", "hardtanh", "leaky_relu", "logsigmoid", "relu", "selu", "silu", "softplus",
    "softsign",
]  # fmt: skip


def _each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """Apply a function of numbers to each entry. Forty coefficients in NumPy would be no faster, and less exact."""

    def forward(x: Any) -> Any:
        x = floating(x)
        return np.fromiter(map(function, x.flat), float, x.size).reshape(x.shape).astype(x.dtype)[()]

    return forward


def _softplus(x: Any) -> Any:
    x = floating(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.absolute(x)))


def _softsign(x: Any) -> Any:
    x = floating(x)
    return ratio(x, 1 + np.absolute(x))


# fmt: off
erf  = primitive("erf",  _each(math.erf),  lambda g, y, x: g * _bell(x))
erfc = primitive("erfc", _each(math.erfc), lambda g, y, x: -g * _bell(x))  # 1 - erf(6) has no digits
# These could be derived; they are primitives for stability: no overflow, no cancellation, no warning.
softplus = primitive("softplus", _softplus, lambda g, y, x: g * sigmoid(x))
softsign = primitive("softsign", _softsign, lambda g, y, x: over_square(g, 1 + abs(x)))
gated    = primitive("gated", lambda x, gate: where(gate == 0, 0, x) * gate,  # no inf * 0: a gate that is shut is shut
                              lambda g, z, x, gate: g * gate,
                              lambda g, z, x, gate: g * where(np.isinf(x), 0, x))  # and at infinity gates are at rest
# And this one for its derivative at 0, which is 0 as everywhere else in deep learning.
relu     = primitive("relu",     lambda x: np.maximum(x, 0), lambda g, y, x: g * (y > 0))
# These are primitives for speed: numpy.where takes as long as all else together.
leaky_p  = primitive("leaky_relu", lambda x, slope: np.maximum(x, 0) + slope * np.minimum(x, 0),
                                   lambda g, y, x, slope: g * (x > 0) + slope * g * ~(x > 0))
elu_p    = primitive("elu",        lambda x, alpha: np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0)),
                                   lambda g, y, x, alpha: g * (x > 0) + alpha * g * ~(x > 0) * exp(-relu(-x)))
# fmt: on


def _bell(x: Any) -> Any:
    """Compute the derivative of the error function; beyond 30 it is 0 in every dtype, and a square may overflow."""
    x = clip(x, -30, 30)
    return 2 / math.sqrt(math.pi) * exp(-x * x)


erf.__doc__ = "Compute the error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to `x`."
erfc.__doc__ = "Compute ``1 - erf(x)`` with all its digits, also where that is next to nothing."


def _float(x: Any) -> Any:
    return x if isinstance(x, Node) else floating(x)


def silu(x: Any) -> Any:
    """Compute ``x * sigmoid(x)``, also called swish [1]_.

    References
    ----------
    .. [1] Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural network function approximation in
       reinforcement learning", Neural Networks 107 (2018).
    """
    return gated(x, sigmoid(x))


def gelu(x: Any, approximate: str = "none") -> Any:
    """Compute `x` times the probability that a standard normal number is below it [1]_.

    Parameters
    ----------
    x : array_like or Tensor
        Where.
    approximate : {"none", "tanh"}
        The exact probability, or ``(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2``.

    Raises
    ------
    ValueError
        If `approximate` is neither.

    References
    ----------
    .. [1] Hendrycks and Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415.
    """
    x = _float(x)
    if approximate == "none":
        return gated(x, 0.5 * erfc(-math.sqrt(0.5) * x))
    if approximate == "tanh":
        u = clip(x, -22, 22)  # beyond, the gate is 0 or 1 in every dtype, and a cube may overflow
        return gated(x, sigmoid(2 * math.sqrt(2 / math.pi) * (u + 0.044715 * u * u * u)))
    raise ValueError(f'approximate is "none" or "tanh", not {approximate!r}')


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Compute `x` where it is positive, else ``alpha * expm1(x)`` [1]_. The derivative at 0 is `alpha`.

    References
    ----------
    .. [1] Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential linear units
       (ELUs)", ICLR 2016.
    """
    return elu_p(_float(x), alpha=alpha)


def selu(x: Any) -> Any:
    """Compute `elu` with the scales that keep mean 0 and variance 1 from layer to layer [1]_.

    References
    ----------
    .. [1] Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks", NeurIPS 2017.
    """
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """Compute ``x`` where it is positive, else ``slope * x`` [1]_. The derivative at 0 is `slope`.

    References
    ----------
    .. [1] Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
    """
    return leaky_p(_float(x), slope=slope)


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """Limit `x` to the interval from `min_val` to `max_val`. The derivative at a limit is 1, as that of `clip`."""
    return clip(_float(x), min_val, max_val)


def logsigmoid(x: Any) -> Any:
    """Compute ``log(sigmoid(x))`` without overflow."""
    return -softplus(-_float(x))
