"""Arithmetic and the elementary functions, one row each.

`g` is the cotangent of the result, `y` (`z` of two operands) the result, then come the operands.
"""

from __future__ import annotations

import math
import operator as op
from typing import Any

import numpy as np

from ..core import Node, Operation, primitive, value_of
from .namesake import namesake

__all__ = [
    "abs", "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "clip",
    "copysign", "cos", "cosh", "deg2rad", "degrees", "divide", "divmod", "exp", "exp2", "expm1", "fabs", "float_power",
    "fmax", "fmin", "fmod", "frexp", "heaviside", "hypot", "ldexp", "log", "log1p", "log2", "log10", "logaddexp",
    "logaddexp2", "maximum", "minimum", "mod", "modf", "multiply", "nan_to_num", "negative", "positive", "power",
    "rad2deg", "radians", "reciprocal", "remainder", "sigmoid", "sin", "sinc", "sinh", "sqrt", "square", "subtract",
    "tan", "tanh", "true_divide", "where",
]  # fmt: skip

LN2, LN10 = math.log(2), math.log(10)


def floating(x: Any) -> Any:
    """Give a Tensor or floats as they are, and integers, booleans and lists as float64: small integers wrap round."""
    return x if hasattr(x, "dtype") and x.dtype.kind == "f" else np.asarray(x, np.float64)[()]


@np.errstate(over="ignore")  # 1 / inf is the right 0
def _sigmoid(x: Any) -> Any:
    x = floating(x)
    if x.dtype.itemsize == 2:  # exp(12) is beyond half precision, and 1 / exp(12) is not
        return _sigmoid(x.astype(np.float32)).astype(x.dtype)
    return 1 / (1 + np.exp(-x))


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
pow_rules = (lambda g, z, x, y: g * y * x ** _less_one(y, x),
             lambda g, z, x, y: g * z * log(where((x == 0) & (y >= 0), 1, x)))
pow_p         = primitive("power",       op.pow,         *pow_rules)
float_power_p = primitive("float_power", np.float_power, *pow_rules)  # in float64, whatever comes in

mod_p = primitive("remainder", op.mod,  lambda g, z, x, y: g,
                                        lambda g, z, x, y: -g * np.floor_divide(x, y))
fmod_p = primitive("fmod",    np.fmod,  lambda g, z, x, y: g,
                                        lambda g, z, x, y: g * np.rint((z - x) / y))  # x - z is a multiple of y
modf_p = primitive("modf",    lambda x: np.modf(x)[0], lambda g, y, x: g)  # the rest of it is constant in pieces

neg_p = primitive("negative", op.neg, lambda g, y, x: -g)
abs_p = primitive("absolute", op.abs, lambda g, y, x: g * np.sign(x))

square   = primitive("square",   np.square,   lambda g, y, x: g * (2 * x))  # for speed: x * x with one operand
sqrt     = primitive("sqrt",     np.sqrt,     lambda g, y, x: g / (2 * y))
cbrt     = primitive("cbrt",     np.cbrt,     lambda g, y, x: g / (3 * y * y))
exp      = primitive("exp",      np.exp,      lambda g, y, x: g * y)
exp2     = primitive("exp2",     np.exp2,     lambda g, y, x: g * (LN2 * y))
expm1    = primitive("expm1",    np.expm1,    lambda g, y, x: g * exp(x))  # y + 1 has no digits left below -37
log: Operation = primitive("log",      np.log,      lambda g, y, x: g / x)
log2     = primitive("log2",     np.log2,     lambda g, y, x: g / x / LN2)
log10    = primitive("log10",    np.log10,    lambda g, y, x: g / x / LN10)
log1p    = primitive("log1p",    np.log1p,    lambda g, y, x: g / (1 + x))

