"""Hypothesis strategies: arrays, shapes, axes, indices, and whole programs of operations [1]_.

Hypothesis comes with ``pip install "autograd_mini[test]"``; nothing else in this package imports it. All
strategies shrink to what is simplest: programs to few operations on few numbers.

References
----------
.. [1] MacIver, Hatfield-Dodds and others, "Hypothesis: a new approach to property-based testing", JOSS 4 (2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import nn
from .. import ops as calculus
from ..extras import extra
from ..numpy_protocol import plain
from ..tensor import Tensor

extra("hypothesis", "test")  # first, so that a missing one is named with the line that brings it

from hypothesis import reject  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.extra import numpy as hnp  # noqa: E402

__all__ = [
    "OPERATIONS", "Program", "Step", "axes", "broadcastable_shapes", "indices", "mlps", "ops", "programs", "shapes",
    "tensors",
]  # fmt: skip

Draw = Callable[[st.SearchStrategy[Any]], Any]
Shape = tuple[int, ...]
GRID = 64  # numbers are drawn in steps of a 64th, which all floating dtypes hold


# -- shapes and what goes with them ----------------------------------------------------------------------


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3) -> st.SearchStrategy[Shape]:
    """Draw shapes, also of no axes and of no entries."""
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable_shapes(
    n: int, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Draw so many shapes that broadcast."""
    found = hnp.mutually_broadcastable_shapes(num_shapes=n, max_dims=max_dims, min_side=min_side, max_side=max_side)
    return found.map(lambda shapes: shapes.input_shapes)


@st.composite
def axes(draw: Draw, shape: Shape) -> Any:
    """Draw what reductions take as `axis`: None, one, or a tuple of some or none; also counted from the end."""
    ndim = len(shape)
    form = draw(st.sampled_from(["all", "one", "some"]))
    if form == "all":
        return None
    if form == "one" and ndim:
        return draw(st.integers(0, ndim - 1)) - ndim * draw(st.booleans())
    order = draw(st.permutations(range(ndim)))
    return tuple(axis - ndim * draw(st.booleans()) for axis in order[: draw(st.integers(0, ndim))])


@st.composite
def indices(draw: Draw, shape: Shape) -> Any:
    """Draw indices of any kind: slices, integers, arrays of integers, masks, in any mixture."""
    arrays = draw(st.sampled_from([(), (2,), (3,), (2, 1), (1, 2), (0,)]))  # they broadcast if they end alike
    masked = draw(st.booleans())
    parts: list[Any] = []
    axis = 0
    while axis < len(shape):
        n = shape[axis]
        kinds = ["slice", "slice"]
        kinds += ["mask", "mask"] if masked else ["array", "list"] if n or 0 in arrays else []
        kinds += ["integer"] if n else []
        kind = draw(st.sampled_from(kinds))
        if kind == "mask":
            wide = draw(st.integers(1, len(shape) - axis))
            parts.append(draw(hnp.arrays(bool, shape[axis : axis + wide])))
            masked = False  # two masks need as many True each
            axis += wide
            arrays = (int(parts[-1].sum()),)
            continue
        if kind == "slice":
            parts.append(draw(st.slices(n)))
        elif kind == "integer":
            parts.append(draw(st.sampled_from([int, np.int32, np.array]))(draw(st.integers(-n, n - 1))))
        else:
            dtype = draw(st.sampled_from([np.int64, np.int8]))
            array = draw(hnp.arrays(dtype, arrays, elements=st.integers(-n, n - 1) if n else st.just(0)))
            parts.append(array.tolist() if kind == "list" and array.size else array)
        axis += 1
    if draw(st.booleans()):  # leave some to an ellipsis
        i = draw(st.integers(0, len(parts)))
        j = draw(st.integers(i, len(parts)))
        parts[i:j] = [...]
    for _ in range(draw(st.integers(0, 1))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)


# -- values ----------------------------------------------------------------------------------------------


