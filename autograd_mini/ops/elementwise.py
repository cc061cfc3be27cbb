"""Arithmetic and the elementary functions, one row each.

`g` is the cotangent of the result, `y` (`z` of two operands) the result, then come the operands.
"""

from __future__ import annotations

import operator as op
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import Node, Operation, Value, primitive

__all__ = [
    "absolute", "add", "cos", "divide", "exp", "leaky_relu", "log", "maximum", "minimum", "multiply", "negative",
    "power", "relu", "sigmoid", "sin", "softplus", "sqrt", "square", "subtract", "tanh", "where",
]  # fmt: skip


def floating(x: Any) -> Any:
    """Give an array of floats as it is, and integers, booleans and lists as float64: small integers wrap round."""
    return x if hasattr(x, "dtype") and x.dtype.kind == "f" else np.asarray(x, np.float64)[()]


@np.errstate(over="ignore")  # 1 / inf is the right 0
def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-floating(x)))


def _softplus(x: Any) -> Any:
    x = floating(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.absolute(x)))


# The forward of arithmetic is Python's operator, ten times faster than the ufunc on NumPy scalars.
# fmt: off
add_p = primitive("add",      op.add,     lambda g, z, x, y: g,
                                          lambda g, z, x, y: g)
sub_p = primitive("subtract", op.sub,     lambda g, z, x, y: g,
                                          lambda g, z, x, y: -g)
mul_p = primitive("multiply", op.mul,     lambda g, z, x, y: g * y,
                                          lambda g, z, x, y: g * x)
div_p = primitive("divide",   op.truediv, lambda g, z, x, y: g / y,
                                          lambda g, z, x, y: -g * z / y)
pow_p = primitive("power",    op.pow,     lambda g, z, x, y: g * y * x ** _less_one(y, x),
                                          lambda g, z, x, y: g * z * log(where((x == 0) & (y >= 0), 1, x)))

neg_p = primitive("negative", op.neg, lambda g, y, x: -g)
abs_p = primitive("absolute", op.abs, lambda g, y, x: g * np.sign(x))

square   = primitive("square",   np.square,   lambda g, y, x: g * (2 * x))  # for speed: x * x with one operand
sqrt     = primitive("sqrt",     np.sqrt,     lambda g, y, x: g / (2 * y))
exp      = primitive("exp",      np.exp,      lambda g, y, x: g * y)
log: Operation = primitive("log",      np.log,      lambda g, y, x: g / x)
sin      = primitive("sin",      np.sin,      lambda g, y, x: g * cos(x))
cos: Operation = primitive("cos",      np.cos,      lambda g, y, x: -g * sin(x))
tanh     = primitive("tanh",     np.tanh,     lambda g, y, x: g * (1 - y * y))

maximum = primitive("maximum", np.maximum, lambda g, z, x, y: g * _share(x, y, z),
                                           lambda g, z, x, y: g * _share(y, x, z))
minimum = primitive("minimum", np.minimum, lambda g, z, x, y: g * _share(x, y, z),
                                           lambda g, z, x, y: g * _share(y, x, z))
where_p = primitive("where", lambda x, y, condition: _where(x, y, condition),
                    lambda g, z, x, y, condition: where(condition, g, 0),
                    lambda g, z, x, y, condition: where(condition, 0, g))

# These could be derived; they are primitives for stability: no overflow, no cancellation, no warning.
sigmoid  = primitive("sigmoid",  _sigmoid, lambda g, y, x: g * (y * (1 - y)))
softplus = primitive("softplus", _softplus, lambda g, y, x: g * sigmoid(x))
# And this one for its derivative at 0, which is 0 as everywhere else in deep learning.
relu     = primitive("relu",     lambda x: np.maximum(x, 0), lambda g, y, x: g * (y > 0))
# fmt: on


def _less_one(y: Any, x: Any) -> Any:
    """Give the exponent of the derivative of a power, but not -1 where it would make 0 * inf of a 0.

    A constant exponent of 0 may give any number there; one that is differentiated has a derivative to keep.
    """
    if np.ndim(y) == 0 and y:
        return y - 1.0
    return where((y == 0) & ((x == 0) | (not isinstance(y, Node))), 1, y - 1.0)


def _share(x: Any, y: Any, z: Any) -> Any:
    """How much of the extremum `z` of `x` and `y` is owed to `x`: 1, half of it at ties, or 0; a NaN owns it."""
    return ((x == z) | (x != x)) * (1 - 0.5 * ((y == z) | (y != y)))


def _where(x: Any, y: Any, condition: Any) -> Any:
    z: Any = np.where(condition, x, y)
    return z[()]


def where(condition: Any, x: Any, y: Any) -> Any:
    """Take `x` where `condition` holds and `y` elsewhere; all three broadcast. The condition has no derivative."""
    condition = condition.value if isinstance(condition, Node) else condition
    return where_p(x, y, condition=np.array(condition, bool))  # a copy: the rule is to find it unchanged


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """Compute ``x`` where it is positive, else ``slope * x`` [1]_. The derivative at 0 is `slope`.

    References
    ----------
    .. [1] Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
    """
    x = x if isinstance(x, Node) else floating(x)
    return where(x > 0, x, slope * x)


def _numpy(ufunc: Callable[..., Value], apply: Callable[..., Any]) -> Callable[..., Any]:
    """Give NumPy's function for arrays, numbers and lists, the primitive as soon as there is a Tensor."""

    def either(*operands: Any) -> Any:
        return apply(*operands) if any(isinstance(x, Node) for x in operands) else ufunc(*operands)

    either.__name__ = either.__qualname__ = ufunc.__name__
    either.__doc__ = f"``numpy.{ufunc.__name__}`` for Tensors too."
    return either


add, subtract, multiply = _numpy(np.add, add_p), _numpy(np.subtract, sub_p), _numpy(np.multiply, mul_p)
divide, power = _numpy(np.divide, div_p), _numpy(np.power, pow_p)
negative, absolute = _numpy(np.negative, neg_p), _numpy(np.absolute, abs_p)
