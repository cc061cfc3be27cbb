"""The pytest plugin: in runs of its own, it adds to the reports of failures what is behind them, and nothing else."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor
from autograd_mini.draw import engines
from autograd_mini.testing import GradientError, check_graph, failures, gradcheck
from autograd_mini.testing.failures import compared

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[1]
INSTALLED = {found.name for found in entry_points(group="pytest11")} >= {"autograd_mini"}
PLUGIN = "autograd_mini" if INSTALLED else "autograd_mini.testing.plugin"
HEAD = re.compile(r"^-+ autograd_mini -+$", re.MULTILINE)

SLOW = """
import numpy as np
import pytest
import autograd_mini as ag

slow = ag.primitive("slow", lambda x, y: x * y, lambda g, z, x, y: g * y, lambda g, z, x, y: 1.01 * g * x)

def wrong(x, y):
    return ag.sum(ag.tanh(slow(x, y) * 0.5))
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Run the tests in a text, where warnings are errors, in this process or in one of its own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    monkeypatch.delenv("CI", raising=False)

    def run(tests: str, *arguments: str, plugin: str = PLUGIN, alone: bool = False) -> pytest.RunResult:
        pytester.makepyfile(test_it=tests)
        start = pytester.runpytest_subprocess if alone else pytester.runpytest_inprocess
        return start("-p", plugin, "-p", "no:cacheprovider", "-W", "error", *arguments)

    return run


Run = Callable[..., pytest.RunResult]


def sections(result: pytest.RunResult) -> list[str]:
    """What the plugin says of each failure."""
    text = result.stdout.str()
    return [re.split(r"^(?:---|_|===)", part, flags=re.MULTILINE)[0].strip() for part in HEAD.split(text)[1:]]


# -- it is there, and changes nothing --------------------------------------------------------------------


def test_the_entry_point_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["pytest11"] == {"autograd_mini": "autograd_mini.testing.plugin"}
    for found in entry_points(group="pytest11"):
        assert found.name != "autograd_mini" or found.value == "autograd_mini.testing.plugin"


def test_nothing_changes_for_tests_without_tensors(run: Run) -> None:
    tests = """
        import pytest
        def test_a(): assert [1, 2] == [1, 3], "these"
        def test_b(): pass
        def test_c(): raise AssertionError
        @pytest.mark.parametrize("x", [1.5])
        def test_d(x): assert x == 2
    """
    result = run(tests, alone=True)
    result.assert_outcomes(passed=1, failed=3)
    plain = run(tests, plugin=f"no:{PLUGIN}", alone=True)

    def said(result: pytest.RunResult) -> list[str]:
        return [re.sub(r"[\d.]+s|plugins: .*", "", line) for line in result.outlines]

    assert said(result) == said(plain)
    assert not Path("autograd-failures").exists()


def test_it_can_be_left_out(run: Run) -> None:
    result = run("def test(gradcheck): pass", plugin=f"no:{PLUGIN}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*fixture 'gradcheck' not found")


def test_an_installed_one_is_found_also_where_the_library_is_imported_already(tmp_path: Path) -> None:
    """Pytest warns of what comes with a plugin and cannot be rewritten any more; where warnings are errors it stops."""
    (tmp_path / "autograd_mini").symlink_to(ROOT / "autograd_mini")
    metadata = tmp_path / "autograd_mini-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: autograd_mini\nVersion: 0\n")
    (metadata / "RECORD").write_text("autograd_mini/__init__.py,,\nautograd_mini/testing/plugin.py,,\n")
    (metadata / "entry_points.txt").write_text("[pytest11]\nautograd_mini = autograd_mini.testing.plugin\n")
    (tmp_path / "test_it.py").write_text("def test(gradcheck): gradcheck(abs, 1.0)")
    for first in ("", "import autograd_mini; "):
        code = f"{first}import pytest, sys; sys.exit(pytest.main(['-q', '-W', 'error', '-p', 'no:cacheprovider']))"
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1].startswith("1 passed"), done.stderr


# -- the fixture and the seed ----------------------------------------------------------------------------

WRONG = SLOW + "def test(gradcheck): gradcheck(wrong, [1.0, 2.0], [3.0, 4.0])"


