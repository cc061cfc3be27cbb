"""Random programs of operations, and their text."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from operator import attrgetter
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_mini as everything

from .arrays import GRID, Draw, Shape
from .table import DOMAINS, OPERATIONS

LARGEST = 128  # neither numbers
WIDEST = 64  # nor arrays grow further
TRIES = 20  # for one operation more, if there must be one

SHAPES = [shape for ndim in range(4) for shape in product((1, 2, 3), repeat=ndim) if math.prod(shape) <= 9]
FILTERS = [shape for shape in product((1, 2), repeat=4) if math.prod(shape) <= 8]  # for what takes no fewer axes


class Word:
    """What is written where a value is wanted: all that is made of it is written too."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Word:
        return Word(f"{self}.{name}")

    def __getitem__(self, index: Any) -> Word:
        return Word(f"{self}[{written(index)}]")

    def __call__(self, *args: Any, **params: Any) -> Word:
        given = [written(x) for x in args] + [f"{name}={written(x)}" for name, x in params.items()]
        return Word(f"{self}({', '.join(given)})")

    def __add__(self, other: Word) -> Word:
        return Word(f"{self} + {other}")

    def __repr__(self) -> str:
        return self._text


def written(x: Any) -> str:
    """Write a value as Python that gives it."""
    if isinstance(x, list):
        return f"[{', '.join(map(written, x))}]"
    if isinstance(x, tuple):
        return f"({', '.join(map(written, x))}{',' * (len(x) == 1)})"
    if isinstance(x, np.ndarray):
        return f"np.array({x.tolist()!r}, np.{x.dtype})"
    if isinstance(x, float) and not math.isfinite(x):
        return f"np.{x}" if x == x and x > 0 else "-np.inf" if x < 0 else "np.nan"
    return f"np.{x.__name__}" if callable(x) and not isinstance(x, Word) else repr(x)


@dataclass(frozen=True)
class Step:
    """One operation of `OPERATIONS`: its name, the places of its operands, and its keywords."""

    name: str
    operands: tuple[int, ...]
    params: dict[str, Any]

    def __call__(self, ag: Any, *xs: Any) -> Any:
        """Apply the operation as the namespace `ag` has it."""
        call = OPERATIONS[self.name].call
        return call(ag, *xs, **self.params) if call else attrgetter(self.name)(ag)(*xs, **self.params)


@dataclass(frozen=True, repr=False)
class Program:
    """A function of arrays or Tensors that gives one number, and inputs to call it with.

    The number is the sum of the sines of all that nothing else uses: so no two entries weigh the same.
    Its text is Python that runs.
    """

    inputs: tuple[Any, ...]
    steps: tuple[Step, ...]
    __name__ = "program"  # as `gradcheck` calls it

    def values(self, *xs: Any, ag: Any = everything) -> list[Any]:
        """Give the inputs, and the result of each step, by the operations of this library or of a namespace like it."""
        found = list(xs)
        for step in self.steps:
            found.append(step(ag, *[found[i] for i in step.operands]))
        return found

    @property
    def results(self) -> list[int]:
        """The places of the values that nothing uses."""
        used = {i for step in self.steps for i in step.operands}
        return [i for i in range(len(self.inputs) + len(self.steps)) if i not in used]

    def __call__(self, *xs: Any) -> Any:
        found = self.values(*xs)
        first, *rest = [everything.sum(everything.sin(found[i])) for i in self.results]
        return sum(rest, start=first)

    def __repr__(self) -> str:
        n = len(self.inputs)
        names = [f"x{i}" for i in range(n)] + [f"y{i}" for i in range(len(self.steps))]
        lines = ["import numpy as np", "import autograd_mini as ag", ""]
        lines += [f"{name} = {written(x)}" for name, x in zip(names, self.inputs, strict=False)]
        lines += ["", "", f"def program({', '.join(names[:n])}):"]
        for name, step in zip(names[n:], self.steps, strict=True):
            lines.append(f"    {name} = {step(Word('ag'), *[Word(names[i]) for i in step.operands])}")
        lines.append("    return " + " + ".join(f"ag.sum(ag.sin({names[i]}))" for i in self.results))
        return "\n".join(lines)


def _fresh(draw: Draw, domain: str, shapes: Sequence[Shape], dtypes: Sequence[Any]) -> Any:
    """Draw an array in a domain, of one of the shapes."""
    _, low, high, unique, moved = DOMAINS[domain]
    shape = draw(st.sampled_from(shapes))
    elements = st.integers(math.ceil(low * GRID), math.floor(high * GRID))
    x = moved(draw(hnp.arrays(np.int64, shape, elements=elements, unique=unique)) / GRID)
    return np.asarray(x, draw(st.sampled_from(dtypes)))


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
    names, dtypes = list(OPERATIONS if ops is None else ops), list(dtypes)
    inputs, steps = list[Any](), list[Step]()
    values = list[tuple[int, Any]]()  # beside each the place, counted from -1 for the inputs
    failed = 0
    while names and len(steps) < max_ops and (len(steps) < min_ops or draw(st.integers(0, 9))):
        name = draw(st.sampled_from(names))
        operation = OPERATIONS[name]
        count = draw(st.integers(operation.least, len(operation.domains)))
        places, xs, new = list[int](), list[Any](), list[Any]()
        for domain in operation.domains[:count]:
            shapes = [x.shape for x in xs]
            known = [*values, *((-1 - len(inputs) - i, x) for i, x in enumerate(new))]
            ready = [i for i, (_, x) in enumerate(known) if operation.fits(*shapes, x.shape) and DOMAINS[domain].holds(x)]
            i = draw(st.integers(0, len(ready))) if ready else 0
            if i < len(ready):
                place, x = known[ready[i]]
            else:
                fitting = [shape for shape in SHAPES if operation.fits(*shapes, shape)]
                fitting = fitting or [shape for shape in FILTERS if operation.fits(*shapes, shape)]
                if not fitting:
                    break
                place, x = -1 - len(inputs) - len(new), _fresh(draw, domain, fitting, dtypes)
                new.append(x)
            places.append(place)
            xs.append(x)
        if len(xs) == count:
            params = operation.keywords(draw, *[x.shape for x in xs])
            step = Step(name, tuple(places), params)
            if operation.smooth(*xs, **params):
                y = np.asarray(step(everything, *xs))
                if 0 < y.size <= WIDEST and y.ndim <= 4 and np.max(np.abs(y)) <= LARGEST:
                    values += [(-1 - len(inputs) - i, x) for i, x in enumerate(new)] + [(len(steps), y)]
                    inputs += new
                    steps.append(step)
                    continue
        failed += 1
        if failed > TRIES + len(steps):
            reject()
    if not inputs:
        inputs = [_fresh(draw, "any", SHAPES, dtypes)]
    n = len(inputs)
    placed = (Step(s.name, tuple(n + i if i >= 0 else -1 - i for i in s.operands), s.params) for s in steps)
    return Program(tuple(inputs), tuple(placed))


def ops(names: Collection[str] | None = None, dtypes: Sequence[Any] = (np.float64,)) -> st.SearchStrategy[Program]:
    """Draw any one operation, with operands that it takes: a program of one step."""
    return programs(1, names, dtypes, min_ops=1)
