"""The command that draws an expression, as a user starts it; and that no text makes it do anything else."""

from __future__ import annotations

import contextlib
import io
import math
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini.__main__ import main
from autograd_mini.draw import draw
from autograd_mini.draw.expression import LENGTH, SIZE, TAKES, assign, record

from .test_draw import HOSTILE

NEURON = ["tanh(x*w + b)", "--at", "x=2", "w=-3", "b=6.88"]


def run(*arguments: str) -> tuple[int, str, str]:
    """Run the command in this process: exit code, output, errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["draw", *arguments])
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
    return code, out.getvalue(), err.getvalue()


def test_a_neuron_is_drawn_on_the_terminal() -> None:
    command = [sys.executable, "-m", "autograd_mini", "draw", *NEURON]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    x, w, b = map(ag.Tensor, (2.0, -3.0, 6.88))
    text = draw(ag.tanh(x * w + b), names={"x": x, "w": w, "b": b}, title="tanh(x*w + b)").text
    assert done.stdout.decode() == text
    assert "θ w" in text


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<svg"), (".dot", b"digraph"), (".txt", b"tanh(x*w + b)\n")])
def test_a_neuron_is_drawn_into_a_file(tmp_path: Path, suffix: str, start: bytes) -> None:
    path = tmp_path / f"neuron{suffix}"
    assert run(*NEURON, "-o", str(path)) == (0, f"wrote {path}\n", "")
    assert path.read_bytes().startswith(start)
    if suffix == ".svg":
        assert {"x", "w", "b"} <= {text.strip() for text in ET.parse(path).getroot().itertext()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x", 2.0),
        (" x + 1 ", 3.0),
        ("x - 1 - 1", 0.0),
        ("1 / x / 2", 0.25),
        ("x ** 3 ** 0", 2.0),
        ("-x ** 2", -4.0),
        ("+x % 1.5", 0.5),
        ("x*x*x", 8.0),
        ("1_000 * x", 2000.0),
        ("x * 1e3", 2000.0),
        ("x + 9 ** 9 ** 9", math.inf),
        ("x + 9 ** 9 ** 9 ** 9 ** 9", math.inf),
        ("0 / 0 * x", math.nan),
        ("(-1) ** 0.5 + x", math.nan),
        ("maximum(x, 3)", 3.0),
        ("clip(x, -1, 1)", 1.0),
        ("sum(x * [1, 2, 3])", 12.0),
        ("max(v @ v + x)", 27.0),
        ("norm(v)", 5.0),
        ("max(-v)", -3.0),
        ("sum([])*x", 0.0),
    ],
)
def test_the_value_is_that_of_the_expression(text: str, value: float) -> None:
    values = {"x": ag.Tensor(2.0), "v": ag.Tensor([3.0, 4.0])}
    np.testing.assert_equal(record(text, values).item(), value)


@pytest.mark.parametrize("name", TAKES)
def test_every_function_is_recorded(name: str) -> None:
    values = dict(zip("xyz", map(ag.Tensor, ([0.4, 0.7], [0.2, 0.3], [0.5, 0.6])), strict=True))
    if name == "arccosh":
        values["x"] = ag.Tensor([1.4, 1.7])
    operands = list("xyz"[: TAKES[name]])
    result = record(f"{name}({', '.join(operands)})", values)
    np.testing.assert_array_equal(result.data, getattr(ag, name)(*(values[x].data for x in operands)))
    assert result.requires_grad


@pytest.mark.parametrize(
    ("text", "value"), [("x=2", 2.0), ("x = -.5", -0.5), ("x=[1, -2]", [1, -2]), ("x=[[1], [2/4]]", [[1], [0.5]])]
)
def test_a_value_is_a_number_or_a_list(text: str, value: object) -> None:
    name, tensor = assign(text)
    assert name == "x"
    np.testing.assert_array_equal(tensor.data, value)
    assert tensor.requires_grad


def test_names_are_compared_as_python_does() -> None:
    assert run("ﬁ + é", "--at", "ﬁ=2", "é=1")[0] == 0
    assert "ﬁ".isidentifier()


def test_an_expression_may_begin_with_a_minus() -> None:
    assert run("-x*2", "--at", "x=2")[1].splitlines()[2].split() == ["◎", "×", "−4", "∇", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.real"], "'x.real': an expression has numbers, lists of numbers, names, + - * / % ** @ and functions"),
        (["__import__('os').system('true')"], "an expression has"),
        (["lambda: x"], "'lambda: x': an expression has"),
        (["[x for x in x]"], "an expression has"),
        (["(x := 2)"], "an expression has"),
        (["f'{x}'"], "an expression has"),
        (["x if x else x"], "an expression has"),
        (["x < 1"], "'x < 1': an expression has"),
        (["x and x"], "an expression has"),
        (["not x"], "'not x': an expression has"),
        (["~x"], "'~x': an expression has"),
        (["x // 2"], "'x // 2': an expression has"),
        (["x << 999999999"], "an expression has"),
        (["x[0]"], "an expression has"),
        (["(x, x)"], "an expression has"),
        (["True * x"], "'True': an expression has"),
        (["1j * x"], "'1j': an expression has"),
        (["'a' * 999999999"], "\"'a'\": an expression has"),
        (["..."], "an expression has"),
        (["tanh(*x)"], "'*x': an expression has"),
        (["sum(x, axis=0)"], "'axis=0': an expression has"),
        (["tanh(x)(x)"], "an expression has"),
        (["x; x"], "is no expression: invalid syntax"),
        (["x +"], "is no expression"),
        ([""], "'' is no expression"),
        (["x\0"], "is no expression"),
        (["\ud800"], "is no expression"),
        (["1if x"], "is no expression"),
        (["(" * 900], "is no expression: too many nested parentheses"),
        (["x" * (LENGTH + 1)], "an expression has at most 1,000 characters, not 1,001"),
        (["9" * 400 + "*x"], "int too large to convert to float"),
        (["q + x"], "'q': no value is known for this name: give it one by --at x=2"),
        (["tanh"], "'tanh': no value is known for this name"),
        (["eval(x)"], "'eval(x)': no function of this name is known"),
        (["tanh(x, x)"], "'tanh(x, x)': tanh takes 1 in brackets, not 2"),
        (["[x, 1]"], "'[x, 1]': a list has numbers in it, not names"),
        (["[1, [2]] * x"], "'[1, [2]]': a list has numbers in it, or rows of numbers that are equally long"),
        (["[[[1]]] * x"], "'[[[1]]]': a list has numbers in it, or rows"),
        ([f"[{'1,' * (SIZE + 1)}] * x"], "a list has at most 100 numbers in it, not 101"),
        (["x + [1, 2] + [1, 2, 3]"], "operands could not be broadcast together with shapes (2,) (3,)"),
        (["x @ x"], "'x @ x': "),
        (["max([]) * x"], "'max([])': "),
        (["2 + 2"], "2 + 2 is a constant, which has no graph"),
        (["x", "--at", "y"], "a value is given as x=2 or x=[1, 2], not as 'y'"),
        (["x", "--at", "x.y=2"], "a value is given as"),
        (["x", "--at", "=2"], "'' is no expression"),
        (["x", "--at", "y=x"], "'x': no value is known"),
        (["x", "--at", "x=1"], "argument --at: gives the same name two values"),
        (["x", "-o", "x.exe"], "a drawing is saved as .txt, .svg,"),
        (["x", "-o", "no/folder/x.dot"], "there is no folder"),
        (["x", "-o", "x\0.dot"], "null"),
        (["x", "y"], "unrecognized arguments: y"),
        (["x", "--frob\n\x1b[31m"], "unrecognized arguments: --frob  [31m"),
    ],
)
def test_anything_else_is_one_line_and_code_2(arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments, "--at", "x=2")
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("python -m autograd_mini draw: ")
    assert err.endswith("\n")
    assert err[:-1].isprintable()


@pytest.mark.parametrize(
    "text",
    [
        f"({'-' * 990}x)",
        f"x{'+x' * 499}",
        f"x{'**9' * 333}",
        "erf(" * 180 + "(c+r)" + ")" * 180,
        f"c@r{'@c@r' * 249}",
        f"median({'+'.join(['(c*r)'] * 160)})",
        f"[{'[' * 190}{']' * 190}]*x",
    ],
)
def test_nothing_that_fits_in_the_limits_takes_long(text: str) -> None:
    column, row = "[" + "[1]," * SIZE + "]", "[[" + "0.01," * SIZE + "]]"
    start = time.process_time()
    code, *_ = run("--at", "x=2", f"c={column}", f"r={row}", "--", text)
    assert code in (0, 2)
    assert time.process_time() - start < 20


def test_nothing_is_asked_of_graphviz_for_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a process was started"))
    assert run(*NEURON)[0] == 0


def test_without_graphviz_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from autograd_mini.draw import engines

    monkeypatch.setattr(engines, "commands", lambda form: [])
    code, _, err = run(*NEURON, "-o", str(tmp_path / "a.svg"))
    assert code == 2
    assert 'pip install "autograd_mini[svg]"' in err


TOKENS = [*TAKES, *"xyv()[],+-*/%@.=~<:\\'\"", "**", "//", "1", "9", "1e308", "0.5", " ", "if", "lambda", "__class__"]
SIGNS = ["+", "-", "*", "/", "**", "%", "@"]
TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from(TOKENS), max_size=40).map("".join),
    st.recursive(
        st.sampled_from(["x", "v", "m", "2", "-0.5", "[1,2]", "[[1],[2]]", "[]", "9**9**9"]),
        lambda part: st.one_of(
            st.tuples(part, st.sampled_from(SIGNS), part).map("({0[0]}){0[1]}({0[2]})".format),
            st.tuples(st.sampled_from(list(TAKES)), part).map("{0[0]}({0[1]})".format),
            st.tuples(st.sampled_from(list(TAKES)), part, part).map("{0[0]}({0[1]},{0[2]})".format),
        ),
        max_leaves=12,
    ),
)


@settings(max_examples=400)
@given(TEXTS, st.lists(st.one_of(TEXTS, TEXTS.map("y={}".format)), max_size=2))
def test_any_text_is_drawn_or_refused_in_one_line(text: str, values: list[str]) -> None:
    given = [value for value in values if not value.startswith("-")]
    code, out, err = run("--at", "x=2", "v=[1,-2]", "m=[[0.5,2],[0,1]]", *given, "--", text)
    assert code in (0, 2)
    if code:
        assert out == ""
        assert err.endswith("\n")
        assert err[:-1].isprintable()
    else:
        assert err == ""
        assert out.endswith("\n")


@given(st.lists(TEXTS.filter(lambda text: not text.startswith(("-o", "--o"))), max_size=4))
def test_any_command_line_is_taken_or_refused_in_one_line(arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert code in (0, 2)
    assert bool(out) == (code == 0)
    assert err == "" if code == 0 else err.endswith("\n") and err[:-1].isprintable()
