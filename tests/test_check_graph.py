"""Every rule of the library, broken in every way, is named inside of a random program, and nothing else is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor, core
from autograd_mini.testing import GradientError, check_graph

from .operations import ROWS, primitives, reached, samples
from .test_ops import arity, broken

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


# Each takes a rule and the number of its operand, and gives a rule.
FAULTS: dict[str, Callable[[core.Rule, int], core.Rule]] = {
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


@cache
def places(op: core.Primitive) -> list[Any]:
    """Nodes where the calculus uses a primitive, on graphs and on those of their first two derivatives.

    The search ends when each operand was differentiated many times.
    """
    found: list[Any] = []
    wanted = Counter(dict.fromkeys(range(arity(op)), 40))
    for row in ROWS:
        for case in samples(row) if op in reached(row) else ():
            leaves = [Tensor(np.array(x)) for x in case.operands()]
            outputs = [row.apply(*leaves, **case.params)]
            for _ in range(3):
                new = [node for y in outputs for node in core.ancestors(y) if node.op is op]
                found += new
                wanted -= Counter(i for node in new for i, x in enumerate(node.operands) if isinstance(x, core.Node))
                steps = [s for y in outputs for s in core.sweep(y, Tensor(np.ones(y.shape, y.dtype)), recorded=True)]
                outputs = [ct for node, ct in steps if any(node is x for x in leaves) and isinstance(ct, core.Node)]
            if not wanted:
                return found
    return found


def differs(node: Any, i: int, fault: Callable[[core.Rule, int], core.Rule]) -> bool:
    """Whether a fault in a rule changes the cotangent of operand `i` of a node, or raises there."""
    rule = node.op.rules[i]
    xs = [core.value_of(x) for x in core.past(node)]
    g = np.asarray(np.random.default_rng(0).standard_normal(node.value.shape))[()]
    right = core.fit(rule(g, node.value, *xs, **node.params), xs[i], node.op)
    try:
        wrong = core.fit(fault(rule, i)(g, node.value, *xs, **node.params), xs[i], node.op)
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
        return True
    return not np.allclose(wrong, right, rtol=1e-4, atol=1e-4 * np.max(np.abs(right), initial=0))


def where(op: core.Primitive, i: int, fault: Callable[[core.Rule, int], core.Rule]) -> Iterator[Any]:
    """The nodes where a fault makes a difference, if there are any."""
    for node in places(op):
        for position in [i] if isinstance(op.rules, tuple) else range(len(node.operands)):
            operands = [core.value_of(x) for x in core.past(node)]
            whole = all(np.size(x) and np.all(np.isfinite(x)) for x in (node.value, *operands))
            if isinstance(node.operands[position], core.Node) and whole:
                with np.errstate(all="ignore"):
                    if differs(node, position, fault):
                        yield node
                        break


@pytest.mark.parametrize("op", sorted(primitives(), key=repr), ids=lambda op: op.name)
def test_a_fault_in_any_rule_is_named_deep_inside_a_program(op: core.Primitive) -> None:
    rng = np.random.default_rng(0)
    for i in range(arity(op)):
        injected = 0
        for name, fault in FAULTS.items():
            node = next(where(op, i, fault), None)
            if node is None:
                continue
            injected += 1
            y = program(node, rng)
            assert check_graph(y, directions=1).ok
            with broken(op, i, partial(fault, i=i)):
                report = check_graph(y)
            blamed = {(check.op, check.position if isinstance(op.rules, tuple) else 0) for check in report.wrong}
            assert blamed == {(op, i)}, name
        assert injected >= 2


def test_all_kinds_of_faults_are_injected() -> None:
    ops = [op for op in primitives() if op.name in ("multiply", "matmul", "softmax")]
    found = {
        name: {op.name for op in ops if next(where(op, 0, fault), None) is not None} for name, fault in FAULTS.items()
    }
    assert found["wrong sign"] == found["wrong factor"] == {op.name for op in ops}
    assert {"matmul", "multiply"} <= found["wrong operand"]
    assert {"matmul", "multiply"} <= found["missing transpose"]
    assert "multiply" in found["missing sum"]
    assert "softmax" in found["off-by-one axis"]


# -- the report ----------------------------------------------------------------------------------------

slow = ag.primitive("slow", lambda x, y: x * y, lambda g, z, x, y: g * y, lambda g, z, x, y: 1.01 * g * x)


def test_the_report_says_which_rule_where_it_is_written_and_where_it_is_wrong() -> None:
    x, w = Tensor(np.array([[1.0, 2.0, 0.0]])), Tensor(np.ones((2, 3)))
    report = check_graph(ag.sum(ag.tanh(slow(x, w) * 2.0)))
    assert not report.ok
    (check,) = report.wrong
    assert check.source == f"{__file__}:{slow.op.rules[1].__code__.co_firstlineno}"
    head, rule, detail = str(report).splitlines()
    assert head == "5 rules checked at 4 nodes: 1 wrong"
    assert rule == f"rule 1 of 'slow' is wrong at 1 of 1 places, {check.source}"
    assert detail == f"  {check}"
    assert str(check).startswith("'slow' of (1, 3), (2, 3) -> (2, 3), by operand 1: wrong, entry (")
    with pytest.raises(GradientError) as caught:
        report.verify()
    assert str(caught.value) == str(report)


def test_a_rule_that_is_wrong_in_many_places_is_one_wrong_rule() -> None:
    y = Tensor(1.5)
    for _ in range(5):
        y = slow(y, y * 0.5)
    assert "1 wrong\nrule 1 of 'slow' is wrong at 5 of 5 places" in str(check_graph(y))


def test_one_wrong_entry_of_many_is_enough() -> None:
    calls = 0

    def forward(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return np.sin(x)

    wrong = ag.primitive("wrong", forward, lambda g, y, x: g * y)
    [check] = check_graph(ag.sum(wrong(Tensor(np.linspace(0.1, 1, 1000))))).wrong
    assert check.finding is not None
    assert len(check.finding.entries) == 1
    assert calls < 200  # of a thousand entries, all of them wrong


def test_the_report_has_a_check_for_each_operand_that_is_differentiated() -> None:
    x = Tensor([1.0, 2.0])
    y = x * np.array([2.0, 3.0])
    z = ag.sum(y * x)
    report = check_graph(z)
    assert list(report.checks) == core.ancestors(z)
    check, constant = report.checks[y]
    assert constant is None
    assert check is not None
    assert (check.node, check.position, check.verdict) == (y, 0, "right")
    assert check.finding is not None
    assert check.finding.rules == pytest.approx(check.finding.differences)
    assert report.verify() is report


def test_a_rule_that_raises_or_gives_a_wrong_shape_is_wrong() -> None:
    def fails(g: Any, y: Any, x: Any) -> Any:
        raise KeyError("axis")

    for rule, message in (
        (fails, "raised KeyError: 'axis'"),
        (lambda g, y, x: g[:1, :1], "raised ValueError: a rule of"),
    ):
        wrong = ag.primitive("wrong", lambda x: x + 1, rule)
        report = check_graph(ag.sum(wrong(Tensor(np.ones((2, 3))))))
        assert message in str(report)
        assert len(report.wrong) == 1


def test_variadic_and_joint_rules_are_checked() -> None:
    joined = ag.primitive(
        "joined", lambda *xs: sum(xs), lambda g, z, *xs, position: g if position < 2 else 1.01 * g, variadic=True
    )
    x = Tensor([1.0, 2.0])
    report = check_graph(ag.sum(joined(x, x * 2.0, x * 3.0)))
    assert [(check.op, check.position) for check in report.wrong] == [(joined.op, 2)]
    assert report.wrong[0].source.startswith(__file__)
    assert "the rule of 'joined' is wrong at 1 of 3 places" in str(report)

    wrong = ag.custom_vjp(lambda x, y: (x * y, x + y), lambda g, z, x, y: (g[0] * y + g[1], g[0] * x - g[1]))
    product, total = wrong(x, x * x)
    report = check_graph(ag.sum(product * total))
    assert [(check.op.name, check.position) for check in report.wrong] == [("custom_vjp", 1)]
    assert check_graph(ag.sum(ag.checkpoint(lambda x: ag.sin(x) * x)(x))).ok
    assert not check_graph(ag.sum(ag.checkpoint(lambda x: slow(x, x))(x))).ok


def test_kinks_and_singular_points_are_told_from_wrong_rules() -> None:
    x = Tensor([0.0, 1.0, -1.0])
    report = check_graph(ag.sum(ag.relu(x) + ag.max(abs(x))))
    assert report.ok
    assert [(check.op.name, check.verdict) for check in report.kinks] == [
        ("relu", "kink"), ("absolute", "kink"), ("max", "kink"),
    ]  # fmt: skip
    assert "no derivative: 'relu' of (3,) -> (3,), by operand 0: kink, entry (0,): rules say 0" in str(report)
    with np.errstate(divide="ignore"):
        report = check_graph(ag.sum(ag.sqrt(x * x) + ag.log(x + 1.0)))
    assert report.ok
    assert [(check.op.name, check.verdict) for check in report.kinks] == [("sqrt", "undefined"), ("log", "undefined")]
    outside = ag.primitive("outside", lambda x: np.maximum(x, 0), lambda g, y, x: g * np.where(x == 0, -1, x > 0))
    assert [check.op.name for check in check_graph(ag.sum(outside(x))).wrong] == ["outside"]


def test_nan_beside_it_hides_no_wrong_rule() -> None:
    x = Tensor([np.nan, 1.0, np.inf, 2.0])
    assert check_graph(ag.nansum(ag.tanh(x) * 2.0)).ok
    assert [check.op for check in check_graph(ag.nansum(slow(1.0, x))).wrong] == [slow.op]


def test_graphs_in_half_precision_are_checked_as_sharply() -> None:
    x = Tensor(np.array([0.5, 1.25, -2.0], np.float16))
    assert check_graph(ag.sum(ag.exp(x) * x)).ok
    assert [check.op for check in check_graph(ag.sum(ag.exp(slow(x, x)))).wrong] == [slow.op]


def test_a_rule_for_symmetric_matrices_is_checked_along_symmetric_directions() -> None:
    x = Tensor(np.array([[4.0, 1.0], [1.0, 3.0]]))
    assert check_graph(ag.sum(ag.linalg.cholesky(x))).ok
    assert check_graph(ag.sum(ag.linalg.eigvalsh(x, "U"))).ok
    turned = ag.primitive("turned", lambda x: x * np.array([[1.0, 2.0], [3.0, 4.0]]), lambda g, y, x: g * y.mT / x)
    assert not check_graph(ag.sum(turned(x))).ok


def test_checking_leaves_no_trace_and_repeats_itself() -> None:
    x = Tensor([1.0, 0.5])
    y = ag.sum(slow(x, ag.tanh(x)))
    first, again = str(check_graph(y)), str(check_graph(y))
    assert first == again
    assert x.grad is None
    with ag.no_grad():
        assert str(check_graph(y)) == first
    y.backward()
    np.testing.assert_allclose(x.grad[0], np.tanh(1) + 1.01 * (1 - np.tanh(1) ** 2))


def test_operands_are_taken_as_they_were() -> None:
    x = Tensor([1.0, 2.0])
    y = x * 2.0
    z = y * y
    y += 5.0
    assert check_graph(ag.sum(z)).ok
    x.data = [3.0, 4.0]
    with pytest.raises(RuntimeError, match="changed after"):
        check_graph(ag.sum(z))


def test_there_must_be_a_graph() -> None:
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        check_graph(Tensor(1.0))
    y = ag.exp(Tensor(1.0)) * 2.0
    y.backward(retain_graph=False)
    with pytest.raises(RuntimeError, match="nothing was recorded, or it was freed"):
        check_graph(y)


def test_deep_graphs_are_checked_without_recursion() -> None:
    y = Tensor(0.5)
    for i in range(3000):
        y = slow(y, 1.0) if i == 0 else -y
    report = check_graph(y, directions=1)
    assert report.ok
    y = slow(1.0, Tensor(0.5))
    for _ in range(3000):
        y = -y
    assert [check.op for check in check_graph(y, directions=1).wrong] == [slow.op]
