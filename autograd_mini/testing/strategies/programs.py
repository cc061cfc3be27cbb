"""Random programs of operations, and their text."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import product
from operator import attrgetter
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

import autograd_mini as everything

from ... import ops as calculus
from .arrays import GRID, Draw, Shape, floating
from .table import DOMAINS, OPERATIONS, Operation

TRIES = 20  # to draw an operation that is smooth where it is asked for
LARGEST = 128  # neither numbers
WIDEST = 64  # nor arrays grow further

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
        first, *rest = [calculus.sum(calculus.sin(found[i])) for i in self.results]
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

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"\n{self!r}\n")  # Hypothesis would write the fields


def _one(draw: Draw, choices: Sequence[Any]) -> Any:
    """Draw one of these, as `sampled_from` does, which first looks at each of them."""
    return choices[draw(st.integers(0, len(choices) - 1))]


class _Growing:
    """A program while it is drawn. Places of inputs count from -1 down, as there may be more of them later."""

    def __init__(self, draw: Draw, dtypes: list[Any]) -> None:
        self.draw, self.dtypes = draw, dtypes
        self.inputs, self.steps = list[Any](), list[Step]()
        self.values = dict[int, Any]()

    def try_one(self, name: str) -> None:
        """Add an operation of values that there are, and of new inputs, if it is smooth and small there."""
        operation, before = OPERATIONS[name], len(self.inputs)
        places = list[int]()
        for domain in operation.domains[: self.draw(st.integers(operation.least, len(operation.domains)))]:
            place = self.operand(operation, domain, [self.values[i].shape for i in places])
            if place is None:
                break
            places.append(place)
        else:
            xs = [self.values[i] for i in places]
            params = operation.keywords(self.draw, *[x.shape for x in xs])
            with np.errstate(all="ignore"):  # what overflows is not small, and left out
                if operation.takes(*xs) and operation.smooth(*xs, **params):
                    step = Step(name, tuple(places), params)
                    y = np.asarray(step(everything, *xs))
                    if 0 < y.size <= WIDEST and y.ndim <= 4 and np.max(np.abs(y)) <= LARGEST:
                        self.values[len(self.steps)] = y
                        self.steps.append(step)
                        return
        while len(self.inputs) > before:
            del self.values[-len(self.inputs)]
            self.inputs.pop()

    def operand(self, operation: Operation, domain: str, shapes: list[Shape]) -> int | None:
        """Draw the place of what can be the next operand, after some of these shapes: a value or a new input."""
        holds = DOMAINS[domain].holds
        places = [i for i, x in self.values.items() if operation.fits(*shapes, x.shape) and holds(x)]
        i = self.draw(st.integers(0, len(places)))
        if i < len(places):
            return places[i]
        for offered in (SHAPES, FILTERS):
            fitting = [shape for shape in offered if operation.fits(*shapes, shape)]
            if fitting:
                return self.input(domain, fitting)
        return None

    def input(self, domain: str, shapes: list[Shape]) -> int:
        """Draw a new input in a domain, of one of the shapes."""
        _, low, high, unique, moved = DOMAINS[domain]
        shape = _one(self.draw, shapes)
        whole = st.integers(math.ceil(low * GRID), math.floor(high * GRID))
        numbers = list[int]()
        for _ in range(math.prod(shape)):
            numbers.append(self.draw(whole))
            while unique and numbers[-1] in numbers[:-1]:
                numbers[-1] += 1
        x = moved(np.reshape(numbers, shape) / GRID)
        self.inputs.append(np.asarray(x, _one(self.draw, self.dtypes)))
        self.values[-len(self.inputs)] = self.inputs[-1]
        return -len(self.inputs)

    def needed(self) -> list[int]:
        """Give the numbers of the last step and of those that it needs."""
        found = {len(self.steps) - 1}
        for i in range(len(self.steps) - 1, -1, -1):
            found |= set(self.steps[i].operands) if i in found else set()
        return sorted(i for i in found if i >= 0)

    def program(self, kept: Sequence[int]) -> Program:
        """Give these steps, and as inputs what else they use; with no step, one input."""
        steps = [self.steps[i] for i in kept]
        used = {i for step in steps for i in step.operands} - {*kept} or {self.input("any", SHAPES)}
        inputs = sorted(used, key=lambda i: (i >= 0, abs(i)))
        place = {i: k for k, i in enumerate([*inputs, *kept])}
        return Program(
            tuple(self.values[i] for i in inputs),
            tuple(replace(step, operands=tuple(place[i] for i in step.operands)) for step in steps),
        )


def programs(
    max_ops: int = 10,
    ops: Collection[str] | None = None,
    dtypes: Sequence[Any] = (np.float64,),
    min_ops: int = 0,
) -> st.SearchStrategy[Program]:
    """Draw random differentiable programs: values are used many times or never, and stay away from kinks.

    Parameters
    ----------
    max_ops, min_ops : int
        How many operations.
    ops : collection of str, optional
        Names of operations, keys of `OPERATIONS`; by default all of them.
    dtypes : sequence of dtype
        Those of the inputs: float16, float32 or float64.

    Raises
    ------
    TypeError
        If `ops` are not names, or `dtypes` not those.
    ValueError
        If there is no operation of a name, or no such number of them.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_mini.testing import gradcheck, strategies
    >>> @given(strategies.programs())
    ... def test_any_program(program):
    ...     gradcheck(program, *program.inputs)
    """
    names = list(OPERATIONS) if ops is None else _names(ops)
    if isinstance(dtypes, str) or not isinstance(dtypes, Iterable):
        raise TypeError(f"dtypes is a list of them, such as [np.float32], not {dtypes!r}")
    if not (dtypes := list(dtypes)):
        raise ValueError("dtypes is empty, and every input is of one: leave it out for float64")
    for dtype in dtypes:
        floating(dtype)
    if not 0 <= min_ops <= max_ops:
        raise ValueError(f"a program has from {min_ops=} to {max_ops=} operations: pass 0 <= min_ops <= max_ops")
    if min_ops and not names:
        raise ValueError("ops is empty, and at least one operation is wanted: leave it out for all of them")
    return _programs(max_ops, names, dtypes, min_ops)


def _names(ops: Collection[str]) -> list[str]:
    """Take names of operations, and refuse others with those that are near."""
    if isinstance(ops, str) or not isinstance(ops, Iterable):
        raise TypeError(f"ops is a list of names, such as ['tanh'], not {ops!r}")
    names = list(ops)
    for name in names:
        if isinstance(name, str) and name in OPERATIONS:
            continue
        said = name if isinstance(name, str) else getattr(name, "__name__", "")
        last = {full: full.rpartition(".")[2] for full in OPERATIONS}
        near = [full for full, short in last.items() if said == short] or get_close_matches(said, OPERATIONS)
        remedy = f"the nearest are {', '.join(map(repr, near))}" if near else "strategies.OPERATIONS has them all"
        if not isinstance(name, str):
            raise TypeError(f"ops are names of operations, not {name!r}: {remedy}")
        raise ValueError(f"programs have no operation {name!r}: {remedy}")
    return names


@st.composite
def _programs(draw: Draw, max_ops: int, names: list[str], dtypes: list[Any], min_ops: int) -> Program:
    growing = _Growing(draw, dtypes)
    wanted = draw(st.integers(min_ops, max_ops)) if names else 0
    whole = draw(st.integers(0, 19))
    for _ in range(wanted + TRIES):
        if len(growing.steps) < wanted:
            growing.try_one(_one(draw, names))
    if len(growing.steps) < min_ops:
        reject()
    # Mostly all that was drawn; but the simplest are one operation alone, and what it needs, so that a failure shrinks
    # to them whatever was drawn before.
    n = len(growing.steps)
    parts = [[*range(n)][-1:], growing.needed(), *[[*range(n)]] * 18]
    return growing.program(next(part for part in parts[whole:] if len(part) >= min_ops))


def ops(names: Collection[str] | None = None, dtypes: Sequence[Any] = (np.float64,)) -> st.SearchStrategy[Program]:
    """Draw any one operation, with operands that it takes: a program of one step."""
    return programs(1, names, dtypes, min_ops=1)
