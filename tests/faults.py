"""Every rule of the library broken in every way, one at a time, inside a program: `python -m tests.faults` counts them.

A fault is put where it makes a difference: at operands at which the calculus uses the rule, in the forward pass or
in the rules of others. Where there are none, because the rule looks at no operands, say, it is no fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

import autograd_mini as ag
from autograd_mini import Tensor, calls, core
from autograd_mini.testing import check_graph

from .operations import ROWS, primitives, reached, samples
from .test_ops import arity
from .test_ops import broken as broken_rule

# -- faults --------------------------------------------------------------------------------------------


def one_slice(ct: Any, shape: tuple[int, ...]) -> Any:
    """What is left of a cotangent if broadcasting is not summed over."""
    ct = ct[(0,) * (ct.ndim - len(shape))]
    return ct[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]


def beside(axis: Any, ndim: int) -> Any:
    if isinstance(axis, tuple):
        return tuple(beside(i, ndim) for i in axis)
    return 0 if axis is None else (axis + 1) % ndim


def off_by_one(rule: core.Rule) -> core.Rule:
    """Take the axis beside the right one; of rules without an axis, entries beside the right ones."""

    def wrong(g: Any, z: Any, *xs: Any, **params: Any) -> Any:
        if params.get("axis") is not None and np.ndim(xs[0]):
            return rule(g, z, *xs, **{**params, "axis": beside(params["axis"], np.ndim(xs[0]))})
        ct = rule(g, z, *xs, **params)
        return np.roll(ct, 1, -1) if np.ndim(ct) else ct

    return wrong


def at(i: int, params: dict[str, Any]) -> int:
    return int(params.get("position", i))


Fault = Callable[[core.Rule, int], core.Rule]  # takes a rule and the number of its operand

FAULTS: dict[str, Fault] = {
    "wrong sign": lambda rule, i: lambda *args, **params: -rule(*args, **params),
    "wrong factor": lambda rule, i: lambda *args, **params: 1.01 * rule(*args, **params),
    "wrong operand": lambda rule, i: (
        lambda g, z, *xs, **params: (
            rule(g, xs[-1], *xs[1:], z, **params) if len(xs) == 1 else rule(g, z, *xs[1:], xs[0], **params)
        )
    ),
    "missing transpose": lambda rule, i: lambda *args, **params: np.moveaxis(rule(*args, **params), -1, -2),
    "missing sum": lambda rule, i: (
        lambda g, z, *xs, **params: one_slice(rule(g, z, *xs, **params), np.shape(xs[at(i, params)]))
    ),
    "off-by-one axis": lambda rule, i: off_by_one(rule),
}

# Why one may do nothing.
NOTHING = {
    "wrong operand": "the rule looks at none",
    "missing transpose": "what it gives is symmetric",
    "missing sum": "nothing is broadcast",
    "off-by-one axis": "it has no axis, or looks at none",
}

# -- programs ------------------------------------------------------------------------------------------

# Two operations each that give back what they were given, and operations that are smooth everywhere.
ROUND_TRIPS: list[Callable[[Any], Any]] = [
    lambda x: ag.negative(-x),
    lambda x: (x * 2.0) / 2.0,
    lambda x: (x + 0.5) - 0.5,
    lambda x: ag.reshape(ag.reshape(x, -1), x.shape),
    lambda x: ag.transpose(ag.transpose(x)),
    lambda x: ag.where(True, ag.exp2(x) * 0.0 + x, 0.0),
]
SMOOTH: list[Callable[[Any, Any], Any]] = [
    lambda y, other: ag.sin(y),
    lambda y, other: ag.tanh(y) + y,
    lambda y, other: y * 0.5 + ag.mean(other),
    lambda y, other: ag.arctan(y) * y,
    lambda y, other: y - ag.sum(ag.tanh(other)) * 0.25,
    lambda y, other: ag.concatenate([ag.ravel(y), ag.ravel(ag.cos(other))]),
    lambda y, other: ag.stack([y, y * 0.75]),
]


def program(node: Any, rng: np.random.Generator) -> Tensor:
    """Record the operation of `node` at its operands again, in the midst of at least 20 random operations."""
    operands = []
    for x in core.past(node):
        y = Tensor(x.value) if isinstance(x, Tensor) else x
        if isinstance(y, Tensor):
            for _ in range(2):
                y = ROUND_TRIPS[rng.integers(len(ROUND_TRIPS))](y)
        operands.append(y)
    y = node.op.apply(*operands, **node.params)
    others = [x for x in operands if isinstance(x, Tensor)]
    while len(core.ancestors(y)) < 20:
        y = SMOOTH[rng.integers(len(SMOOTH))](y, others[rng.integers(len(others))])
    return ag.sum(y * y)


def signature(node: Any) -> tuple[Any, ...]:
    """The shapes at a node, and which operands are differentiated."""
    return (node.value.shape, *((np.shape(core.value_of(x)), isinstance(x, core.Node)) for x in node.operands))


def spread(node: Any) -> Iterator[Any]:
    """The same operation at operands of shape (3, 3), and with each of them in turn broadcast to that."""
    operands = core.past(node)
    if len(operands) > 1 and all(isinstance(x, core.Node) and x.value.size for x in operands):
        wide = [np.resize(x.value, (3, 3)) * np.linspace(1, 1.1, 9).reshape(3, 3) for x in operands]
        parts = [[*wide[:i], part, *wide[i + 1 :]] for i, x in enumerate(wide) for part in (x[:1], x[:, :1])]
        for arrays in (wide, *parts):
            try:
                y = node.op.apply(*map(Tensor, arrays), **node.params)
            except (ValueError, IndexError, TypeError, np.linalg.LinAlgError):
                continue
            if y.shape == (3, 3) and check_graph(y, directions=1).ok:
                yield y


@cache
def places(op: core.Primitive) -> list[Any]:
    """Nodes where the calculus uses a primitive, on graphs and on those of their first two derivatives.

    No two have the same shapes. The search ends when each operand was differentiated at many.
    """
    found: dict[Any, Any] = {}
    if op is calls.checkpoint_p:
        x, w = Tensor(np.linspace(-1, 1, 6).reshape(2, 3)), Tensor(np.linspace(-1, 2, 9).reshape(3, 3))
        return [ag.checkpoint(lambda x, w: ag.tanh(x @ w) * x)(x, w)]
    wanted = Counter(dict.fromkeys(range(arity(op)), 40))
    for row in ROWS:
        for case in samples(row, 50) if wanted and op in reached(row) else ():
            leaves = [Tensor(np.array(x)) for x in case.operands()]
            outputs = [row.apply(*leaves, **case.params)]
            for _ in range(3):
                new = {signature(node): node for y in outputs for node in core.ancestors(y) if node.op is op}
                new = {key: node for key, node in new.items() if key not in found}
                found |= new
                wanted -= Counter(i for key in new for i, (_, differentiated) in enumerate(key[1:]) if differentiated)
                steps = [s for y in outputs for s in core.sweep(y, Tensor(np.ones(y.shape, y.dtype)), recorded=True)]
                outputs = [ct for node, ct in steps if any(node is x for x in leaves) and isinstance(ct, core.Node)]
            if not wanted:
                break
    return [*found.values(), *(y for node in list(found.values())[:8] for y in spread(node))]


def effect(node: Any, i: int, fault: Fault) -> str:
    """What a fault in the rule for operand `i` of a node does there: "differs", "raises", or nothing."""
    rule = node.op.rules[i]
    xs = [core.value_of(x) for x in core.past(node)]
    g = np.asarray(np.random.default_rng(0).standard_normal(node.value.shape))[()]
    right = core.fit(rule(g, node.value, *xs, **node.params), xs[i], node.op)
    try:
        wrong = core.fit(fault(node.op.rules[i], i)(g, node.value, *xs, **node.params), xs[i], node.op)
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
        return "raises"
    return "" if np.allclose(wrong, right, rtol=1e-4, atol=1e-4 * np.max(np.abs(right), initial=0)) else "differs"


def where(op: core.Primitive, i: int, fault: Fault) -> tuple[str, Any]:
    """What a fault does, and a node where it does it: if there are any, one where the rule gives other numbers."""
    raising = None
    for node in places(op):
        for position in [i] if type(op.rules) is not core._Each else range(len(node.operands)):
            operands = [core.value_of(x) for x in core.past(node)]
            whole = all(np.size(x) and np.all(np.isfinite(x)) for x in (node.value, *operands))
            if isinstance(node.operands[position], core.Node) and whole:
                with np.errstate(all="ignore"):
                    found = effect(node, position, fault)
                if found == "differs":
                    return found, node
                if found and raising is None:
                    raising = node
    return ("", None) if raising is None else ("raises", raising)


@contextmanager
def broken(op: core.Primitive, i: int, fault: Fault) -> Iterator[None]:
    """Put a fault into rule `i` of a primitive, or into what the one rule of a joint one gives for operand `i`."""
    if not isinstance(op, core.Joint):
        with broken_rule(op, i, partial(fault, i=i)):
            yield
        return
    rule = op.rule

    def wrong(*args: Any, **params: Any) -> list[Any]:
        found = list(rule(*args, **params))
        found[i] = fault(lambda *args, **params: rule(*args, **params)[i], i)(*args, **params)
        return found

    op.rule = wrong
    try:
        yield
    finally:
        op.rule = rule


# -- all of them ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Injection:
    """A fault in a rule: what it does, whether `check_graph` finds a rule wrong, and this one alone."""

    op: core.Primitive
    position: int
    fault: str
    effect: str
    caught: bool = False
    located: bool = False


def rules() -> list[tuple[core.Primitive, int]]:
    """Every rule that the library states: each rule of each primitive, and what `checkpoint` gives for each operand."""
    stated = [(op, i) for op in sorted(primitives(), key=repr) for i in range(arity(op))]
    return stated + [(calls.checkpoint_p, 0), (calls.checkpoint_p, 1)]


def injected(op: core.Primitive, i: int) -> Iterator[Injection]:
    """Break a rule in every way where that makes a difference, each inside of a random program, and look for it."""
    rng = np.random.default_rng(0)
    for name, fault in FAULTS.items():
        does, node = where(op, i, fault)
        if not does:
            yield Injection(op, i, name, does)
            continue
        y = program(node, rng)
        assert check_graph(y, directions=1).ok
        with broken(op, i, fault):
            report = check_graph(y)
        blamed = {(check.op, check.position if isinstance(op.rules, tuple) else i) for check in report.wrong}
        yield Injection(op, i, name, does, not report.ok, blamed == {(op, i)})


def main() -> None:
    found = [injection for op, i in rules() for injection in injected(op, i)]
    print(f"{'fault':18} {'injected':>8} {'caught':>8} {'located':>8} {'no fault':>9}")
    for name in (*FAULTS, "all"):
        kind = [x for x in found if name in (x.fault, "all")]
        made = [x for x in kind if x.effect]
        counts = len(made), sum(x.caught for x in made), sum(x.located for x in made), len(kind) - len(made)
        print("{:18} {:8} {:8} {:8} {:9}".format(name, *counts))
    raising = sum(x.effect == "raises" for x in found)
    print(
        f"\n{len(rules())} rules of {len({op for op, _ in rules()})} operations. {raising} of the faults make the rule "
        "raise\nwherever they do anything, the others give other numbers. They do nothing in the rules for:"
    )
    for x in found:
        if x.effect and not x.located:
            print(f"NOT LOCATED: {x}")
    for name in FAULTS:
        same = [f"{x.op.name} {x.position}" for x in found if x.fault == name and not x.effect]
        if same:
            print(f"  {name} ({NOTHING[name]}): {', '.join(same)}")


if __name__ == "__main__":
    main()
