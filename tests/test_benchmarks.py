"""The benchmarks measure what they say, for every operation; how fast it is, no test can say."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini.draw import engines as engines_of_drawings

from .benchmarks import checking, drawing, operations, training_step
from .benchmarks.operations import ALIASES, OPERATIONS, Operation, agree, engines
from .operations import ROWS

NAMES = {operations.known(operation) for operation in OPERATIONS}


def test_every_operation_is_timed() -> None:
    assert {row.name for row in ROWS} == NAMES | set(ALIASES)
    assert not NAMES & set(ALIASES)
    assert set(ALIASES.values()) <= NAMES


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_what_is_timed_is_numpys(operation: Operation) -> None:
    for size in (10, 100):
        agree(operation, engines(operation, size, peers=False))


@pytest.mark.oracle
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_what_is_timed_is_pytorchs(operation: Operation) -> None:
    pytest.importorskip("torch")
    agree(operation, engines(operation, 100, peers=True))


def test_an_operation_that_computes_something_else_is_refused() -> None:
    exp = next(operation for operation in OPERATIONS if operation.name == "exp")
    with pytest.raises(SystemExit, match="exp: the value of autograd_mini is"):
        agree(exp, engines(exp._replace(numpy=lambda x: x), 10, peers=False))


def test_the_operations_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["exp", "matmul", "split", "qr Q", "nll"]
    operations.main(["--sizes", "10", "20", "--seconds", "0.001", "--only", *names])
    printed = capsys.readouterr().out
    for name in names:
        assert len(re.findall(rf"^\| {name} \| [12]0 \| [\d.,]+ µs \| [\d.]+ \| [\d.]+ \|$", printed, re.M)) == 2
    assert len(re.findall(r"^\| elementwise \| 1 \| [12]0 \| [\d.]+ \| [\d.]+ \|$", printed, re.M)) == 2
    assert "PyTorch" not in printed


def test_unknown_operations_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        operations.main(["--only", "exp", "frobnicate"])
    assert "['frobnicate']" in capsys.readouterr().err


def test_training_steps_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    training_step.main(["--seconds", "0.05"])
    printed = capsys.readouterr().out
    for net in training_step.NETWORKS:
        assert f"| {net.name}, {net.dtype} |" in printed
    assert "| autograd_mini, scalars |" in printed


def test_a_step_that_computes_something_else_is_refused() -> None:
    net = training_step.NETWORKS[0]
    p = training_step.problem(net)
    other = p._replace(x=p.x * 1.01)
    with pytest.raises(SystemExit, match="XOR 2-3-2, batch 4: wrong has the losses"):
        training_step.agree(net, {"hand NumPy": training_step.hand(net, p), "wrong": training_step.hand(net, other)})


def test_drawings_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    drawing.main(["--nodes", "5", "10", "--seconds", "0.001"])
    printed = capsys.readouterr().out
    for kind in drawing.KINDS:
        for nodes in (5, 10):
            for way in ("unfolded", "folded"):
                row = rf"^\| {kind} \| {nodes} \| {way} \| [\d.,]+ ms \| \*\*\d+ µs\*\* \|.*\| [\d,]+ ms \|$"
                assert re.search(row, printed, re.M)
        assert re.search(rf"^- {kind}, unfolded, 5 to 10 nodes: nodes to the power of -?[\d.]+$", printed, re.M)


def test_a_chain_has_as_many_nodes_as_it_says() -> None:
    for fold, count in ((False, 101), (True, 7)):
        cards = re.findall(r"^ *n\d+ \[", drawing.drawing(drawing.chain(100, ()), fold).dot, re.M)
        assert len(cards) == count


def test_a_drawing_that_cannot_be_rendered_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines_of_drawings, "commands", lambda form: [[sys.executable, "-c", "input()"]])
    monkeypatch.setattr(engines_of_drawings, "LIMIT", 0.0)
    assert drawing.render(drawing.chain(5, ()), False, 0.001) == "more than 0 s"
    monkeypatch.setattr(engines_of_drawings, "commands", lambda form: [])
    monkeypatch.setattr(engines_of_drawings, "LIMIT", 20.0)
    assert drawing.render(drawing.chain(5, ()), False, 0.001) == "there is no Graphviz to lay the graph out"


def test_checks_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    checking.main(["--seconds", "0.001", "--only", "matmul of 4×5 by 5×3", "softmax", "near a pole"])
    printed = capsys.readouterr().out
    assert re.search(r"^\| matmul of 4×5 by 5×3 \| [\d.,]+ ms \|$", printed, re.M)
    for functions in ("2 ordinary", "1 hard"):
        assert re.search(rf"^\| {functions} \| autograd_mini \| 0 \| \d, \d" + r" \| 0, 0" * 5 + r" \|$", printed, re.M)
    assert "PyTorch" not in printed


@pytest.mark.parametrize("name", checking.ORDINARY)
def test_gradcheck_has_no_false_alarm_and_misses_nothing_from_a_thousandth(name: str) -> None:
    checker, place = checking.autograd_mini(), checking.ORDINARY[name]
    assert checking.passes(checker, place)
    assert not [change for change in list(checking.changes(place))[2:] if checking.passes(checker, place, change[1])]


def test_what_a_checker_says_is_counted() -> None:
    def refuses(f: Any, xs: Any) -> None:
        raise AssertionError

    places = {name: checking.ORDINARY[name] for name in ("exp", "x / y", "softmax")}
    anything, nothing = (checking.autograd_mini()._replace(check=check) for check in (lambda f, xs: None, refuses))
    assert checking.counted(anything, places) == (0, {change: [3, 3] for change in checking.CHANGES})
    assert checking.counted(nothing, places) == (3, {change: [0, 0] for change in checking.CHANGES})


@pytest.mark.parametrize("name", [*checking.ORDINARY, *checking.HARD])
def test_a_change_is_of_the_derivatives_alone_and_not_of_nothing(name: str) -> None:
    place = (checking.ORDINARY | checking.HARD)[name]
    checker = checking.autograd_mini()
    f, xs = checker.asked(place)
    value, pull_back = ag.vjp(f, *xs)
    slope = pull_back(np.ones_like(value))[0]
    for i, (fault, change) in enumerate(checking.changes(place)):
        assert np.count_nonzero(change) == (1, change.size)[i % 2]
        assert set(np.ravel(change)) <= {0, change.dtype.type(checking.CHANGES[fault])}
        changed, pull_back = ag.vjp(checker.asked(place, change)[0], *xs)
        np.testing.assert_array_equal(changed, value)
        np.testing.assert_allclose(pull_back(np.ones_like(value))[0], slope * (1 + change), rtol=1e-6)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("who", checking.CHECKERS)
def test_checkers_of_others_are_asked_the_same(who: str) -> None:
    package, build = checking.CHECKERS[who]
    pytest.importorskip(package)
    for name in ("tanh of 3×3", "solve"):
        place = checking.ORDINARY[name]
        checking.agree(name, place, {who: build()})
        assert checking.passes(build(), place)
        assert not any(checking.passes(build(), place, change) for _, change in list(checking.changes(place))[4:])


def test_a_function_that_is_another_is_refused() -> None:
    wrong = checking.autograd_mini()._replace(namespace=np)
    place = checking.Place(lambda m, x: x + (m is np), (np.ones(2),))
    with pytest.raises(SystemExit, match="f: the value of wrong is"):
        checking.agree("f", place, {"wrong": wrong})


def test_unknown_functions_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        checking.main(["--only", "softmax", "frobnicate"])
    assert "['frobnicate']" in capsys.readouterr().err
