"""The mutator: what it changes, that a change takes effect, and that what cannot be noticed survives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("coverage")
pytest.importorskip("tqdm")
from .mutants import ROOT, mutants

MODULE = """\
\"\"\"A module to be changed.\"\"\"

LIMIT = 3


def clipped(x: float, low: float = 0) -> float:
    \"\"\"Keep `x` between `low` and the limit.\"\"\"
    if x < low:
        return low
    return min(x, LIMIT)


def adder(n: int):
    def add(x):
        return x + n

    return add


def refused(x):
    raise ValueError(f"{x} is refused: {1 + 1}")


rules = [lambda g, y, x: g * y]
"""

TESTS = """\
from planted import adder, clipped

add = adder(2)  # lives before any mutant


def test_between():
    assert clipped(2) == 2


def test_at_the_limits():
    assert (clipped(-1), clipped(0), clipped(0.5), clipped(4), clipped(1, 2)) == (0, 0, 0.5, 3, 2)


def test_closure():
    assert add(5) == 7


def test_that_fails_anyway():
    assert clipped(2) == 3
"""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    (tmp_path / "planted.py").write_text(MODULE)
    (tmp_path / "test_planted.py").write_text(TESTS)
    return tmp_path / "planted.py"


def changes(path: Path, line: int) -> list[tuple[str, str]]:
    return [(m.before, m.after) for m in mutants(path) if m.line == line]


def test_the_changes_of_a_line(planted: Path) -> None:
    assert changes(planted, 3) == [("LIMIT = 3", "LIMIT = 4"), ("LIMIT = 3", "LIMIT = 2")]
    assert changes(planted, 8) == [
        ("if x < low:", "if True:"),
        ("if x < low:", "if False:"),
        ("x < low", "x <= low"),
    ]
    assert changes(planted, 15) == [
        ("return x + n", "return None"),
        ("return x + n", "return x - n"),
        ("return x + n", "return x"),
    ]
    assert [after for _, after in changes(planted, 21)] == ["pass"]  # what an error says is left alone
    assert [after.partition(": ")[2] for _, after in changes(planted, 24)] == ["g / y]", "g]", "y * y]", "g * x]"]


def test_a_mutant_is_taken_back(planted: Path) -> None:
    first = next(mutants(planted))
    before = compile(planted.read_text(), str(planted), "exec")
    assert first.code() != before
    assert compile(first.tree, str(planted), "exec") == before


def test_mutants_meet_the_tests_of_their_lines(planted: Path) -> None:
    command = [sys.executable, "-m", "tests.mutants", str(planted), "--killed", "--jobs", "1"]
    done = subprocess.run(
        [*command, "--tests", str(planted.with_name("test_planted.py"))],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(planted.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr  # there are survivors
    fates = {}
    for line in done.stdout.splitlines():
        if line.startswith("| planted.py:"):
            before, after, fate = (cell.strip(" `") for cell in line.split("|")[2:5])
            fates[before, after] = fate.rpartition("::")[2]
    assert {change for change, fate in fates.items() if fate.startswith("survived")} == {("x < low", "x <= low")}
    assert fates["LIMIT = 3", "LIMIT = 4"] == "test_at_the_limits"  # imported anew
    assert fates["return x + n", "return x - n"] == "test_closure"  # in a function that lives already
    assert {fate for change, fate in fates.items() if "g" in change[0]} == {"never run"}
