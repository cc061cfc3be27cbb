"""Where user code asked for what is recorded: which line that is, and who names it."""

from __future__ import annotations

import copy
import pickle
import re
import sys
import threading
from contextlib import nullcontext
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor, source_lines
from autograd_mini.core import ancestors
from autograd_mini.testing import check_graph
from tests.test_draw import HOSTILE, assert_safe


def here(below: int = 0) -> str:
    """Give the line that calls, or one below, as a node gives its own."""
    frame = sys._getframe(1)
    return f"{frame.f_code.co_filename}:{frame.f_lineno + below}"


def lines(y: Any) -> set[str]:
    return {node.line for node in ancestors(y)}


def without_lines(dot: str) -> str:
    return re.sub(rf"\\n{re.escape(Path(__file__).name)}:\d+", "", dot)


X = np.array([[1.0, 2.0], [3.0, -1.0]])


# -- which line ------------------------------------------------------------------------------------


def test_nothing_is_noted_unless_asked_for() -> None:
    x = Tensor(X)
    y = ag.sum(x @ x)
    with source_lines():
        z, line = y * 2.0, here()
    w = z * 2.0
    assert (x.line, y.line, z.line, w.line) == ("", "", line, "")


def test_the_line_is_the_users_whatever_lies_between() -> None:
    x, model = Tensor(X), ag.nn.MLP([2, 5, 2], rng=0)
    with source_lines():
        found = [
            (x * 2.0, here()),
            (2.0 - x, here()),
            (X @ x, here()),
            (np.tanh(x), here()),
            (np.linalg.norm(x), here()),
            (np.polynomial.polynomial.polyval(x, [1.0, 2.0, 3.0]), here()),  # which is Python, in NumPy
            (ag.nn.cross_entropy(model(x), [0, 1]), here()),
            (ag.custom_vjp(lambda x: x, lambda g, y, x: g)(x), here()),
            (reduce(add, list(x)), here()),
            (x.mT[0].reshape(2, 1).std(), here()),
        ]
    for y, line in found:
        assert lines(y) == {line}


def test_an_expression_of_several_lines_has_them_all() -> None:
    x = Tensor(X)
    with source_lines():
        first = here(1)
        y = ag.sum(
            ag.exp(x)
        )  # fmt: skip
        inner = here(-2)
    assert [node.line for node in ancestors(y)] == [inner, first]


def test_in_a_function_of_ones_own_it_is_the_line_inside() -> None:
    class Own(ag.nn.Module):
        def forward(self, x: Any) -> Any:
            return ag.exp(x), here()

    with source_lines():
        y, inside = Own()(Tensor(X))
    assert y.line == inside


def test_it_decorates_what_calls_itself() -> None:
    @source_lines()
    def power(x: Any, n: int) -> tuple[Any, str]:
        return (power(x, n - 1)[0] * x, here()) if n else (x * 1.0, here())

    y, line = power(Tensor(2.0), 3)
    assert [node.line for node in ancestors(y)] == [line] * 4
    assert (y * 1.0).line == ""


def test_it_nests_with_itself_and_ends_on_an_error() -> None:
    x = Tensor(2.0)
    with source_lines():
        with source_lines():
            y, first = x * x, here()
        z, second = y * x, here()
        with pytest.raises(ZeroDivisionError), source_lines():
            raise ZeroDivisionError
        w, third = z * x, here()
    assert [node.line for node in (y, z, w, w * x)] == [first, second, third, ""]
    assert y.marks == (first,)


def test_it_nests_with_scopes() -> None:
    def run(within: Any) -> Any:
        x = Tensor(X)
        with ag.scope("outer"), within, ag.scope("inner"):
            y = ag.tanh(x) * x
        with within, ag.scope("head"):
            return ag.sum(ag.nn.Linear(2, 2, rng=0)(y))

    y = run(source_lines())
    assert all(node.line for node in ancestors(y))
    assert [[label for label, _ in node.scopes] for node in ancestors(y)] == [
        ["inner", "outer"], ["inner", "outer"], ["head"], ["head", "Linear"], ["head"],
    ]  # fmt: skip
    assert without_lines(ag.draw(y).dot) == ag.draw(run(nullcontext())).dot


def test_nothing_recorded_has_no_line() -> None:
    x = Tensor(2.0)
    with source_lines(), ag.no_grad():
        assert (x * x).line == ""
    with ag.no_grad(), source_lines():
        assert (x * x).marks == ()
    with source_lines():
        assert Tensor(1.0).line == x.detach().line == ""


def test_threads_do_not_share_it() -> None:
    x, found = Tensor(2.0), {}
    begun, done = threading.Event(), threading.Event()

    def other() -> None:
        begun.wait()
        found["without"] = x * x
        with source_lines():
            found["with"], found["line"] = x * x, here()
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with source_lines():
        begun.set()
        done.wait()
        y, line = x * x, here()
    thread.join()
    assert (found["without"].line, found["with"].line) == ("", found["line"])
    assert y.line == line