@st.composite
def tensors(
    draw: Draw,
    dtype: Any = np.float64,
    shape: Any = None,
    elements: st.SearchStrategy[Any] | None = None,
    domain: tuple[float, float] = (-2.0, 2.0),
    requires_grad: bool = True,
) -> Tensor:
    """Draw Tensors, by default of numbers between -2 and 2 in steps of a 64th, which float16 holds too.

    Parameters
    ----------
    dtype : dtype, or strategy of them
    shape : tuple of int, or strategy of them
        By default `shapes()`.
    elements : strategy, optional
        Of the numbers themselves.
    domain : pair of float
        The least and the greatest number, where no `elements` are given.
    requires_grad : bool

    Examples
    --------
    >>> from hypothesis import given
    >>> import autograd_mini as ag
    >>> from autograd_mini.testing import gradcheck, strategies
    >>> @given(strategies.tensors(domain=(0.25, 2.0)))
    ... def test_log(x):
    ...     gradcheck(ag.log, x)
    >>> test_log()
    """
    kind = np.dtype(draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype)
    shape = shapes() if shape is None else shape
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    if elements is not None:
        return Tensor(draw(hnp.arrays(kind, shape, elements=elements)), requires_grad)
    low, high = (math.ceil(domain[0] * GRID), math.floor(domain[1] * GRID))
    numbers = draw(hnp.arrays(np.int64, shape, elements=st.integers(low, high)))
    return Tensor((numbers / GRID).astype(kind), requires_grad)


def mlps(max_layers: int = 3, max_size: int = 4) -> st.SearchStrategy[nn.MLP]:
    """Draw multilayer perceptrons of any sizes, with smooth activations and weights from a seed."""
    sizes = st.lists(st.integers(1, max_size), min_size=2, max_size=max_layers + 1)
    activations = st.sampled_from(["tanh", "sigmoid"])
    return st.builds(nn.MLP, sizes, activations, rng=st.integers(0, 999))


# -- programs --------------------------------------------------------------------------------------------

NEAR = 1 / 4  # from singular points and kinks values stay as far away, or a quarter of that


@dataclass(frozen=True)
class Step:
    """One operation of `ag`: its name, the places of its operands, and its keywords."""

    name: str
    operands: tuple[int, ...]
    params: dict[str, Any]


@dataclass(frozen=True, repr=False)
class Program:
    """A function of arrays or Tensors that gives one number, and inputs to call it with.

    The number is the sum of all that nothing else uses. Its text is Python that runs.
    """

    inputs: tuple[Any, ...]
    steps: tuple[Step, ...]

    def values(self, *xs: Any) -> list[Any]:
        """Give the inputs, and the result of each step."""
        found = list(xs)
        for step in self.steps:
            found.append(getattr(calculus, step.name)(*[found[i] for i in step.operands], **step.params))
        return found

    @property
    def results(self) -> list[int]:
        """The places of the values that nothing uses."""
        used = {i for step in self.steps for i in step.operands}
        return [i for i in range(len(self.inputs) + len(self.steps)) if i not in used]

    def __call__(self, *xs: Any) -> Any:
        found = self.values(*xs)
        first, *rest = [calculus.sum(found[i]) for i in self.results]
        return sum(rest, start=first)

    def __repr__(self) -> str:
        n = len(self.inputs)
        names = [f"x{i}" for i in range(n)] + [f"y{i}" for i in range(len(self.steps))]
        lines = ["import numpy as np", "import autograd_mini as ag", ""]
        lines += [
            f"{name} = np.array({x.tolist()!r}, np.{x.dtype}).reshape({x.shape})"
            for name, x in zip(names, self.inputs, strict=False)
        ]
        lines += ["", "", f"def program({', '.join(names[:n])}):"]
        for name, step in zip(names[n:], self.steps, strict=True):
            args = [names[i] for i in step.operands] + [f"{key}={value!r}" for key, value in step.params.items()]
            lines.append(f"    {name} = ag.{step.name}({', '.join(args)})")
        lines.append("    return " + " + ".join(f"ag.sum({names[i]})" for i in self.results))
        return "\n".join(lines)


@dataclass(frozen=True)
class Operation:
    """When an operation is smooth, for arrays, and the keywords that it takes, for shapes."""

    arity: int = 1
    smooth: Callable[..., Any] = lambda *xs: True
    params: Callable[..., st.SearchStrategy[dict[str, Any]]] = lambda *shapes: st.just({})


def _reducing(shape: Shape) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"axis": axes(shape), "keepdims": st.booleans()})


def _along(shape: Shape) -> st.SearchStrategy[dict[str, Any]]:
    return st.integers(-len(shape), len(shape) - 1).map(lambda axis: {"axis": axis})


def _reshaped(shape: Shape) -> st.SearchStrategy[dict[str, Any]]:
    forms = [(-1,), shape[::-1], (1, *shape), (*shape, 1)]
    return st.sampled_from(forms).map(lambda shape: {"shape": shape})


def _permuted(shape: Shape) -> st.SearchStrategy[dict[str, Any]]:
    return st.permutations(range(len(shape))).map(lambda order: {"axes": tuple(order)})


def _apart(x: Any) -> bool:
    return bool(np.all(np.diff(np.sort(x, axis=None)) > NEAR / 16))