def test_the_report_has_the_seed_the_rule_and_the_graph(run: Run) -> None:
    result = run(WRONG, "--autograd-seed=7")
    result.assert_outcomes(failed=1)
    (section,) = sections(result)
    lines = section.splitlines()
    assert lines[0] == "to repeat it: pytest test_it.py::test --autograd-seed=7"
    assert lines[1] == "5 rules checked at 4 nodes: 1 wrong"
    assert re.fullmatch(r"rule 1 of 'slow' is wrong at 1 of 1 places, .*test_it.py:5", lines[2])
    assert lines[4] == "test_it.py::test"
    graph = "\n".join(lines[5:])
    for part in ("◎ sum", "└─ tanh", "slow", "θ input 0", "θ input 1", "[3, 4]"):
        assert part in graph
    assert "drawn" not in section


def test_the_command_repeats_the_failure(run: Run) -> None:
    result = run(WRONG, "--autograd-seed=random")
    (section,) = sections(result)
    command = section.splitlines()[0].split()
    assert command[:-1] == ["to", "repeat", "it:", "pytest", "test_it.py::test"]
    result.stdout.fnmatch_lines(f"autograd_mini: {command[-1]}")
    found = re.findall(r"rules say.*", result.stdout.str())
    again = run(WRONG, *command[-2:])
    assert re.findall(r"rules say.*", again.stdout.str()) == found
    other = run(WRONG, "--autograd-seed=random")
    assert re.findall(r"rules say.*", other.stdout.str()) != found


def test_the_command_starts_from_where_pytest_was_started(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "deep").mkdir()
    (pytester.path / "pytest.ini").write_text("[pytest]\n")
    pytester.makepyfile(test_it=WRONG)
    os.chdir("deep")
    result = pytester.runpytest_inprocess("-p", PLUGIN, "-p", "no:cacheprovider", "../test_it.py")
    assert sections(result)[0].startswith("to repeat it: pytest ../test_it.py::test --autograd-seed=0\n")


def test_without_the_option_every_run_is_the_same_as_the_plain_function(run: Run) -> None:
    tests = WRONG + "\ndef test_plain(): ag.testing.gradcheck(wrong, [1.0, 2.0], [3.0, 4.0])"
    result = run(tests)
    result.assert_outcomes(failed=2)
    result.stdout.no_fnmatch_line("autograd_mini: *")
    by_fixture, by_function = re.findall(r"^E .*rules say.*", result.stdout.str(), re.MULTILINE)
    assert by_fixture == by_function
    first, second = sections(result)
    assert first.startswith("to repeat it: pytest test_it.py::test --autograd-seed=0\n5 rules checked")
    assert second.startswith("5 rules checked")


def test_a_seed_of_its_own_and_every_other_argument_is_handed_on(run: Run) -> None:
    tests = SLOW + "def test(gradcheck): gradcheck(ag.relu, [-1.0, 0.0], seed=3, order=1, on_kink='subgradient')"
    run(tests, "--autograd-seed=5").assert_outcomes(passed=1)


@pytest.mark.parametrize("seed", ["-1", "1.5", "dice", ""])
def test_a_seed_is_a_number_or_random(run: Run, seed: str) -> None:
    result = run("def test(): pass", f"--autograd-seed={seed}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        f"*argument --autograd-seed: invalid seed '{seed}': give a whole number from 0 on, or \"random\""
    )


# -- which graph is shown --------------------------------------------------------------------------------


def test_what_check_graph_says_is_not_said_twice(run: Run) -> None:
    tests = SLOW + "def test(): ag.testing.check_graph(wrong(ag.Tensor([1.0, 2.0]), ag.Tensor(3.0))).verify()"
    result = run(tests)
    (section,) = sections(result)
    assert section.startswith("test_it.py::test\n")
    assert "◎ sum" in section
    assert result.stdout.str().count("\nE   rule 1 of 'slow' is wrong") == 1