def test_an_update_in_place_is_asked_for_where_it_stands() -> None:
    x = Tensor(X)
    with source_lines():
        made, added, put = here(1), here(2), here(3)
        y = x * 1.0
        y += 2.0
        y[0] = 5.0
    assert [node.line for node in ancestors(y)] == [made, added, put]
    y *= 2.0
    assert y.line == ""
    assert y.operands[0].line == put


def test_transforms_of_functions() -> None:
    def f(x: Any) -> Any:
        y, at["f"] = ag.sin(x) * x, here()
        seen.append(y)
        return y

    at: dict[str, str] = {}
    seen: list[Any] = []
    x = Tensor(2.0)
    with source_lines():
        ag.grad(f)(2.0)
        ag.jvp(f, (2.0,), (1.0,))
        with ag.no_grad():
            ag.grad(f)(2.0)
        slope, at["grad"] = ag.grad(f)(x), here()
    assert [y.line for y in seen] == [at["f"]] * 4
    assert lines(slope) == {at["f"], at["grad"]}  # the rules of the library were asked for by grad


def test_a_checkpoint_has_the_line_of_its_result() -> None:
    def f(x: Any) -> Any:
        y = ag.exp(x)
        return {"value": y * x, "line": here()}

    x = Tensor(X)
    with source_lines():
        y, line = ag.checkpoint(f)(x).values()
    assert (y.op.name, y.line) == ("checkpoint", line)
    ag.sum(y).backward()
    np.testing.assert_allclose(x.grad, np.exp(X) * (1 + X))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
def test_copies_have_the_lines_of_the_original(copied: Any) -> None:
    x = Tensor(X)
    y = ag.exp(x)
    with source_lines(), ag.scope("head"):
        z, line = ag.sum(y), here()
    for again in (copied(z), source_lines()(copied)(z)):
        assert [node.line for node in ancestors(again)] == ["", line]
        assert [label for label, _ in again.scopes] == ["head"]


# -- who names it ----------------------------------------------------------------------------------


def test_a_card_says_it() -> None:
    x = Tensor(X, name="x")
    y = ag.exp(x)
    with source_lines():
        z, line = ag.sum(y), here()
    assert line.startswith(__file__)
    number = line.rpartition(":")[2]
    drawing = ag.draw(z, names={"x": x})
    assert [card.line for card in drawing.graph.cards] == ["", "", line]
    assert drawing.dot.count(f"{Path(__file__).name}:{number}") == 1
    assert rf"\n{Path(__file__).name}:{number}" in drawing.dot
    assert str(Path(__file__).parent) not in drawing.dot + drawing.html


def test_a_drawing_without_lines_is_as_before() -> None:
    def drawn() -> str:
        x = Tensor(X)
        return ag.draw(ag.sum(ag.nn.MLP([2, 3, 1], rng=0)(x * x))).dot

    before = drawn()
    with source_lines():
        after = drawn()
    assert before != after
    assert without_lines(after) == before


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_of_files_are_only_text(name: str) -> None:
    names: dict[str, Any] = {"ag": ag, "x": Tensor(2.0)}
    exec(compile("with ag.source_lines():\n    y = ag.sin(x) * x", name.replace("\0", ""), "exec"), names)
    drawing = ag.draw(names["y"])
    assert ":2" in drawing.dot
    assert_safe(drawing.svg)
    assert "<script>bad" not in drawing.html


def test_a_neighbour_of_the_library_is_not_in_it() -> None:
    file = f"{Path(ag.__file__).parent}_of_mine/model.py"
    names: dict[str, Any] = {"ag": ag, "x": Tensor(2.0)}
    exec(compile("with ag.source_lines():\n    y = ag.sin(x) * x", file, "exec"), names)
    assert names["y"].line == f"{file}:2"


def test_a_wrong_rule_is_named_with_the_line_that_asked_for_it() -> None:
    slow = ag.primitive("slow", lambda x: x * x, lambda g, y, x: 1.01 * g * x)
    x = Tensor(X)
    with source_lines():
        y = ag.tanh(x)
        z, line = slow(y), here()
    report = check_graph(ag.sum(z))
    (check,) = report.wrong
    assert str(check).startswith(f"'slow' at {line} of (2, 2) -> (2, 2), by operand 0: wrong, entry")
    assert f"places, {check.source}\n  'slow' at {line} of" in str(report)
    assert check.source != line


def test_errors_of_the_sweep_name_it() -> None:
    x, w = Tensor(X), Tensor(X)
    with source_lines():
        y, line = x * w, here()
        z = ag.sum(y)
    w.data = X + 1
    with pytest.raises(RuntimeError, match=re.escape(f"changed after 'multiply' at {line} used it, so")):
        z.backward()
    with source_lines():
        y, line = ag.exp(x), here()
        z, last = ag.sum(y), here()
    z.backward(retain_graph=False)
    with pytest.raises(RuntimeError, match=re.escape(f"this graph at {last} was freed by")):
        z.backward()
    with pytest.raises(RuntimeError, match=re.escape(f"this graph at {line} was freed by")):
        ag.sum(y * 2.0).backward()
