"""Whole functions as one operation each: recomputed in the backward pass, or with a rule of the user's own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import wraps
from itertools import repeat
from typing import Any

import numpy as np

from . import ops
from .core import Joint, Node, Operand, Primitive, clock, past, result
from .derivatives import Function, vjp
from .numpy_protocol import plain
from .ops.elementwise import floating
from .tensor import Tensor
from .trees import Tree, grown, leaves

# -- recomputation -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """What was applied to what, without the values: operands first, then the result of each row."""

    rows: list[tuple[Primitive, list[tuple[int | None, Any]], dict[str, Any]]]
    wanted: int  # so many of the operands, the first, are differentiated

    def __call__(self, *operands: Operand) -> Any:
        values = list(operands)
        for op, places, params in self.rows:
            values.append(op.apply(*[x if i is None else values[i] for i, x in places], **params))
        return values[-1]


def _recomputed(g: Any, y: Any, *operands: Any, program: Program) -> tuple[Any, ...]:
    wanted, frozen = operands[: program.wanted], operands[program.wanted :]
    return vjp(lambda *xs: program(*xs, *frozen), *wanted)[1](g)


checkpoint_p = Joint("checkpoint", lambda *xs, program: program(*xs), _recomputed, __name__)


def checkpoint(f: Function) -> Function:
    """Make a function that gives what `f` gives, and computes what is inside again when it is differentiated [1]_.

    Between the forward and the backward pass only the operands and the results are kept. What is
    computed again are the operations that were recorded, not `f`: random numbers are not drawn
    twice, running averages do not move twice, and the gradients are those without checkpoint. They
    may be differentiated in turn. Of several results each is recomputed on its own.

    Parameters
    ----------
    f : callable
        Any function or Module, of any arguments. Tensors that it uses from outside, such as weights,
        have their gradients too. Its result is a Tensor, or a tree of them.

    Returns
    -------
    callable
        With the arguments of `f`.

    Raises
    ------
    RuntimeError
        If `f` changes the data of a Tensor after it used it.

    Notes
    -----
    Masks, indices and other arrays that take part and are no Tensors are kept. On a chain of 50
    blocks of ten operations each the peak of memory is a seventh, in `tests/test_calls.py`.

    References
    ----------
    .. [1] Griewank and Walther, "Algorithm 799: revolve", ACM TOMS 26 (2000); Chen et al., "Training deep nets with
       sublinear memory cost", arXiv:1604.06174.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> block = ag.nn.MLP([2, 100, 2], rng=0)
    >>> loss = ag.sum(ag.checkpoint(block)(np.ones((5, 2))))
    >>> loss.backward()
    >>> block.layers[0].weight.grad.shape
    (2, 100)
    """

    @wraps(f, updated=())
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        start = next(clock)
        y = f(*args, **kwargs)
        return grown(y, (_without_inside(x, start) if isinstance(x, Node) else x for x in leaves(y)))

    return checkpointed


def _without_inside(y: Node, start: int) -> Node:
    """Give a Node of the same value whose one application stands for all since `start`."""
    if y.age < start or not y.operands:
        return y
    inside, outside, frontier = {y}, dict[Node, None](), [y]
    while frontier:
        node = frontier.pop()
        for x in past(node):
            if not isinstance(x, Node) or x in inside:
                continue
            if x.operands and x.age > start:
                inside.add(x)
                frontier.append(x)
                continue
            if x.age > node.age:
                raise RuntimeError(
                    f"the data of a Tensor of shape {x.value.shape} changed inside a checkpointed function, after "
                    f"{node.op!r} used it, so it cannot be computed again: change data outside"
                )
            outside[x] = None
    operands = sorted(outside, key=lambda x: not x.requires_grad)
    order = sorted(inside, key=lambda node: node.age)
    number = {x: i for i, x in enumerate([*operands, *order])}
    rows: Any = [
        (node.op, [(number[x], None) if isinstance(x, Node) else (None, x) for x in past(node)], node.params)
        for node in order
    ]
    program = Program(rows, sum(x.requires_grad for x in operands))
    value = y.value if y.value.base is None else y.value.copy("K")  # a view would keep what it is a view of
    node = result(type(y), value, checkpoint_p, tuple(operands), {"program": program}, True)
    node.marks = tuple(mark for mark in y.marks if mark is not y.older)
    return node


# -- rules of the user's own -----------------------------------------------------------------------------


def custom_vjp(f: Function, rule: Function) -> Function:
    """Make a function that gives what `f` gives, and is differentiated by a rule of the user's own.

    Unlike `primitive`, which has a rule for each operand, it takes and gives trees, and the rule
    gives all cotangents at once.

    Parameters
    ----------
    f : callable
        It is called with arrays, and gives an array or a tree of them. What the rule can use again,
        it may give besides.
    rule : callable
        ``rule(g, y, *args)`` gives the cotangent of the only argument, or a tuple with that of each:
        a tree like it, or None where there is none. `y` is what `f` gave, and `g` a tree like it, of
        zeros for what nothing was computed from. Like the rule of a primitive it captures nothing,
        and if it uses operators and operations of `ag`, it can be differentiated in turn.

    Returns
    -------
    callable
        With the arguments of `f`. Keywords are handed to `f` and to the rule as they are. Arrays in,
        arrays out; Tensors in, Tensors out.

    Raises
    ------
    TypeError
        If `f` uses a Tensor from outside, for the rule gives no cotangent of it; or if the rule does
        not give as many cotangents as there are arguments, each of the form of its own.
    ValueError
        If a cotangent has not the shape of what it is one of.

    Examples
    --------
    Rounding, with the derivative of what it approximates (the "straight-through estimator"):

    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> rounded = ag.custom_vjp(np.round, lambda g, y, x: g)
    >>> ag.grad(lambda x: ag.sum(rounded(x) ** 2))(np.array([0.4, 1.6]))
    array([0., 4.])

    The identity, with a gradient that is clipped:

    >>> clipped = ag.custom_vjp(lambda x: x, lambda g, y, x: ag.clip(g, -1, 1))
    >>> float(ag.grad(lambda x: 100 * clipped(x))(2.0))
    1.0
    """
    name = getattr(f, "__name__", "<")
    name = "custom_vjp" if name.startswith("<") else name

    def value(xs: Any, form: Tree, kwargs: dict[str, Any]) -> Tree:
        y = f(*grown(form, iter(xs)), **kwargs)
        if any(isinstance(part, Node) and part.requires_grad for part in leaves(y)):
            raise TypeError(
                f"{name!r} uses a Tensor from outside, of which its rule gives no cotangent: pass it as an argument, "
                "or use its .data if it is a constant"
            )
        return grown(y, (floating(plain(part)) for part in leaves(y)))

    @wraps(f, assigned=(), updated=())  # by which reports find the user's line
    def forward(*xs: Any, form: Tree, outline: Tree, kwargs: dict[str, Any]) -> Any:
        return _joined(value(xs, form, kwargs))

    @wraps(rule, assigned=(), updated=())
    def cotangents(g: Any, y: Any, *xs: Any, form: Tree, outline: Tree, kwargs: dict[str, Any]) -> list[Any]:
        args = grown(form, iter(xs))
        found = rule(_parted(g, outline), _parted(y, outline), *args, **kwargs)
        if len(args) == 1:
            found = (found,)
        if not isinstance(found, (tuple, list)) or len(found) != len(args):
            got = f"{len(found)}" if isinstance(found, (tuple, list)) else f"a {type(found).__name__}"
            raise TypeError(
                f"the rule of {name!r} gives a tuple of {len(args)} cotangents, one for each argument and None where "
                f"there is none, not {got}"
            )
        flat: list[Any] = []
        for i, (ct, arg) in enumerate(zip(found, args, strict=True)):
            own = list(leaves(arg))
            cts = [np.zeros(np.shape(x)) for x in own] if ct is None else list(leaves(ct))
            if len(cts) != len(own):
                raise TypeError(
                    f"the rule of {name!r} gives a cotangent of the form of argument {i}, which has {len(own)} arrays, "
                    f"not {len(cts)}"
                )
            flat += cts
        return flat

    op = Joint(name, forward, cotangents, sys._getframe(1).f_globals.get("__name__", "__main__"))

    @wraps(f, updated=())
    def custom(*args: Tree, **kwargs: Any) -> Tree:
        operands = tuple([x if isinstance(x, Node) else Tensor.constant(x) for x in leaves(args)])
        nodes = [x for x in operands if isinstance(x, Node)]
        form = grown(args, repeat(None))
        y = value(map(plain, operands), form, kwargs)
        if not nodes:
            return y
        joint = _joined(y)
        if any(joint is x.value for x in nodes):
            joint = joint.copy()  # it would change with the data of its operand
        outline = grown(y, (np.broadcast_to(np.zeros((), part.dtype), part.shape) for part in leaves(y)))
        params = {"form": form, "outline": outline, "kwargs": kwargs}
        return _parted(
            result(type(nodes[0]), joint, op, operands, params, any(x.requires_grad for x in nodes)), outline
        )

    custom.op = op  # type: ignore[attr-defined]  # wraps() keeps the signature, and has no type for attributes
    return custom


def _joined(tree: Tree) -> Any:
    """Put the leaves of a tree, if there are several, one after the other in a vector."""
    parts = list(leaves(tree))
    return parts[0] if len(parts) == 1 else np.concatenate([np.ravel(x) for x in parts])


def _parted(x: Any, outline: Tree) -> Tree:
    """Undo `_joined`: give the parts of a vector the shapes and dtypes of the leaves of a tree."""
    likes = list(leaves(outline))
    if len(likes) == 1:
        return grown(outline, iter([x]))
    ends = np.cumsum([like.size for like in likes]).tolist()
    parts = (ops.reshape(x[end - like.size : end], like.shape) for like, end in zip(likes, ends, strict=True))
    return grown(outline, (part.astype(like.dtype) for part, like in zip(parts, likes, strict=True)))