# Factors, not 1 - x * x, which loses digits near 1; and 1 + x * x is the square of a hypot, which does not overflow.
sin      = primitive("sin",      np.sin,      lambda g, y, x: g * cos(x))
cos: Operation = primitive("cos",      np.cos,      lambda g, y, x: -g * sin(x))
tan      = primitive("tan",      np.tan,      lambda g, y, x: g * (1 + y * y))
arcsin   = primitive("arcsin",   np.arcsin,   lambda g, y, x: g / sqrt((1 - x) * (1 + x)))
arccos   = primitive("arccos",   np.arccos,   lambda g, y, x: -g / sqrt((1 - x) * (1 + x)))
arctan   = primitive("arctan",   np.arctan,   lambda g, y, x: over_square(g, hypot(1, x)))
sinh     = primitive("sinh",     np.sinh,     lambda g, y, x: g * cosh(x))
cosh: Operation = primitive("cosh",     np.cosh,     lambda g, y, x: g * sinh(x))
tanh     = primitive("tanh",     np.tanh,     lambda g, y, x: g * (1 - y * y))
arcsinh  = primitive("arcsinh",  np.arcsinh,  lambda g, y, x: g / hypot(1, x))
arccosh  = primitive("arccosh",  np.arccosh,  lambda g, y, x: g / sqrt(x - 1) / sqrt(x + 1))
arctanh  = primitive("arctanh",  np.arctanh,  lambda g, y, x: g / ((1 - x) * (1 + x)))
deg2rad: Operation = primitive("deg2rad",  np.deg2rad,  lambda g, y, x: deg2rad(g))
rad2deg: Operation = primitive("rad2deg",  np.rad2deg,  lambda g, y, x: rad2deg(g))
ldexp_p: Operation = primitive("ldexp", lambda x, power: np.ldexp(x, power),
                               lambda g, y, x, power: ldexp_p(g, power=power))
sinc_p: Operation = primitive("sinc", lambda x, order: _sinc(x, order),
                              lambda g, y, x, order: g * sinc_p(x, order=order + 1))

hypot: Operation = primitive("hypot", np.hypot, lambda g, z, x, y: g * ratio(x, z),
                                    lambda g, z, x, y: g * ratio(y, z))
arctan2 = primitive("arctan2", np.arctan2, lambda g, z, x, y: g * _turn(y, x),
                                           lambda g, z, x, y: -g * _turn(x, y))
maximum = primitive("maximum", np.maximum, lambda g, z, x, y: g * _share(x, y, z),
                                           lambda g, z, x, y: g * _share(y, x, z))
minimum = primitive("minimum", np.minimum, lambda g, z, x, y: g * _share(x, y, z),
                                           lambda g, z, x, y: g * _share(y, x, z))
fmax    = primitive("fmax",    np.fmax,    lambda g, z, x, y: g * _share(x, y, z),
                                           lambda g, z, x, y: g * _share(y, x, z))
fmin    = primitive("fmin",    np.fmin,    lambda g, z, x, y: g * _share(x, y, z),
                                           lambda g, z, x, y: g * _share(y, x, z))
clip_p  = primitive("clip",    lambda x, low, high: np.clip(x, low, high)[()],
                    lambda g, y, x, low, high: g * _taken(x, low, high)[0],
                    lambda g, y, x, low, high: g * _taken(x, low, high)[1],
                    lambda g, y, x, low, high: g * _taken(x, low, high)[2])
where_p = primitive("where", lambda x, y, condition: _where(x, y, condition),
                    lambda g, z, x, y, condition: where(condition, g, 0),
                    lambda g, z, x, y, condition: where(condition, 0, g))

# These could be derived; they are primitives for stability: no overflow, no cancellation, no warning.
sigmoid    = primitive("sigmoid",    _sigmoid,      lambda g, y, x: g * (y * (1 - y)))
logaddexp  = primitive("logaddexp",  np.logaddexp,  lambda g, z, x, y: g * sigmoid(_lead(x, y)),
                                                    lambda g, z, x, y: g * sigmoid(_lead(y, x)))