def test_a_rule_is_found_behind_the_gradient(run: Run) -> None:
    tests = (
        SLOW
        + """
cube = ag.primitive("cube", lambda x: x**3, lambda g, y, x: g * (slow(1.0, x) * x * 3))
def test(): ag.testing.gradcheck(lambda x: ag.sum(cube(x)), [1.0, 2.0])
"""
    )
    result = run(tests)
    result.stdout.fnmatch_lines("E*(order 2)")
    (section,) = sections(result)
    assert "rule 1 of 'slow' is wrong at 1 of 1 places" in section
    assert "└─ cube" in section


def test_where_no_rule_is_found_wrong_there_is_the_graph(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    kink = run(SLOW + "def test(): ag.testing.gradcheck(lambda x: ag.relu(x) * 2.0, [0.0])")
    assert sections(kink)[0].startswith("test_it.py::test\n")
    monkeypatch.setattr(failures, "LARGE", 3)  # of four operations no rule is tried
    assert sections(run(WRONG))[0].endswith(
        "--autograd-seed=0\nbehind it are 4 operations, too many to show: draw() a part of them with focus="
    )


def test_a_rule_that_does_not_take_tensors_hides_nothing(run: Run) -> None:
    tests = (
        SLOW
        + """
plain = ag.primitive("plain", lambda x: x * 2, lambda g, y, x: g * (0 * float(np.sum(x)) + 2))
def test(): ag.testing.gradcheck(lambda x: ag.relu(plain(x)), 0.0)
def test_more(): ag.testing.gradcheck(lambda x: (plain(x[0]), slow(x, x)), [1.0, 2.0], order=1)
"""
    )
    first, second = sections(run(tests))
    assert first.startswith("test_it.py::test\n")
    assert "relu" in first
    assert "rule 1 of 'slow' is wrong" in second


def test_of_several_outputs_the_one_with_the_wrong_rule_is_shown(run: Run) -> None:
    tests = SLOW + "def test(): ag.testing.gradcheck(lambda x: (ag.exp(x), {'a': slow(x, x)}, ag.cos(x)), [1.0, 2.0])"
    (section,) = sections(run(tests))
    assert "◎ slow" in section
    assert "exp" not in section


def test_a_module_is_shown_with_its_names(run: Run) -> None:
    tests = (
        SLOW
        + """
model = ag.nn.MLP([2, 3, 1], rng=0)
def test(gradcheck): gradcheck(lambda m: slow(1.0, ag.sum(m(np.ones((1, 2))))), model)
"""
    )
    (section,) = sections(run(tests))
    assert "θ weight" in section
    assert "MLP / layers.0" in section


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("assert loss < 0.5", "◎ mean loss"),
        ("assert ag.exp(loss) == 3", "◎ exp"),
        ("assert np.allclose(\n        loss.data,\n        3)", "◎ mean loss"),
        ("np.testing.assert_allclose(\n        loss.data,\n        3)", "◎ mean loss"),
        ("assert (ag.exp(x) == np.ones(2)).all()", "◎ exp"),
        ("assert not (ag.exp(x) > 0).all(), 'all'", "◎ exp"),
        ("unittest.TestCase().assertLess(loss, 0.5)", "◎ mean loss"),
        ("assert Box().loss < 0.5", "◎ ×"),
        ("check(loss)", "◎ mean value"),
        ("assert (y := ag.cos(x)) is None and loss", "◎ cos y"),
    ],
)
def test_a_failed_assertion_shows_the_graph_of_what_it_mentions(run: Run, body: str, shown: str) -> None:
    tests = f"""{SLOW}
import unittest
class Box:
    def __init__(self): self.loss = ag.Tensor(2.0) * 3.0
def check(value): assert value.data < 0.5
def test():
    x = ag.Tensor([1.0, 2.0])
    other = ag.sin(x)
    loss = ag.mean(x * x)
    {body}
"""
    result = run(tests)
    (section,) = sections(result)
    assert shown in section
    assert "sin" not in section
    assert "∇" in section


def test_where_nothing_is_rewritten_the_names_are_enough(run: Run) -> None:
    tests = "import autograd_mini as ag\ndef test():\n    y = ag.exp(ag.Tensor(1.0))\n    assert ag.cos(y) == 3"
    (section,) = sections(run(tests, "--assert=plain", alone=True))
    assert "◎ exp y" in section


