"""Every rule of the library, broken in every way, is named inside of a random program, and nothing else is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor, core
from autograd_mini.testing import GradientError, check_graph

from .faults import FAULTS, injected, rules, where


@pytest.mark.parametrize(("op", "i"), rules(), ids=lambda part: getattr(part, "name", str(part)))
def test_a_fault_in_any_rule_is_named_deep_inside_a_program(op: core.Primitive, i: int) -> None:
    found = [injection for injection in injected(op, i) if injection.effect]
    assert len(found) >= 2
    assert [x.fault for x in found if not (x.caught and x.located)] == []


def test_all_kinds_of_faults_are_injected() -> None:
    ops = [op for op, i in rules() if op.name in ("multiply", "matmul", "softmax") and i == 0]
    found = {name: {op.name for op in ops if where(op, 0, fault)[0] == "differs"} for name, fault in FAULTS.items()}
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


halved = ag.custom_vjp(lambda x: x * x, lambda g, y, x: g * x)
bent = ag.custom_vjp(np.negative, partial(lambda factor, g, y, x: factor * g, 2.0))


@pytest.mark.parametrize("f", [halved, bent])
def test_a_rule_of_custom_vjp_is_located_where_the_user_wrote_it(f: Any) -> None:
    [check] = check_graph(f(Tensor([1.0, 2.0]))).wrong
    line = int(check.source.removeprefix(f"{__file__}:"))
    assert "ag.custom_vjp(" in Path(__file__).read_text().splitlines()[line - 1]


def noisy(*operands: Any, rng: Any) -> Any:
    return sum(operands) * (1 + 0.1 * rng.standard_normal())


steady = lambda g, y, *operands, rng, position=None: g * y / sum(operands)
NOISY = [
    ag.primitive("noisy", noisy, steady, steady),
    ag.primitive("noisy", noisy, steady, variadic=True),
    ag.custom_vjp(noisy, lambda *args, rng: (steady(*args, rng=rng),) * 2),
]


@pytest.mark.parametrize("f", NOISY)
def test_a_forward_that_gives_another_value_each_time_is_no_wrong_rule(f: Any) -> None:
    y = f(Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), rng=np.random.default_rng(0))
    report = check_graph(y)
    assert [(check.verdict, check.ok) for check in report] == [("random", False)] * 2
    forward, *details = str(report).splitlines()[1:]
    assert forward == f"the forward of 'noisy' is random at 2 of 2 places, {__file__}:{noisy.__code__.co_firstlineno}"
    assert all("random, it gives another value each time, and has no derivative: draw" in line for line in details)
    fixed = f(Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), rng=SimpleNamespace(standard_normal=lambda: 1.0))
    assert check_graph(fixed).ok


def test_randomness_at_a_kink_is_seen_too() -> None:
    jumpy = ag.primitive("jumpy", lambda x, rng: x + rng.choice([-1.0, 1.0]), lambda g, y, x, rng: g)
    [check] = check_graph(jumpy(Tensor(1.0), rng=np.random.default_rng(0))).wrong
    assert check.verdict == "random"


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
    # a part of a symmetric matrix that happens to be a triangle
    corner = ag.primitive("corner", lambda x: np.triu(x), lambda g, y, x: ag.tril(g.mT))
    assert not check_graph(ag.sum(corner(x))).ok


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