logaddexp2 = primitive("logaddexp2", np.logaddexp2, lambda g, z, x, y: g * sigmoid(LN2 * _lead(x, y)),
                                                    lambda g, z, x, y: g * sigmoid(LN2 * _lead(y, x)))
# fmt: on


def _less_one(y: Any, x: Any) -> Any:
    """Give the exponent of the derivative of a power, but not -1 where it would make 0 * inf of a 0.

    Beside a constant exponent of 0 it is 0: the 0th power of anything is 1. One that is differentiated has a
    derivative to keep.
    """
    if np.ndim(y) == 0 and y:
        return y - 1.0
    constant = not isinstance(y, Node)
    return where((y == 0) & (constant | (x == 0)), 0 if constant else 1, y - 1.0)


def _share(x: Any, y: Any, z: Any) -> Any:
    """How much of the extremum `z` of `x` and `y` is owed to `x`: 1, half of it at ties, or 0; a NaN owns its NaN."""
    return _is(x, z) * (1 - 0.5 * _is(y, z))


def _is(x: Any, z: Any) -> Any:
    return (x == z) | ((x != x) & (z != z))


def _taken(x: Any, low: Any, high: Any) -> tuple[Any, Any, Any]:
    """Where `x` is taken, where the lower limit, and where the higher; a limit that is NaN is taken."""
    below = np.less(x, low) | np.isnan(low)
    above = np.greater(np.maximum(x, low), high) | np.isnan(high)
    return ~(below | above), below & ~above, above


def over_square(g: Any, x: Any) -> Any:
    """Compute ``g / x**2`` where the square could overflow."""
    return g / x / x


def ratio(x: Any, z: Any) -> Any:
    """Divide `x` by `z`, which is no less than its absolute: 0 at 0 / 0 and ±1 at inf / inf, without slope there."""
    edge = (z == 0) | np.isinf(z)
    return where(edge, np.isinf(x) * np.sign(x), x) / where(edge, 1, z)


def _turn(x: Any, y: Any) -> Any:
    """Compute ``x / (x**2 + y**2)``, and 0 at the origin."""
    r = hypot(x, y)
    return ratio(x, r) / where(r == 0, 1, r)


def _lead(x: Any, y: Any) -> Any:
    """Compute ``x - y``, and `x` where it is infinite: two of -inf have no weight in the sum of their powers."""
    return x - where(np.isinf(x), 0, y)


def _sinc(x: Any, order: int) -> Any:
    """Compute a derivative of ``sin(pi x) / (pi x)``, by its series near 0, else by a recurrence.

    With ``u = pi x`` and ``f(u) = sin(u) / u``, differentiating ``u f = sin(u)`` n times gives the recurrence
    ``u f[n] + n f[n-1] = sin(u + n pi/2)``; it loses digits where u is less than n.
    """
    if order == 0:
        return np.sinc(x)
    u = np.pi * np.asarray(x, np.float64)
    near = np.abs(u) < order + 1
    small, u = np.where(near, u, 0), np.where(near, 1, u)
    series = np.zeros(u.shape)
    for m in range(24 + 7 * order, -1, -2):  # u**m, with the parity of the order; the first is below rounding
        sign = 1 if (m + order) % 4 == 0 else -1
        series = series * small**2 + sign / (math.factorial(m) * (m + order + 1))
    waves = [np.sin(u), np.cos(u), -np.sin(u), -np.cos(u)]
    f = waves[0] / u
    for n in range(1, order + 1):
        f = (waves[n % 4] - n * f) / u
    return (np.pi**order * np.where(near, series * small ** (order % 2), f)).astype(x.dtype)[()]


def _where(x: Any, y: Any, condition: Any) -> Any:
    z: Any = np.where(condition, x, y)
    return z[()]