def test_both_sides_are_shown_and_what_is_behind_neither_is_not(run: Run) -> None:
    tests = (
        SLOW
        + """
def test():
    x = ag.Tensor(2.0)
    y = ag.sin(x)
    z = ag.cos(y)
    assert ag.exp(x) == z and y
"""
    )
    (section,) = sections(run(tests))
    assert section.count("◎") == 2
    assert "◎ exp" in section
    assert "◎ cos z\n└─ sin y" in re.sub(r"(z|y) .*", r"\1", section)


@pytest.mark.parametrize(
    "body",
    [
        "assert x.sum() is None or False",  # xfailed
        "raise RuntimeError(y)",
        "assert ag.Tensor(1.0) == 2",
        "assert other == 2",
    ],
)
def test_there_is_no_section_without_a_failed_assertion_on_what_is_recorded(run: Run, body: str) -> None:
    tests = f"""{SLOW}
@pytest.mark.xfail({"None" in body}, reason="so")
def test():
    x = ag.Tensor([1.0, 2.0])
    y = ag.sin(x)
    with pytest.raises(AssertionError):
        assert ag.sum(y) == 2
    other = 1
    {body}
"""
    result = run(tests, "--autograd-draw-failures")
    assert sum(result.parseoutcomes().values()) == 1
    assert sections(result) == []
    assert not Path("autograd-failures").exists()


def test_large_graphs_are_cut_to_a_screenful(run: Run) -> None:
    tests = (
        SLOW
        + """
@pytest.mark.parametrize("n", [100, 2500])
def test(n):
    y = ag.Tensor(0.5)
    for _ in range(n):
        y = ag.sin(y)
    assert y == 1
"""
    )
    first, second = sections(run(tests))
    assert len(first.splitlines()) == failures.LINES
    assert first.endswith("… and 65 lines more")
    assert second == "behind it are 2,500 operations, too many to show: draw() a part of them with focus="


def test_a_graph_is_shown_whatever_is_wrong_with_it(run: Run) -> None:
    tests = (
        SLOW
        + """
def fails(g, y, x): raise KeyError("axis")
raising = ag.primitive("raising", lambda x: x + 1, fails)
def test_a_rule_that_raises():
    assert raising(ag.Tensor(1.0)) == 1
def test_changed():
    x = ag.Tensor(1.0)
    y = ag.exp(x)
    x.data = 2.0
    assert y == 1
def test_infinite():
    assert ag.sqrt(ag.Tensor(0.0)) * np.inf == 1
def test_freed():
    y = ag.exp(ag.Tensor(1.0))
    y.backward(retain_graph=False)
    assert y == 1
"""
    )
    result = run(tests, "--autograd-draw-failures=out", "-W", "ignore::RuntimeWarning")
    result.assert_outcomes(failed=4)
    raising, changed, infinite = sections(result)
    assert "◎ raising" in raising
    assert "◎ exp y" in changed
    assert "∇" not in raising + changed
    assert "◎ ×" in infinite
    assert all("drawn in" in section for section in (raising, changed, infinite))


def test_a_report_survives_what_goes_wrong_in_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "draw", lambda *args, **kwargs: 1 / 0)
    result = run(SLOW + "def test(): assert ag.exp(ag.Tensor(1.0)) == 1")
    result.assert_outcomes(failed=1)
    assert sections(result) == ["the graph cannot be shown: ZeroDivisionError: division by zero"]


def test_a_gradient_error_carries_what_was_checked() -> None:
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda p: ag.abs(p["a"]), {"a": np.zeros(2), "b": 1.0})
    (output,) = caught.value.outputs
    assert output.op.name == "absolute"
    assert list(caught.value.names) == ["input 0['a']", "input 0['b']"]
    assert output.operands == (caught.value.names["input 0['a']"],)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert not GradientError("elsewhere").outputs
    y = ag.primitive("double", lambda x: 2 * x, lambda g, y, x: g)(Tensor(1.0))
    with pytest.raises(GradientError) as caught:
        check_graph(y).verify()
    assert caught.value.outputs == [y]


