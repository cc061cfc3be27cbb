"""Arithmetic and elementary functions."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_mini as ag

from .table import Case, Draw, Row, broadcast, cased, chosen

number = st.sampled_from([-1, 0, 1, 2, 3, 2.0])
limit = st.sampled_from([None, -1.0, -0.5, 0, 0.5])


@st.composite
def beside(draw: Draw, kind: str, values: Any) -> Case:
    """An operand, and a constant `other` that broadcasts against it."""
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
    shape, other = found.input_shapes
    return cased(draw, [shape], [kind], other=draw(hnp.arrays(type(draw(values)), other, elements=values)))


def whole(f: Any) -> Any:
    """Both results as one."""
    return lambda *xs: np.concatenate([np.ravel(part) for part in f(*xs)])


# fmt: off
ROWS = [
    Row("add",         ag.add,         np.add,           broadcast("any", "any")),
    Row("subtract",    ag.subtract,    np.subtract,      broadcast("any", "any")),
    Row("multiply",    ag.multiply,    np.multiply,      broadcast("any", "any")),
    Row("divide",      ag.divide,      np.divide,        broadcast("any", "nonzero")),
    Row("power",       ag.power,       np.power,         broadcast("positive", "any")),
    Row("negative",    ag.negative,    np.negative,      broadcast("any")),
    Row("absolute",    ag.absolute,    np.absolute,      broadcast("nonzero")),
    Row("reciprocal",  ag.reciprocal,  np.reciprocal,    broadcast("nonzero")),
    Row("float_power", ag.float_power, np.float_power,   broadcast("positive", "any")),
    Row("remainder",   ag.remainder,   np.remainder,     broadcast("odd", "nonzero")),
    Row("fmod",        ag.fmod,        np.fmod,          broadcast("odd", "nonzero")),
    Row("positive",    ag.positive,    np.positive,      broadcast("any")),
    Row("fabs",        ag.fabs,        np.fabs,          broadcast("nonzero")),
    Row("square",      ag.square,      np.square,        broadcast("any")),
    Row("x + y",       operator.add,      operator.add,      broadcast("any", "any"), lists=False),
    Row("x - y",       operator.sub,      operator.sub,      broadcast("any", "any"), lists=False),
    Row("x * y",       operator.mul,      operator.mul,      broadcast("any", "any"), lists=False),
    Row("x / y",       operator.truediv,  operator.truediv,  broadcast("any", "nonzero"), lists=False),
    Row("x ** y",      operator.pow,      operator.pow,      broadcast("positive", "any"), lists=False),
    Row("x % y",       operator.mod,      operator.mod,      broadcast("odd", "nonzero"), lists=False),
    Row("-x",          operator.neg,      operator.neg,      broadcast("any"), lists=False),
    Row("+x",          operator.pos,      operator.pos,      broadcast("any"), lists=False),
    Row("abs(x)",      abs,               abs,               broadcast("nonzero"), lists=False),
    Row("numbers",     lambda x: (1 - 2 * x) / 4 + 3 / (5 + x * x) - 1, lambda x: (1 - 2 * x) / 4 + 3 / (5 + x * x) - 1,
                       broadcast("any"), lists=False),
    Row("x ** number", lambda x, p: x**p, lambda x, p: x**p, broadcast("nonzero", p=number), lists=False),
    Row("number ** x", lambda x: 1.5**x,  lambda x: 1.5**x,  broadcast("any"), lists=False),
    Row("exp",         ag.exp,         np.exp,           broadcast("any")),
    Row("exp2",        ag.exp2,        np.exp2,          broadcast("any")),
    Row("expm1",       ag.expm1,       np.expm1,         broadcast("any")),
    Row("log",         ag.log,         np.log,           broadcast("positive")),
    Row("log2",        ag.log2,        np.log2,          broadcast("positive")),
    Row("log10",       ag.log10,       np.log10,         broadcast("positive")),
    Row("log1p",       ag.log1p,       np.log1p,         broadcast("positive")),
    Row("logaddexp",   ag.logaddexp,   np.logaddexp,     broadcast("any", "any")),
    Row("logaddexp2",  ag.logaddexp2,  np.logaddexp2,    broadcast("any", "any")),
    Row("cbrt",        ag.cbrt,        np.cbrt,          broadcast("nonzero")),
    Row("sqrt",        ag.sqrt,        np.sqrt,          broadcast("positive")),
    Row("sin",         ag.sin,         np.sin,           broadcast("any")),
    Row("cos",         ag.cos,         np.cos,           broadcast("any")),
    Row("tan",         ag.tan,         np.tan,           broadcast("inside")),
    Row("arcsin",      ag.arcsin,      np.arcsin,        broadcast("inside")),
    Row("arccos",      ag.arccos,      np.arccos,        broadcast("inside")),
    Row("arctan",      ag.arctan,      np.arctan,        broadcast("any")),
    Row("arctan2",     ag.arctan2,     np.arctan2,       broadcast("nonzero", "any")),
    Row("hypot",       ag.hypot,       np.hypot,         broadcast("nonzero", "any")),
    Row("sinc",        ag.sinc,        np.sinc,          broadcast("any")),
    Row("degrees",     ag.degrees,     np.degrees,       broadcast("any")),
    Row("rad2deg",     ag.rad2deg,     np.rad2deg,       broadcast("any")),
    Row("radians",     ag.radians,     np.radians,       broadcast("any")),
    Row("deg2rad",     ag.deg2rad,     np.deg2rad,       broadcast("any")),
    Row("sinh",        ag.sinh,        np.sinh,          broadcast("any")),
    Row("cosh",        ag.cosh,        np.cosh,          broadcast("any")),
    Row("tanh",        ag.tanh,        np.tanh,          broadcast("any")),
    Row("arcsinh",     ag.arcsinh,     np.arcsinh,       broadcast("any")),
    Row("arccosh",     ag.arccosh,     np.arccosh,       broadcast("above one")),
    Row("arctanh",     ag.arctanh,     np.arctanh,       broadcast("inside")),
    Row("sigmoid",     ag.sigmoid,     lambda x: 1 / (1 + np.exp(-1.0 * x)), broadcast("any"), exact=False),
    Row("maximum",     ag.maximum,     np.maximum,       broadcast("any", "odd")),
    Row("minimum",     ag.minimum,     np.minimum,       broadcast("any", "odd")),
    Row("fmax",        ag.fmax,        np.fmax,          broadcast("any", "odd")),
    Row("fmin",        ag.fmin,        np.fmin,          broadcast("any", "odd")),
    Row("clip",        ag.clip,        np.clip,          broadcast("odd", a_min=limit, a_max=st.just(0.75))),
    Row("clip to x and y", lambda x, low, high: ag.clip(x, low, high / 2),
                       lambda x, low, high: np.clip(x, low, high / 2),
                       broadcast("any", "odd", "odd"), lists=False),
    Row("nan_to_num",  ag.nan_to_num,  np.nan_to_num,    broadcast("any")),
    Row("divmod",      whole(ag.divmod), whole(np.divmod), broadcast("odd", "nonzero"), lists=False),
    Row("divmod of numbers", whole(divmod), whole(divmod), broadcast("odd", "nonzero"), lists=False),
    Row("modf",        whole(ag.modf), whole(np.modf),   broadcast("odd")),
    Row("frexp",       lambda x: whole(ag.frexp)(ag.add(x, 1 / 3)), lambda x: whole(np.frexp)(np.add(x, 1 / 3)),
                       broadcast("any")),
    Row("heaviside",   lambda x, other: ag.heaviside(other, x), lambda x, other: np.heaviside(other, x),
                       beside("any", st.sampled_from([-1.0, 0.0, 2.0]))),
    Row("copysign",    lambda x, other: ag.copysign(x, other), lambda x, other: np.copysign(x, other),
                       beside("nonzero", st.sampled_from([-2.0, -0.0, 0.0, 3.0]))),
    Row("ldexp",       lambda x, other: ag.ldexp(x, other), lambda x, other: np.ldexp(x, other),
                       beside("any", st.integers(-3, 3))),
    Row("where",       lambda x, y, condition: ag.where(condition, x, y),
                       lambda x, y, condition: np.where(condition, x, y), chosen()),
]
# fmt: on
