"""Transforms of functions: arrays in, arrays out; Tensors in, Tensors out that can be differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import numpy as np

from .core import Node, is_recording, primitive, recording, sweep
from .tensor import Tensor

# A stand-in for an argument: what is computed from it can be told from what the Tensor gave elsewhere.
_argument = primitive("argument", lambda x: x, lambda g, y, x: g)


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., tuple[Any, Any]]:
    """Make a function that gives the value of `f` and its gradient.

    Parameters
    ----------
    f : callable
        Takes arrays or Tensors and gives a scalar. It works with Tensors inside.
    argnums : int or tuple of int
        Which positional arguments to differentiate by.

    Returns
    -------
    callable
        With the arguments of `f`. Gives ``(value, gradient)``; a tuple of gradients for a tuple of
        `argnums`. They are arrays, unless an argument is a Tensor or `f` uses one from outside that
        requires a gradient: then they are Tensors, which can be differentiated in turn. Under
        `no_grad` they are arrays in any case.

    Raises
    ------
    ValueError
        If `f` gives more than one entry.
    TypeError
        If an argument is not of real numbers.
    """
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @wraps(f, updated=())
    def transformed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        nested = is_recording()
        with recording(True):
            inputs = {i: _stand_in(args[i]) for i in numbers}
            arguments = set(inputs.values())
            y = f(*(inputs.get(i, x) for i, x in enumerate(args)), **kwargs)
            if np.size(y) != 1:
                raise ValueError(
                    f"grad differentiates a function whose result is one number, not one of shape {np.shape(y)}: sum "
                    "it, or take one entry"
                )
            tensors = any(isinstance(x, Node) for x in args)
            found: dict[Node, Any] = {}
            if isinstance(y, Node):
                needed, reaches_out = _between(inputs.values(), y)
                tensors = tensors or (reaches_out and nested)
                seed = np.ones(y.value.shape, y.value.dtype)[()]
                steps = sweep(y, seed, recorded=tensors and nested, needed=needed)
                found = {node: ct for node, ct in steps if node in arguments}
        gradients = [found.get(x, np.zeros_like(x.value)[()]) for x in inputs.values()]
        if tensors:
            y, *gradients = (x if isinstance(x, Node) else Tensor(x, requires_grad=False) for x in (y, *gradients))
        else:
            y = y.value if isinstance(y, Node) else y
        return y, gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return transformed


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Make a function that gives the gradient of `f`; see `value_and_grad`.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> float(ag.grad(ag.grad(ag.sin))(0.0))
    -0.0
    """
    both = value_and_grad(f, argnums)

    @wraps(f, updated=())
    def transformed(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return transformed


def _stand_in(x: Any) -> Node:
    if isinstance(x, Node) and x.requires_grad:
        node: Node = _argument(x)
        return node
    return Tensor(x)


def _between(inputs: Iterable[Node], output: Node) -> tuple[set[Node], bool]:
    """Find the nodes on the way from the inputs to the output, and whether there are ways from elsewhere."""
    needed = set(inputs)
    oldest = min(x.age for x in needed)
    seen, frontier, reaches_out = {output}, [output], False
    while frontier:
        for x in frontier.pop().operands:
            if isinstance(x, Node) and x.requires_grad and x not in seen:
                if x.age < oldest:
                    reaches_out = True
                    continue
                seen.add(x)
                frontier.append(x)
    for node in sorted(seen, key=lambda node: node.age):
        if any(isinstance(x, Node) and x in needed for x in node.operands):
            needed.add(node)
    return needed, reaches_out