# -- what assertions say ---------------------------------------------------------------------------------

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize(
    ("op", "left", "right", "lines"),
    [
        ("<", Tensor(1.5), 0.1, ["Tensor(1.5) < 0.1", "float64 and float: 1.4 apart"]),
        ("==", 2, Tensor(np.float32(1.5)), ["2 == Tensor(1.5)", "int and float32: 0.5 apart"]),
        ("!=", Tensor(1.0), np.float64(1), ["Tensor(1) != float64(1)", "float64 and float64: 0 apart"]),
        ("==", Tensor(np.inf), -np.inf, ["Tensor(inf) == -inf", "float64 and float: inf apart"]),
        ("<", Tensor(np.inf), np.inf, ["Tensor(inf) < inf", "float64 and float: nan apart"]),
        ("==", Tensor(1.7e308), -1.7e308, ["Tensor(1.7e+308) == -1.7e+308", "float64 and float: inf apart"]),
        ("==", Tensor(np.nan), 1, ["Tensor(nan) == 1", "float64 and int: nan apart"]),
        (
            "==", Tensor(X), [1, 2, 7],
            ["Tensor of shape (2, 3) == list of shape (3,)",
             "float64 and int64: not so at 4 of 6 entries, most at (0, 2): 3 and 7, 4 apart"],
        ),
        (
            ">=", X[:, :1].astype(np.float16), Tensor(X),
            ["ndarray of shape (2, 1) >= Tensor of shape (2, 3)",
             "float16 and float64: not so at 4 of 6 entries, most at (0, 2): 1 and 3, 2 apart"],
        ),
        (
            "==", Tensor([1.0, np.nan, np.inf, np.inf]), Tensor([2.0, 1.0, np.inf, 9.0]),
            ["Tensor of shape (4,) == Tensor of shape (4,)",
             "float64 and float64: not so at 3 of 4 entries, most at (1,): nan and 1, nan apart"],
        ),
        ("<", Tensor(X), 7, ["Tensor of shape (2, 3) < 7", "float64 and int: so at all of 6 entries"]),
        ("==", Tensor([]), 7, ["Tensor of shape (0,) == 7", "float64 and int: so at all of 0 entries"]),
        ("is", Tensor(X), None, None),
        ("==", Tensor(1.0), None, None),
        ("==", Tensor(1.0), pytest.approx(2.0), None),
        ("in", Tensor(1.0), [2.0], None),
    ],
)  # fmt: skip
def test_a_comparison_says_where_it_does_not_hold(op: str, left: Any, right: Any, lines: list[str] | None) -> None:
    assert compared(op, left, right) == lines


def test_assertions_say_it(run: Run) -> None:
    tests = (
        SLOW
        + """
def test_a(): assert ag.Tensor(2.0) * 3 < 5
def test_b(): assert (ag.Tensor([1.0, 2.0]) == np.array([1.0, 2.5])).all()
def test_c(): assert 3 == pytest.approx(4)
"""
    )
    result = run(tests)
    result.stdout.fnmatch_lines(["E * assert Tensor(6) < 5", "E * float64 and int: 1 apart"])
    result.stdout.fnmatch_lines(
        ["*= Tensor of shape (2,) == ndarray of shape (2,)", "*not so at 1 of 2 entries, most at (1,): 2 and 2.5, 0.5*"]
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("y == pytest.approx(np.array([2.0, 2.5]))", "E * (1,) * 4.0 * 2.5 ± 2.5e-06"),
        ("y == pytest.approx([2.0, 2.5])", "E * 1 * 4.0 * 2.5 ± 2.5e-06"),
        ("pytest.approx([2.0, 2.5]) == y", "E * 1 * 4.0 * 2.5 ± 2.5e-06"),
        ("y[1] == pytest.approx(2.5)", "E * Obtained: 4.0"),
    ],
)
def test_approx_says_of_tensors_what_it_says_of_arrays(run: Run, body: str, said: str) -> None:
    result = run(f"{SLOW}\ndef test():\n    y = ag.Tensor([1.0, 2.0]) * 2.0\n    assert {body}")
    result.stdout.fnmatch_lines(said)
    result.stdout.no_fnmatch_line("*representation of details failed*")


# -- drawings --------------------------------------------------------------------------------------------


