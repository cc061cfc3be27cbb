"""Transforms of functions: arrays in, arrays out; Tensors in, Tensors out that can be differentiated again.

Arguments and results may be nested tuples, lists and dicts of arrays; a `Module` as an argument stands
for its parameters. A transform runs the function on *stand-ins* for its arguments, so that what is
computed from them can be told from everything else, and leaves no trace on any `.grad`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from operator import index
from typing import Any

import numpy as np

from . import ops
from .batching import pulled_back
from .core import Joint, Node, clock, is_recording, mode, past, sweep
from .numpy_protocol import plain
from .ops.shape import identity_p
from .tensor import Tensor
from .trees import Tree, grown, leaves

Function = Callable[..., Any]


# -- a function, run and recorded ------------------------------------------------------------------


class _Run:
    """A function run on stand-ins for some of its arguments, and what its graph is asked for.

    Attributes
    ----------
    inputs : list of list of Node
        What is differentiated by, for each of the arguments; `flat` is all of them.
    forms : list of tree
        In what form the gradient by each argument is given.
    outputs : list
        The leaves of the result, which has the form `result`.
    """

    def __init__(self, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any], numbers: tuple[int, ...]) -> None:
        self.nested = is_recording()
        self.start = next(clock)
        self.tensors = any(isinstance(x, Node) for arg in args for x in leaves(arg))
        self.inputs: list[list[Node]] = []
        self.forms: list[Tree] = []
        given = list(args)
        wanted = {i % len(args) for i in numbers if -len(args) <= i < len(args)} if args else set()
        if len(wanted) != len(numbers):
            raise ValueError(f"argnums names different ones of the {len(args)} positional arguments, not {numbers}")
        with mode(recording=True):
            for i in numbers:
                if hasattr(args[i], "named_parameters"):
                    form = dict(args[i].named_parameters())
                    self.inputs.append(list(form.values()))
                else:
                    form = args[i]
                    self.inputs.append([_stand_in(x) for x in leaves(form)])
                    given[i] = grown(form, iter(self.inputs[-1]))
                self.forms.append(form)
            self.result = f(*given, **kwargs)
        self.outputs = list(leaves(self.result))
        for y in self.outputs:
            if np.asarray(plain(y)).dtype.kind not in "fiub":
                raise TypeError(f"a differentiated function gives numbers, and this one gave {y!r}: return the value")
        self.flat = [x for xs in self.inputs for x in xs]

    def pull(self, seeds: list[Any], inputs: list[Node] | None = None, recorded: bool | None = None) -> list[Any]:
        """Give the cotangents of the inputs from those of the outputs; None is that of an output left out."""
        inputs = self.flat if inputs is None else inputs
        pairs = zip(self.outputs, seeds, strict=True)
        ends = [(y, seed) for y, seed in pairs if isinstance(y, Node) and seed is not None]
        found: dict[Node, Any] = {}
        if ends:
            with mode(recording=True):
                output, seed = ends[0]
                if len(ends) > 1:
                    output, seed = sum(ops.sum(y * ct) for y, ct in ends), np.float64(1)
                needed = self.ways(inputs, output)
                recorded = self.tensors and self.nested if recorded is None else recorded
                wanted = set(inputs)
                found = {x: g for x, g in sweep(output, seed, recorded=recorded, needed=needed) if x in wanted}
        return [found.get(x, np.zeros_like(x.value)[()]) for x in inputs]

    def ways(self, inputs: list[Node], output: Node) -> set[Node]:
        """Find the nodes on the ways from the inputs to the output, and notice ways from outside this run."""
        needed = set(inputs)
        seen, frontier = {output}, [output]
        while frontier:
            for x in past(frontier.pop()):
                if isinstance(x, Node) and x.requires_grad and x not in seen:
                    if x.age < self.start:
                        self.tensors = self.tensors or (self.nested and x not in needed)
                        continue
                    seen.add(x)
                    frontier.append(x)
        for node in sorted(seen, key=lambda node: node.age):
            if any(isinstance(x, Node) and x in needed for x in past(node)):
                needed.add(node)
        return needed

    def given(self, x: Any) -> Any:
        """Give a result as the caller has it: a Tensor if Tensors went in, else an array."""
        if self.tensors:
            return x if isinstance(x, Node) else Tensor(x, requires_grad=False)
        return plain(x)

    def gradients(self, cotangents: list[Any]) -> tuple[Tree, ...]:
        """Put cotangents of all inputs into the forms of their arguments."""
        given = map(self.given, cotangents)
        return tuple(grown(form, given) for form in self.forms)


def _stand_in(x: Any) -> Node:
    if isinstance(x, Node) and x.requires_grad:
        node: Node = identity_p(x)
        return node
    return Tensor(plain(x))


def _scalar(run: _Run) -> Any:
    if len(run.outputs) != 1 or np.size(run.outputs[0]) != 1:
        shapes = ", ".join(str(np.shape(y)) for y in run.outputs)
        raise ValueError(
            f"grad differentiates a function whose result is one number, not one of shape {shapes}: sum it, or take "
            "one entry"
        )
    return run.outputs[0]


def _seed(y: Any) -> Any:
    return np.ones(np.shape(y), _dtype(y))[()]


def _dtype(y: Any) -> Any:
    return getattr(plain(y), "dtype", np.dtype(np.float64))


# -- gradients -------------------------------------------------------------------------------------


def value_and_grad(f: Function, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False) -> Function:
    """Make a function that gives the value of `f` and its gradient.

    Parameters
    ----------
    f : callable
        Gives a scalar; with `has_aux`, a pair of it and of anything else. It works with Tensors inside.
    argnums : int or tuple of int
        Which positional arguments to differentiate by. Each may be a tree, or a Module, whose
        gradient is a dict by the paths of its parameters.
    has_aux : bool
        Whether `f` gives something besides, which is handed on.

    Returns
    -------
    callable
        With the arguments of `f`. Gives ``(value, gradient)``, or ``((value, aux), gradient)``; a
        tuple of gradients for a tuple of `argnums`. They are arrays, unless an argument is a Tensor
        or `f` uses one from outside that requires a gradient: then they are Tensors, which can be
        differentiated in turn. Inside `no_grad` nothing is.

    Raises
    ------
    ValueError
        If `f` gives more than one number.
    TypeError
        If an argument is not of real numbers.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> value, slope = ag.value_and_grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 3.0})
    >>> float(value), {name: float(g) for name, g in slope.items()}
    (6.0, {'a': 3.0, 'b': 2.0})
    """
    numbers = tuple(argnums) if isinstance(argnums, (tuple, list)) else (index(argnums),)

    @wraps(f, updated=())
    def transformed(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        aux = None

        def value(*args: Any, **kwargs: Any) -> Any:
            nonlocal aux
            if not has_aux:
                return f(*args, **kwargs)
            y, aux = f(*args, **kwargs)
            return y

        run = _Run(value, args, kwargs, numbers)
        y = _scalar(run)
        gradients = run.gradients(run.pull([_seed(y)]))
        y = run.given(y)
        return (y, aux) if has_aux else y, gradients if isinstance(argnums, (tuple, list)) else gradients[0]

    return transformed


def grad(f: Function, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False) -> Function:
    """Make a function that gives the gradient of `f`, or ``(gradient, aux)``; see `value_and_grad`.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> float(ag.grad(ag.grad(ag.exp))(0.0))
    1.0
    """
    both = value_and_grad(f, argnums, has_aux=has_aux)

    @wraps(f, updated=())
    def transformed(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return transformed


def elementwise_grad(f: Function) -> Function:
    """Make the derivative of a function that is applied entry by entry, of any shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> ag.elementwise_grad(ag.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return grad(lambda x, *args, **kwargs: ops.sum(f(x, *args, **kwargs)))


# -- products with the Jacobian --------------------------------------------------------------------


def vjp(f: Function, *args: Tree) -> tuple[Tree, Callable[[Tree], tuple[Tree, ...]]]:
    """Give ``f(*args)``, and the function that takes a cotangent of it to those of the arguments.

    Parameters
    ----------
    f : callable
        Gives an array of any shape, or a tree of them.
    *args : tree

    Returns
    -------
    value : tree
    pullback : callable
        Takes a tree like the value, and gives a tuple with a tree like each argument. It can be
        called any number of times.

    Raises
    ------
    ValueError
        If a cotangent has not the form or the shape of the value.
    """
    run = _Run(f, args, {}, tuple(range(len(args))))

    def pullback(cotangent: Tree) -> tuple[Tree, ...]:
        run.tensors = run.tensors or any(isinstance(ct, Node) for ct in leaves(cotangent))
        return run.gradients(run.pull(_matched(cotangent, run.outputs, "cotangent", "the value")))

    for y in run.outputs:
        if isinstance(y, Node):
            run.ways(run.flat, y)  # notices Tensors from outside
    return grown(run.result, map(run.given, run.outputs)), pullback


def jvp(f: Function, primals: tuple[Tree, ...], tangents: tuple[Tree, ...]) -> tuple[Tree, Tree]:
    """Give ``f(*primals)`` and its derivative in the direction of the tangents: forward mode.

    The pullback is linear in its cotangent; its own pullback is what is wanted [1]_, so no
    operation needs a second rule.

    Parameters
    ----------
    f : callable
        Gives an array of any shape, or a tree of them.
    primals, tangents : tuple of trees
        The arguments, and a direction of the same form and shapes.

    References
    ----------
    .. [1] Townsend, "A new trick for calculating Jacobian vector products", 2017.
    """
    run = _Run(f, tuple(primals), {}, tuple(range(len(primals))))
    directions = _matched(tuple(tangents), run.flat, "tangent", "the primals")
    run.tensors = run.tensors or any(isinstance(u, Node) for u in directions)
    with mode(recording=True):
        cotangents = [Tensor(np.zeros(np.shape(y), _dtype(y))) for y in run.outputs]
        pulled = run.pull(list(cotangents), recorded=True)
        run.outputs = [ops.sum(g * u) for g, u in zip(pulled, directions, strict=True)]
    moved = run.pull([_seed(y) for y in run.outputs], inputs=list(cotangents))
    value = grown(run.result, map(run.given, leaves(run.result)))
    return value, grown(run.result, map(run.given, moved))


def hvp(f: Function, x: Tree, v: Tree) -> Tree:
    """Give the product of the Hessian of `f` at `x` with `v`, both of one form, without the Hessian."""

    def slope(x: Tree) -> Any:
        pairs = zip(leaves(grad(f)(x)), leaves(v), strict=True)
        return sum(ops.sum(g * u) for g, u in pairs)

    return grad(slope)(x)


def jacobian(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Make a function that gives every derivative of every entry of ``f(...)``.

    The result for an output of shape `s` and an argument of shape `t` has shape ``s + t``; for trees
    it is a tree like the output of trees like the argument. All entries of an output go through
    one sweep together, where the operations can do that; but through `checkpoint`, to save memory,
    and `custom_vjp`, whose rule need not be linear, each goes alone.

    Parameters
    ----------
    f : callable
        Gives an array of any shape, or a tree of them.
    argnums : int or tuple of int
        Which positional arguments to differentiate by.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> ag.jacobian(lambda x: x[::-1] * x)(np.array([2.0, 3.0]))
    array([[3., 2.],
           [3., 2.]])
    """
    numbers = tuple(argnums) if isinstance(argnums, (tuple, list)) else (index(argnums),)

    @wraps(f, updated=())
    def transformed(*args: Any, **kwargs: Any) -> Tree:
        run = _Run(f, args, kwargs, numbers)
        results = []
        for i, y in enumerate(run.outputs):
            columns = [
                ops.reshape(rows, np.shape(y) + x.value.shape) for x, rows in zip(run.flat, _rows(run, i), strict=True)
            ]
            gradients = run.gradients(columns)
            results.append(gradients if isinstance(argnums, (tuple, list)) else gradients[0])
        return grown(run.result, iter(results))

    return transformed


def _rows(run: _Run, i: int) -> list[Any]:
    """Give the derivatives of every entry of output number `i` by each input, stacked."""
    y = run.outputs[i]
    seeds: list[Any] = [None] * len(run.outputs)
    size = np.size(y)

    def seed(entry: int) -> Any:
        ct = np.zeros(size, _dtype(y))
        ct[entry] = 1
        return ct.reshape(np.shape(y))[()]

    if not size:
        return [np.zeros((0, *x.value.shape), x.value.dtype) for x in run.flat]
    if size > 1 and isinstance(y, Node) and not any(isinstance(node.op, Joint) for node in run.ways(run.flat, y)):
        seeds[i] = ct = Tensor(seed(0))
        return pulled_back(ct, run.pull(seeds, recorded=True), recorded=run.tensors and run.nested)
    rows = []
    for entry in range(size):
        seeds[i] = seed(entry)
        rows.append(run.pull(seeds))
    return [ops.stack(column) for column in zip(*rows, strict=True)]


def hessian(f: Function) -> Function:
    """Make a function that gives the second derivatives of a scalar function: the Jacobian of its gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> ag.hessian(lambda x: x[0] * x[1] ** 2)(np.array([2.0, 3.0]))
    array([[0., 6.],
           [6., 4.]])
    """
    return jacobian(grad(f))


def stop_gradient(x: Tree) -> Tree:
    """Give constants with the values of `x`: what is computed from them has no derivative by `x`."""
    return grown(x, (leaf.detach() if isinstance(leaf, Tensor) else leaf for leaf in leaves(x)))


def _matched(tree: Tree, like: list[Any], what: str, whose: str) -> list[Any]:
    """Give the leaves of a tree, if they are as many and of the same shapes as others, in their dtypes."""
    found = list(leaves(tree))
    shapes, wanted = [np.shape(x) for x in found], [np.shape(x) for x in like]
    if shapes != wanted:
        raise ValueError(f"a {what} has the form and the shapes of {whose}, {wanted}, not {shapes}")
    return [x if isinstance(x, Node) else np.asarray(x, _dtype(y))[()] for x, y in zip(found, like, strict=True)]
