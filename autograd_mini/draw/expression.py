"""Expressions in text, such as ``tanh(x*w + b)``: parsed, looked through, and recorded; never run as a program."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import ops
from ..core import Node
from ..tensor import Tensor
from .dot import plain

LENGTH = 1000  # characters, which also bounds the depth
SIZE = 100  # numbers in a list
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: ops.add, ast.Sub: ops.subtract, ast.Mult: ops.multiply, ast.Div: ops.divide, ast.Mod: ops.remainder,
    ast.Pow: ops.power, ast.MatMult: ops.matmul, ast.USub: ops.negative, ast.UAdd: ops.positive,
}  # fmt: skip
SIGNS = (ast.expr_context, ast.operator, ast.unaryop)  # what is said by the part that has them
PARTS = (ast.Constant, ast.Name, ast.List, ast.UnaryOp, ast.BinOp, ast.Call)
OTHER = "an expression has numbers, lists of numbers, names, + - * / % ** @ and functions of these, and nothing else"
FUNCTIONS = {  # how many operands: which functions take them
    1: "abs absolute arccos arccosh arcsin arcsinh arctan arctanh cbrt cos cosh deg2rad elu erf erfc exp exp2 expm1 "
    "gelu hardtanh leaky_relu log log10 log1p log2 log_softmax logsigmoid logsumexp max mean median min negative norm "
    "prod rad2deg reciprocal relu selu sigmoid silu sin sinc sinh softmax softplus softsign sqrt square std sum tan "
    "tanh var",
    2: "add arctan2 divide dot fmax fmin hypot logaddexp logaddexp2 matmul maximum minimum multiply power subtract",
    3: "clip",
}
TAKES = {name: count for count, names in FUNCTIONS.items() for name in names.split()}


class ExpressionError(ValueError):
    """What is wrong with an expression, in a line."""


def record(text: str, values: Mapping[str, Tensor]) -> Tensor:
    """Record the graph of an expression.

    Parameters
    ----------
    text : str
        Numbers, lists of numbers, the names of `values`, ``+ - * / % ** @``, brackets, and the functions of `TAKES`.
    values : dict of Tensors
        What the names stand for.

    Raises
    ------
    ExpressionError
        If it has anything else, is longer than `LENGTH`, does not fit together, or has no name in it.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> from autograd_mini.draw.expression import record
    >>> record("tanh(x*x - 4)", {"x": ag.Tensor(2.0)}).item()
    0.0
    """
    result = _record(_parse(text), text, values)
    if not isinstance(result, Tensor):
        raise ExpressionError(
            f"{plain(text)} is a constant, which has no graph: use a name, and give it a value by --at x=2"
        )
    return result


def assign(text: str) -> tuple[str, Tensor]:
    """Read ``x=2`` or ``x=[1, 2]`` as a name and what it stands for.

    Raises
    ------
    ExpressionError
        If it is anything else.
    """
    name, equals, value = text.partition("=")
    target = _parse(name) if equals else None
    if not isinstance(target, ast.Name):
        raise ExpressionError(f"a value is given as x=2 or x=[1, 2], not as {plain(text)!r}")
    return target.id, Tensor(_record(_parse(value), value, {}))


def _parse(text: str) -> ast.expr:
    text = text.strip()
    if len(text) > LENGTH:
        raise ExpressionError(f"an expression has at most {LENGTH:,} characters, not {len(text):,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1if x" is about to be refused anyway
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: nested too deeply
        what = error.msg if isinstance(error, SyntaxError) else "nested too deeply, or not text"
        raise ExpressionError(f"{plain(text)!r} is no expression: {plain(what)}") from None


def _record(tree: ast.expr, text: str, values: Mapping[str, Tensor]) -> Any:
    """Apply the operations, operands first: `ast.walk` gives what is outside before what is inside."""
    nodes = [node for node in ast.walk(tree) if not isinstance(node, SIGNS)]
    called = {node.func for node in nodes if isinstance(node, ast.Call)}
    done: dict[ast.AST, Any] = {}
    node: ast.AST = tree
    try:
        for node in nodes:
            if not isinstance(node, PARTS):
                raise ExpressionError(OTHER)
        with np.errstate(all="ignore"), warnings.catch_warnings():  # what is not finite shows on its card
            warnings.simplefilter("ignore")
            for node in reversed(nodes):
                if node not in called:
                    done[node] = _apply(node, done, values)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        where = ast.get_source_segment(text.strip(), node) or text
        raise ExpressionError(f"{plain(where)!r}: {plain(error, 200).strip()}") from None
    return done[tree]


def _apply(node: ast.AST, done: Mapping[ast.AST, Any], values: Mapping[str, Tensor]) -> Any:
    """Give the value of a part from those of its own parts."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return np.float64(number)  # at once: 9**9**9 is inf in floats, and years in whole numbers
        case ast.Name(id=name):
            if name not in values:
                raise ExpressionError("no value is known for this name: give it one by --at x=2")
            return values[name]
        case ast.List(elts=parts):
            return _list([done[part] for part in parts])
        case ast.UnaryOp(op=op, operand=x) if type(op) in OPERATORS:
            return OPERATORS[type(op)](done[x])
        case ast.BinOp(left=x, op=op, right=y) if type(op) in OPERATORS:
            return OPERATORS[type(op)](done[x], done[y])
        case ast.Call(func=ast.Name(id=name), args=operands):
            if name not in TAKES:
                raise ExpressionError("no function of this name is known: draw --help names them")
            if len(operands) != TAKES[name]:
                raise ExpressionError(f"{name} takes {TAKES[name]} in brackets, not {len(operands)}")
            return getattr(ops, name)(*(done[x] for x in operands))
    raise ExpressionError(OTHER)


def _list(parts: list[Any]) -> Any:
    """Make an array of numbers, or of rows of numbers."""
    if any(isinstance(part, Node) for part in parts):
        raise ExpressionError("a list has numbers in it, not names: give the whole list a name by --at x=[1,2]")
    if len({part.shape for part in parts}) > 1 or any(part.ndim > 1 for part in parts):
        raise ExpressionError("a list has numbers in it, or rows of numbers that are equally long")
    array = np.array(parts, np.float64)
    if array.size > SIZE:
        raise ExpressionError(f"a list has at most {SIZE} numbers in it, not {array.size:,}")
    return array