def test_failing_tests_are_drawn_whatever_they_are_called(run: Run) -> None:
    tests = (
        SLOW
        + """
NAMES = ["a/b", "a-b", "../../up", "new\\nline", "<script>", "é" * 100, "x" * 300, "CON", "a::b", "$(rm)", "A/B", ""]
@pytest.mark.parametrize("name", NAMES, ids=str)
def test(name): assert ag.Tensor(2.0) * 3 < 5
"""
    )
    result = run(tests, "--autograd-draw-failures=out/deep")
    result.assert_outcomes(failed=12)
    files = sorted(Path("out/deep").iterdir())
    assert len(files) == 12
    assert {path.name for path in Path().iterdir()} == {"out", "test_it.py"}
    named = [section.splitlines()[-1] for section in sections(result)]
    assert sorted(named) == [f"drawn in {path.absolute()}" for path in files]
    for path in files:
        assert re.fullmatch(r"test_it\.py-test[A-Za-z0-9_.-]{,80}-[0-9a-f]{10}\.svg", path.name)
        svg = ET.parse(path)
        assert not list(svg.iter("{http://www.w3.org/2000/svg}script"))
        assert len({name.name.lower() for name in files}) == 12


def test_a_drawing_marks_the_wrong_rule(run: Run) -> None:
    run(WRONG, "--autograd-draw-failures")
    (path,) = Path("autograd-failures").iterdir()
    assert "the rule is wrong" in path.read_text()


def test_a_test_that_fails_twice_has_two_drawings(run: Run) -> None:
    tests = (
        SLOW
        + """
@pytest.fixture
def after():
    yield
    assert ag.cos(ag.Tensor(2.0)) == 3
def test(after): assert ag.Tensor(2.0) * 3 == ag.exp(ag.Tensor(1.0))
"""
    )
    result = run(tests, "--autograd-draw-failures=out")
    result.assert_outcomes(failed=1, errors=1)
    named = re.findall(r"drawn in (.*)", result.stdout.str())
    assert len(named) == 3
    assert set(map(Path, named)) == set(Path("out").absolute().iterdir())


def test_tests_that_pass_are_not_drawn_and_may_go_elsewhere(run: Run) -> None:
    tests = (
        SLOW
        + """
import os
def test_passes(): assert ag.Tensor(2.0) * 3 == 6
def test_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ag.Tensor(2.0) * 3 == 5
"""
    )
    run(tests, "--autograd-draw-failures=out").assert_outcomes(passed=1, failed=1)
    assert [path.name.split("-")[1] for path in Path("out").iterdir()] == ["test_elsewhere"]


def test_without_graphviz_there_are_text_and_dot(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "commands", lambda form: [])
    (section,) = sections(run(WRONG, "--autograd-draw-failures=out"))
    assert {path.suffix for path in Path("out").iterdir()} == {".txt", ".dot"}
    text, dot = sorted(Path("out").absolute().iterdir(), key=lambda path: path.suffix, reverse=True)
    said = section.splitlines()[-1]
    assert said.startswith(f"written in {text} and {dot}, but not drawn: there is no Graphviz")
    assert "◎ sum" in text.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_is_said(run: Run) -> None:
    Path("taken").write_text("")
    result = run(WRONG, "--autograd-draw-failures=taken")
    result.assert_outcomes(failed=1)
    assert "the drawing was not saved: [Errno" in sections(result)[0]
    assert "slow" in sections(result)[0]