def where(condition: Any, x: Any, y: Any) -> Any:
    """Take `x` where `condition` holds and `y` elsewhere; all three broadcast. The condition has no derivative."""
    return where_p(x, y, condition=np.array(value_of(condition), bool))  # a copy: the rule is to find it unchanged


add, subtract, multiply = namesake(np.add)(add_p), namesake(np.subtract)(sub_p), namesake(np.multiply)(mul_p)
divide, power = namesake(np.divide)(div_p), namesake(np.power)(pow_p)
remainder, fmod = namesake(np.remainder)(mod_p), namesake(np.fmod)(fmod_p)
negative, positive = namesake(np.negative)(neg_p), namesake(np.positive)(op.pos)
absolute, fabs = namesake(np.absolute)(abs_p), namesake(np.fabs)(abs_p)
reciprocal = namesake(np.reciprocal)(lambda x: 1 / x)
float_power = namesake(np.float_power)(float_power_p)
abs, true_divide, mod, radians, degrees = absolute, divide, remainder, deg2rad, rad2deg


def sinc(x: Any) -> Any:
    """Compute ``sin(pi x) / (pi x)``, which is 1 at 0. It has every derivative everywhere."""
    return sinc_p(x, order=0)


def copysign(x1: Any, x2: Any) -> Any:
    """Give `x1` the sign of `x2`, which has no derivative. That of `x1` at 0 is 0, as for the absolute."""
    x2 = value_of(x2)
    return abs_p(x1) * np.copysign(x1.value.dtype.type(1), x2) if isinstance(x1, Node) else np.copysign(x1, x2)


def ldexp(x1: Any, x2: Any) -> Any:
    """Compute ``x1 * 2**x2`` for integers `x2`, which have no derivative."""
    if isinstance(x2, Node):
        raise TypeError("ldexp takes integers as exponents, and a Tensor holds none: write x1 * exp2(x2)")
    return ldexp_p(x1, power=np.array(x2)[()])  # a copy: the rule is to find it unchanged


@namesake(np.divmod)
def divmod(x1: Any, x2: Any) -> Any:
    """Give the quotient rounded down, a plain array, and the remainder."""
    return np.floor_divide(x1, x2), mod_p(x1, x2)


@namesake(np.modf)
def modf(x: Any) -> Any:
    """Give the fractional part, and the integral part, a plain array."""
    return modf_p(x), np.trunc(x)


@namesake(np.frexp)
def frexp(x: Any) -> Any:
    """Write ``x = mantissa * 2**exponent``, the mantissa from 1/2 to 1; the exponents are a plain array."""
    exponent = np.frexp(value_of(x))[1]
    return ldexp_p(x, power=-exponent), exponent


@namesake(np.heaviside)
def heaviside(x1: Any, x2: Any) -> Any:
    """Give 0 below 0, 1 above, and at 0 `x2`, which alone has a derivative; without one, a plain array."""
    return where(np.equal(x1, 0), x2, np.heaviside(value_of(x1), 0))


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Limit `a` to the interval from `a_min` to `a_max`, or from `min` to `max`; None is no limit.

    At a limit the derivative by `a` is 1, and that by the limit 0.
    """
    if (a_min is not None or a_max is not None) and (min is not None or max is not None):
        raise ValueError("clip takes its limits as a_min and a_max, or as min and max, and got both: pass one pair")
    low, high = (a_min, a_max) if min is None and max is None else (min, max)
    if not any(isinstance(x, Node) for x in (a, low, high)):
        return np.clip(a, low, high)
    return clip_p(a, -math.inf if low is None else low, math.inf if high is None else high)


def nan_to_num(x: Any, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Put numbers for NaN and the infinities; by default 0 and the largest. The derivative there is 0."""
    value = value_of(x)
    numbers = np.nan_to_num(value, nan=nan, posinf=posinf, neginf=neginf)
    return where(np.isfinite(value), x, numbers) if isinstance(x, Node) else numbers