def _broadcasts(x: Any, y: Any) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(x.shape[::-1], y.shape[::-1], strict=False))


# fmt: off
OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(["negative", "sin", "cos", "tanh", "arctan", "sigmoid", "softplus", "square", "exp", "arcsinh"],
                    Operation()),
    **dict.fromkeys(["log", "sqrt"], Operation(1, lambda x: np.min(x) >= NEAR)),
    **dict.fromkeys(["absolute", "reciprocal", "relu"], Operation(1, lambda x: np.min(np.abs(x)) >= NEAR)),
    **dict.fromkeys(["arcsin", "arctanh"], Operation(1, lambda x: np.max(np.abs(x)) <= 1 - NEAR)),
    **dict.fromkeys(["sum", "mean", "logsumexp"], Operation(params=_reducing)),
    **dict.fromkeys(["max", "min"], Operation(1, _apart, _reducing)),
    **dict.fromkeys(["softmax", "cumsum", "flip"], Operation(1, lambda x: x.ndim, _along)),
    "reshape":   Operation(params=_reshaped),
    "transpose": Operation(params=_permuted),
    **dict.fromkeys(["add", "subtract", "multiply", "logaddexp"], Operation(2, _broadcasts)),
    "divide":    Operation(2, lambda x, y: _broadcasts(x, y) and np.min(np.abs(y)) >= NEAR),
    "hypot":     Operation(2, lambda x, y: _broadcasts(x, y) and np.min(np.abs(x)) >= NEAR),
    "power":     Operation(2, lambda x, y: _broadcasts(x, y) and np.min(x) >= NEAR and np.max(np.abs(y)) <= 3),
    **dict.fromkeys(["maximum", "minimum"],
                    Operation(2, lambda x, y: _broadcasts(x, y) and np.min(np.abs(x - y)) >= NEAR / 4)),
    "matmul":    Operation(2, lambda x, y: x.ndim and y.ndim and x.shape[-1] == y.shape[max(y.ndim - 2, 0)]
                           and _broadcasts(x[..., 0, 0] if x.ndim > 1 else x[0], y[..., 0, 0] if y.ndim > 1 else y[0])),
}
# fmt: on


@st.composite
def programs(
    draw: Draw,
    max_ops: int = 10,
    ops: Collection[str] | None = None,
    dtypes: Sequence[Any] = (np.float64,),
    min_ops: int = 0,
) -> Program:
    """Draw random differentiable programs: values are used many times or never, and stay away from kinks.

    Parameters
    ----------
    max_ops, min_ops : int
        How many operations.
    ops : collection of str, optional
        Names of operations, keys of `OPERATIONS`; by default all of them.
    dtypes : sequence of dtype
        Those of the inputs.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_mini.testing import gradcheck, strategies
    >>> @given(strategies.programs())
    ... def test_any_program(program):
    ...     gradcheck(program, *program.inputs)
    """
    table = {name: OPERATIONS[name] for name in (OPERATIONS if ops is None else ops)}
    given = draw(st.integers(1, 3).flatmap(lambda n: broadcastable_shapes(n, min_side=1)))
    domains = st.sampled_from([(-2.0, 2.0), (NEAR, 2.0), (NEAR - 1, 1 - NEAR)])
    inputs = [plain(draw(tensors(st.sampled_from(list(dtypes)), shape, domain=draw(domains)))) for shape in given]
    values, steps = [np.asarray(x) for x in inputs], list[Step]()
    while len(steps) < max_ops and (len(steps) < min_ops or draw(st.integers(0, 9))):
        pair = [draw(st.integers(0, len(values) - 1)) for _ in range(2)]
        fit = [name for name, op in table.items() if op.smooth(*[values[i] for i in pair[: op.arity]])]
        if not fit:
            if len(steps) >= min_ops:
                break
            reject()
        name = draw(st.sampled_from(fit))
        operands = tuple(pair[: table[name].arity])
        params = draw(table[name].params(*[values[i].shape for i in operands[:1]]))
        step = Step(name, operands, params)
        value = np.asarray(getattr(calculus, name)(*[values[i] for i in operands], **params))
        if np.max(np.abs(value)) > 100:  # grows no further
            continue
        steps.append(step)
        values.append(value)
    return Program(tuple(np.asarray(x) for x in inputs), tuple(steps))


def ops(names: Collection[str] | None = None, dtypes: Sequence[Any] = (np.float64,)) -> st.SearchStrategy[Program]:
    """Draw any one operation, with operands that it takes: a program of one step."""
    return programs(1, names, dtypes, min_ops=1)
