"""Arithmetic and elementary functions."""

from __future__ import annotations

import operator

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .table import Row, broadcast, chosen

number = st.sampled_from([-1, 0, 1, 2, 3, 2.0])

# fmt: off
ROWS = [
    Row("add",         ag.add,         np.add,           broadcast("any", "any")),
    Row("subtract",    ag.subtract,    np.subtract,      broadcast("any", "any")),
    Row("multiply",    ag.multiply,    np.multiply,      broadcast("any", "any")),
    Row("divide",      ag.divide,      np.divide,        broadcast("any", "nonzero")),
    Row("power",       ag.power,       np.power,         broadcast("positive", "any")),
    Row("negative",    ag.negative,    np.negative,      broadcast("any")),
    Row("absolute",    ag.absolute,    np.absolute,      broadcast("nonzero")),
    Row("square",      ag.square,      np.square,        broadcast("any")),
    Row("x + y",       operator.add,      operator.add,      broadcast("any", "any"), lists=False),
    Row("x - y",       operator.sub,      operator.sub,      broadcast("any", "any"), lists=False),
    Row("x * y",       operator.mul,      operator.mul,      broadcast("any", "any"), lists=False),
    Row("x / y",       operator.truediv,  operator.truediv,  broadcast("any", "nonzero"), lists=False),
    Row("x ** y",      operator.pow,      operator.pow,      broadcast("positive", "any"), lists=False),
    Row("-x",          operator.neg,      operator.neg,      broadcast("any"), lists=False),
    Row("+x",          operator.pos,      operator.pos,      broadcast("any"), lists=False),
    Row("abs(x)",      abs,               abs,               broadcast("nonzero"), lists=False),
    Row("numbers",     lambda x: (1 - 2 * x) / 4 + 3 / (5 + x * x) - 1, lambda x: (1 - 2 * x) / 4 + 3 / (5 + x * x) - 1,
                       broadcast("any"), lists=False),
    Row("x ** number", lambda x, p: x**p, lambda x, p: x**p, broadcast("nonzero", p=number), lists=False),
    Row("number ** x", lambda x: 1.5**x,  lambda x: 1.5**x,  broadcast("any"), lists=False),
    Row("exp",         ag.exp,         np.exp,           broadcast("any")),
    Row("log",         ag.log,         np.log,           broadcast("positive")),
    Row("sqrt",        ag.sqrt,        np.sqrt,          broadcast("positive")),
    Row("sin",         ag.sin,         np.sin,           broadcast("any")),
    Row("cos",         ag.cos,         np.cos,           broadcast("any")),
    Row("tanh",        ag.tanh,        np.tanh,          broadcast("any")),
    Row("sigmoid",     ag.sigmoid,     lambda x: 1 / (1 + np.exp(-1.0 * x)), broadcast("any"), exact=False),
    Row("relu",        ag.relu,        lambda x: np.maximum(x, 0), broadcast("nonzero")),
    Row("leaky_relu",  ag.leaky_relu,  lambda x, slope: np.where(x > 0, x, slope * x),
                       broadcast("nonzero", slope=st.sampled_from([0.0, 0.25])), exact=False),
    Row("softplus",    ag.softplus,    lambda x: np.log(1 + np.exp(1.0 * x)), broadcast("any"), exact=False),
    Row("maximum",     ag.maximum,     np.maximum,       broadcast("any", "odd")),
    Row("minimum",     ag.minimum,     np.minimum,       broadcast("any", "odd")),
    Row("where",       lambda x, y, condition: ag.where(condition, x, y),
                       lambda x, y, condition: np.where(condition, x, y), chosen()),
]
# fmt: on
