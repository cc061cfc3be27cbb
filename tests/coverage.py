"""What NumPy's functions do with a Tensor: the classes of its public functions, and docs/coverage.md."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd_mini.numpy_protocol import ANSWERS, OTHERS, PLAIN, REFUSED, named

PLACES = {np.argsort, np.argpartition}  # ours answer, in stable order, and give places
CLASSES: dict[str, set[Callable[..., Any]]] = {
    "differentiable": set(ANSWERS) - PLACES,
    "leaves the graph": PLAIN | PLACES,
    "refused": set(named(" ".join(REFUSED))),
    "nothing to differentiate": set(named(" ".join(OTHERS))),
}

REMARKS = {
    "bincount": "by the weights",
    "copysign": "by the first operand",
    "divmod": "the remainder; the quotient is a plain array",
    "frexp": "the mantissa; the exponent is a plain array",
    "heaviside": "by the second operand",
    "ldexp": "by the first operand",
    "linalg.slogdet": "the logarithm; the sign is a plain array",
    "modf": "the fractional part; the integral part is a plain array",
    "select": "for a Tensor as `default` alone, call `ag.select`: NumPy does not ask",
    "where": "of a condition alone: places, a plain array",
}


def public(namespace: Any) -> dict[str, Callable[..., Any]]:
    """The functions of a namespace by name: what can be called and is no class."""
    things = {name: getattr(namespace, name) for name in dir(namespace) if not name.startswith("_")}
    return {
        name: thing
        for name, thing in things.items()
        if callable(thing) and not isinstance(thing, (type, types.ModuleType))
    }


def unclassified(namespace: Any) -> list[str]:
    """The names whose functions are not in exactly one class."""
    return [name for name, f in public(namespace).items() if sum(f in functions for functions in CLASSES.values()) != 1]


def page() -> str:
    """Write the page, in Markdown."""
    names: dict[Callable[..., Any], list[str]] = {}  # of each function, all that it has
    for prefix, namespace in ("", np), ("linalg.", np.linalg):
        for name, f in public(namespace).items():
            names.setdefault(f, []).append(f"`{prefix}{name}`")

    def listed(functions: Iterable[Callable[..., Any]]) -> str:
        return ", ".join(sorted({name for f in functions for name in names[f]}, key=lambda name: name.strip("`")))

    def grouped(table: dict[str, str]) -> str:
        return "\n".join(f"| {listed(named(group))} | {why} |" for group, why in table.items())

    said = {f: (_keywords(ANSWERS[f]), _remark(names[f])) for f in CLASSES["differentiable"]}
    rows = sorted(f"| {listed([f])} | {' | '.join(words)} |" for f, words in said.items() if any(words))
    return f"""# NumPy's functions and Tensors

Every public function of `numpy` and `numpy.linalg` is in one of four classes, and a test fails on one that is in none.
No function of a Tensor returns an array of objects, and none forgets a gradient silently: what has no derivative is
refused at the call. `python -m tests.pages` writes this page from the table in `autograd_mini/numpy_protocol.py`.

## Differentiable

NumPy's function of a Tensor gives a Tensor; `ag` and `ag.linalg` have it too. These take their operands alone:

{listed(f for f, words in said.items() if not any(words))}

And these more than that, or are differentiable in part:

| function | keywords | what is differentiable |
|---|---|---|
{chr(10).join(rows)}

Any other keyword (`out`, `dtype`, `where`, `initial`, `method` ...) raises a `TypeError`. Of the methods of ufuncs
there are `outer`, and `reduce` and `accumulate` where `ag` has the reduction or the scan.

## Leaves the graph

Constant in pieces, or about the array and not its numbers: the answer is NumPy's, a plain array or number.

{listed(CLASSES["leaves the graph"])}

## Refused

A `TypeError` at the call says what to do instead. To leave the graph on purpose, pass `t.data`.

| function | instead |
|---|---|
{grouped(REFUSED)}

## Nothing to differentiate

These take no operand that a derivative could be asked for. A Tensor where they expect numbers raises.

| function | because |
|---|---|
{grouped(OTHERS)}

Where NumPy wants one Python number (`a[0] = t`, `a.fill(t)`, `np.fromiter`, `initial=`, `np.interp(..., left=t)` of
plain arrays), it asks the Tensor as `float(t)` does, which raises unless nothing is recorded (`ag.no_grad`): take
`t.item()`. What `np.frompyfunc` makes returns objects, also of a function that gives Tensors.
"""


def _keywords(ours: Callable[..., Any]) -> str:
    parameters = inspect.signature(ours).parameters.values()
    return ", ".join(f"`{p.name}`" for p in parameters if p.default is not p.empty)


def _remark(names: Iterable[str]) -> str:
    return "".join(REMARKS.get(name.strip("`"), "") for name in names)