def test_what_to_test_is_not_taken_for_the_folder(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(WRONG, "--autograd-draw-failures", "test_it.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*--autograd-draw-failures took 'test_it.py' for its folder: write *=DIR*")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--autograd-draw-failures=out")
    run(WRONG, "test_it.py").assert_outcomes(failed=1)
    assert len(list(Path("out").iterdir())) == 1


def test_a_folder_without_a_name_is_refused(run: Run) -> None:
    result = run(WRONG, "--autograd-draw-failures=")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*--autograd-draw-failures= names no folder: write --autograd-draw-failures=DIR, or *")


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        pytest.param("y = ag.tanh(ag.Tensor(np.ones((400, 400))))", True, id="wide"),
        pytest.param("y = ag.tanh(ag.Tensor(np.ones((600, 600))))", False, id="wider"),
        pytest.param(
            "w, y = ag.Tensor(np.eye(2)), np.ones(2)\n    for _ in range(10): y = w @ y", True, id="recurrent"
        ),
        pytest.param("w, y = ag.Tensor(np.eye(2)), np.ones(2)\n    for _ in range(99): y = w @ y", False, id="longer"),
        pytest.param("y = ag.Tensor(np.ones(2))\n    for _ in range(200): y = ag.tanh(y)", True, id="chain"),
        pytest.param("y = ag.nn.MLP([3] * 40, rng=0)(np.ones((2, 3)))", True, id="layers"),
    ],
)
def test_a_drawing_is_there_soon(run: Run, monkeypatch: pytest.MonkeyPatch, body: str, marked: bool) -> None:
    monkeypatch.setattr(engines, "LIMIT", 8.0)
    tests = f"{SLOW}\ndef test():\n    {body}\n    assert ag.sum(y) == 1"
    (section,) = sections(run(tests, "--autograd-draw-failures"))
    *_, note, drawn = section.splitlines()
    assert drawn.startswith("drawn in ")
    assert ("✓ ∇" in section) is marked
    assert note.startswith("no rule is marked in the drawing, as that would take long: ") is not marked


# -- beside other plugins --------------------------------------------------------------------------------


def test_of_hypothesis_the_smallest_example_is_shown_once(run: Run) -> None:
    tests = (
        SLOW
        + """
from hypothesis import given, settings, strategies as st

@settings(database=None, derandomize=True)
@given(x=st.floats(-1e3, 1e3))
def test_assertion(x):
    y = ag.Tensor([x, 1.0]) * 2.0
    assert (abs(y) < [50.0, 50.0]).all()

@settings(database=None, derandomize=True)
@given(n=st.integers(1, 20))
def test_approx(n):
    y = ag.Tensor([1.0, n]) * 2.0
    assert y == pytest.approx([2.0, min(2 * n, 8.0)])

@settings(database=None, derandomize=True)
@given(n=st.integers(1, 20))
def test_check(gradcheck, n):
    gradcheck(lambda x: slow(1.0, x) if n > 4 else x, np.ones(n))
"""
    )
    result = run(tests, "--autograd-draw-failures=out", alone=True)
    result.assert_outcomes(failed=3)
    assertion, approx, check = sections(result)
    assert len(list(Path("out").iterdir())) == 3
    assert "[2, 10]" in approx
    assert "[50, 2]" in assertion
    assert assertion.count("◎") == check.count("◎") == 1
    assert re.search(r"input 0 +5 +all 1", check)
    result.stdout.fnmatch_lines("*float64 and float64: not so at 1 of 2 entries, most at (0,): 50 and 50, 0 apart*")
    result.stdout.no_fnmatch_line("*failures.py:*")  # which Hypothesis would take for the reason of a failure
    result.stdout.no_fnmatch_line("*plugin.py:*")


def test_the_failures_that_hypothesis_finds_are_all_shown(run: Run) -> None:
    tests = (
        SLOW
        + """
from hypothesis import given, settings, strategies as st

@settings(database=None, derandomize=True)
@given(n=st.integers(0, 9))
def test(n):
    x = ag.Tensor(2.0)
    if n > 5:
        assert ag.sin(x) == 3
    assert ag.cos(x) == 3 or n < 3
"""
    )
    (section,) = sections(run(tests, alone=True))
    assert "◎ sin" in section
    assert "◎ cos" in section


def test_it_works_in_parallel(run: Run) -> None:
    tests = WRONG + "\ndef test_other(gradcheck): gradcheck(wrong, [1.0, 2.0], [3.0, 4.0])"
    result = run(tests, "-n2", "--autograd-seed=random", "--autograd-draw-failures=out", alone=True)
    result.assert_outcomes(failed=2)
    (seed,) = set(re.findall(r"--autograd-seed=\d+", result.stdout.str()))
    assert result.stdout.str().count(seed) == 3
    assert sorted(path.name.split("-")[1] for path in Path("out").iterdir()) == ["test", "test_other"]
    assert all(section.splitlines()[-1].startswith("drawn in ") for section in sections(result))
