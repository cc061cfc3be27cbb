"""The plugin of pytest: the fixture `gradcheck`, and in the report of a failed test the graph behind its Tensors.

PYTEST_DONT_REWRITE: there are no assertions here, and it may be imported before pytest finds it.
"""

from __future__ import annotations

import os
import shlex
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pytest

from ..tensor import Tensor
from .failures import compared, explain
from .gradcheck import gradcheck as check

DRAW = "--autograd-draw-failures"
SEED = "--autograd-seed"
FOLDER = "autograd-failures"
REPORTS = pytest.StashKey[Counter[str]]()  # how often each test failed, for one may have several reports


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("autograd_mini")
    group.addoption(
        SEED,
        type=_seed,
        default=0,
        metavar="N",
        help='seed of the fixture gradcheck: a number, or "random" for one that is drawn and printed (default 0)',
    )
    group.addoption(
        DRAW,
        nargs="?",
        const=FOLDER,
        metavar="DIR",
        help="save a drawing of the graph behind the Tensors of each failed check or assertion "
        f"({DRAW}=DIR; default {FOLDER})",
    )


def _seed(text: str) -> int | str:
    if text == "random" or text.isdecimal():
        return text if text == "random" else int(text)
    raise ArgumentTypeError(f'invalid seed {text!r}: give a whole number from 0 on, or "random"')


def pytest_configure(config: pytest.Config) -> None:
    """Draw the seed, once for all the processes of a run, and refuse a test's path where a folder was meant.

    Raises
    ------
    pytest.UsageError
        If the folder for drawings was not given with ``=``: it may have been meant as what to test. Or if nothing
        was given with it, as by a variable that is not set.
    """
    if config.option.autograd_seed == "random":
        drawn: dict[str, Any] = getattr(config, "workerinput", {})  # of pytest-xdist
        config.option.autograd_seed = drawn.get(SEED, int.from_bytes(os.urandom(4)))
    folder = config.option.autograd_draw_failures
    said = [
        *config.invocation_params.args, *config.getini("addopts"), *shlex.split(os.environ.get("PYTEST_ADDOPTS", "")),
    ]  # fmt: skip
    if folder not in (None, FOLDER) and f"{DRAW}={folder}" not in said:
        raise pytest.UsageError(f"{DRAW} took {folder!r} for its folder: write {DRAW}=DIR, or put the option last")
    if folder == "":
        raise pytest.UsageError(f"{DRAW}= names no folder: write {DRAW}=DIR, or {DRAW} alone for {FOLDER}")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the seed to a worker of pytest-xdist."""
    node.workerinput[SEED] = node.config.option.autograd_seed


def pytest_report_header(config: pytest.Config) -> str | None:
    """Print the seed, unless it is the one of every run."""
    return f"autograd_mini: {SEED}={config.option.autograd_seed}" if config.option.autograd_seed else None


@pytest.fixture(scope="session")  # one for all the examples of Hypothesis
def gradcheck(pytestconfig: pytest.Config) -> Callable[..., None]:
    """`autograd_mini.testing.gradcheck`, with the seed of ``--autograd-seed``.

    The seed is 0 in every run: what fails for a colleague fails here, and no change is blamed for a draw of the
    dice. Fresh directions each run find little more, as a wrong rule is wrong along almost all; those who want
    them, on a nightly run for instance, say ``--autograd-seed=random``, and find the number in the head of the run
    and, with the command to repeat it, in the report of a failure.
    """
    return partial(check, seed=pytestconfig.option.autograd_seed)


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Say of a comparison with Tensors their shapes and dtypes, and where it does not hold.

    With what is no array, such as `pytest.approx`, it is what is said where arrays are compared with that.
    """
    if not isinstance(left, Tensor) and not isinstance(right, Tensor):
        return None
    if lines := compared(op, left, right):
        return lines
    left, right = (side.value if isinstance(side, Tensor) else side for side in (left, right))
    return next(filter(None, config.hook.pytest_assertrepr_compare(config=config, op=op, left=left, right=right)), None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add a section to the report of a failed check, or of a failed assertion on Tensors that are recorded."""
    report = yield
    if report.failed and call.excinfo:
        try:
            said = _explained(item, call.excinfo.value)
        except Exception as error:  # the report of the test is worth more than what is added to it
            said = f"the graph cannot be shown: {type(error).__name__}: {error}"
        if said:
            report.sections.append(("autograd_mini", said))
    return report


def _explained(item: pytest.Item, error: BaseException) -> str:
    option, here, again = item.config.option, item.config.invocation_params.dir, ""
    if "gradcheck" in getattr(item, "fixturenames", ()):
        test = f"{os.path.relpath(item.path, here)}::{item.nodeid.partition('::')[2]}"
        again = f"pytest {shlex.quote(test)} {SEED}={option.autograd_seed}"
    folder = None if option.autograd_draw_failures is None else here / option.autograd_draw_failures
    reports = item.config.stash.setdefault(REPORTS, Counter())
    reports[item.nodeid] += 1
    return explain(error, item.nodeid, reports[item.nodeid], folder, again)
