"""What is answered at ties, kinks and edges: a row stands over the test that holds it, and the page is made of both."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import NamedTuple

INTRO = """\
# Conventions at ties, kinks, edges and singular points

Where a function has no derivative, or several that could be defended, an engine has to answer something. This is what
autograd_mini answers, beside PyTorch 2.13 and JAX 0.10. Where these two disagree, or one of them is wrong, the answer
here is the one that can be defended mathematically and surprises least.

The gradients are those of the sum of the function, in float64 unless a dtype is named. Commas stand between the entries
of one gradient, slashes between the operands, semicolons between the cases. Every row is held by the tests it names, in
[test_conventions.py](../tests/test_conventions.py). What PyTorch and JAX answer, `pytest -m oracle` asks the installed
versions again for the rows that are listed in [test_oracle.py](../tests/test_oracle.py); the others were run by hand.

| # | case | PyTorch | JAX | autograd_mini | test |
|---|---|---|---|---|---|
"""


class Convention(NamedTuple):
    """A case, and what three libraries answer; `here` is what is aimed at, if there is no test yet."""

    case: str
    pytorch: str
    jax: str
    here: str


ROWS: dict[int, Convention] = {}

NOT_YET = {
    12: Convention("`where(x > 0, log(x), 0)` at 0", "nan", "nan", "0"),
}  # fmt: skip


def number(name: str) -> int | None:
    found = re.match(r"test_row_(\d+)_", name)
    return int(found[1]) if found else None


def row(case: str, *, pytorch: str, jax: str, here: str) -> Callable[..., Callable[..., None]]:
    """State the row of a test, whose name has the number; more tests of the row need no more than the number."""

    def stated(test: Callable[..., None]) -> Callable[..., None]:
        n = number(test.__name__)
        if n is None or n in ROWS:
            raise ValueError(f"{test.__name__} is to be called test_row_<number>_<name>, and is to be the first of it")
        ROWS[n] = Convention(case, pytorch, jax, here)
        return test

    return stated


def rows() -> dict[int, Convention]:
    """Give every row by its number, whether there is a test yet or not."""
    holders()  # which imports the tests, and they state their rows
    return dict(sorted({**ROWS, **NOT_YET}.items()))


def holders() -> dict[int, list[str]]:
    """List the tests that hold each row."""
    found: dict[int, list[str]] = {}
    for name in vars(importlib.import_module("tests.test_conventions")):
        if (n := number(name)) is not None:
            found.setdefault(n, []).append(name)
    return found


def page() -> str:
    """Give the page of conventions."""
    names = holders()
    lines = [
        f"| {n} | {case} | {pytorch} | {jax} | {here} | {'<br>'.join(f'`{name}`' for name in names[n])} |"
        if n in names
        else f"| {n} | {case} | {pytorch} | {jax} | **not yet**; to be: {here} | |"
        for n, (case, pytorch, jax, here) in rows().items()
    ]
    return INTRO + "\n".join(lines) + "\n"
