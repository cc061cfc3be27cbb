"""What the pytest plugin says of a failed test: how Tensors compare, the graph behind them, and its wrong rule."""

from __future__ import annotations

import dis
import operator
import re
import warnings
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..core import Node, ancestors, past, sweep, value_of
from ..draw import Drawing, draw
from ..nn import Module
from ..tensor import Tensor
from .gradcheck import GradientError
from .graph import check_graph

LINES = 40  # of a graph: a screenful
LARGE = 2000  # operations: of more, neither the text nor what differences say is there within seconds
MANY = 10**6  # numbers: of more, what differences say takes seconds
LONG = 1000  # operations that edges pass by: where they are more, Graphviz takes from seconds to minutes
SHOWN = 3  # graphs
NUMBERS = (bool, int, float)
OPERATORS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def compared(op: str, left: Any, right: Any) -> list[str] | None:
    """Describe a comparison entry by entry: between what, at how many entries it does not hold, and where most.

    Parameters
    ----------
    op : str
        As it is written in Python.
    left, right : Tensor, array_like
        What was compared, so that they broadcast.

    Returns
    -------
    list of str, or None
        The lines of an explanation; None if it is another comparison, or not one of real numbers.

    Notes
    -----
    No function is called that the test might call, but for those written in C: Hypothesis would give their lines as
    the explanation of why a test fails, since this is run where one fails and nowhere else.
    """
    x, y = (np.asarray(side.value if isinstance(side, Node) else side) for side in (left, right))
    if op not in OPERATORS or x.dtype.kind not in "fiub" or y.dtype.kind not in "fiub":
        return None
    holds = np.asarray(OPERATORS[op](x, y))
    head = f"{_described(left, x)} {op} {_described(right, y)}"
    dtypes = f"{_kind(left, x)} and {_kind(right, y)}"
    failed = holds.size - int(np.add.reduce(holds, axis=None))
    if not failed:
        return [head, f"{dtypes}: so at all of {holds.size} entries"]
    apart = np.zeros(holds.shape)
    np.subtract(x * 0.5, y * 0.5, out=apart, where=x != y)  # equal infinities are not apart; halves do not overflow
    np.abs(apart, out=apart)
    apart[np.isnan(apart)] = np.inf
    apart[holds] = -1
    most = int(apart.argmax())
    left, right = (float(side) for side in next(islice(np.broadcast(x, y), most, None)))
    numbers = f"{abs(left - right):.3g} apart"
    if holds.ndim:
        place = apart.flat
        next(islice(place, most, most), None)
        numbers = (
            f"not so at {failed} of {holds.size} entries, most at {place.coords}: {left:.9g} and {right:.9g}, {numbers}"
        )
    return [head, f"{dtypes}: {numbers}"]


def _described(side: Any, array: Any) -> str:
    if type(side) in NUMBERS:
        return repr(side)
    return f"{type(side).__name__}{f' of shape {array.shape}' if array.ndim else f'({float(array):.9g})'}"


def _kind(side: Any, array: Any) -> str:
    return type(side).__name__ if type(side) in NUMBERS else array.dtype.type.__name__


def explain(error: BaseException, test: str, number: int = 1, folder: Path | None = None, again: str = "") -> str:
    """Say what is behind the Tensors of a test that failed: the wrong rule, if there is one, and the graph.

    They are the outputs of a `GradientError`, or else what the innermost statement of the traceback that names a
    recorded Tensor names.

    Parameters
    ----------
    error : BaseException
        What the test raised, or a group of it.
    test : str
        The id of the test, any text.
    number : int
        Which report of this test it is.
    folder : Path, optional
        Where to save a drawing of each graph: as .svg with its rules checked, if they can be within seconds, or as
        .dot and .txt where there is no Graphviz. It is made if it is missing. Where a long graph comes back to what
        it began with, as that of a recurrent network does, what is repeated is folded.
    again : str
        The command that repeats the check.

    Returns
    -------
    str
        A screenful for each of at most three graphs; "" if there is none.
    """
    said: list[str] = []
    causes = list(_assertions(error))
    if again and any(isinstance(cause, GradientError) for cause in causes):
        said.append(f"to repeat it: {again}")
    graphs = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cause in causes:
            outputs, names = _behind(cause)
            if isinstance(cause, GradientError):
                outputs, lines = _blamed(outputs)
                said += lines if lines and lines[1] not in str(cause) else []
            for output in outputs[: SHOWN - graphs]:
                graphs += 1
                path = folder and folder / f"{_file(test, number)}{f'-{graphs}' if graphs > 1 else ''}.svg"
                said += _shown(output, names, test, path)
    return "\n".join(said)


def _assertions(error: BaseException) -> Iterator[AssertionError]:
    """Give the assertions that failed: Hypothesis may have found several."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _assertions(part)
    elif isinstance(error, AssertionError):
        yield error


def _behind(error: AssertionError) -> tuple[Sequence[Node], Mapping[str, Any]]:
    """Find the recorded Tensors that no other comes from, and what things are called there."""
    if isinstance(error, GradientError) and error.outputs:
        return [output for output in error.outputs if output.operands], error.names
    trace: list[TracebackType] = []
    step = error.__traceback__
    while step:
        trace.append(step)
        step = step.tb_next
    for step in reversed(trace):
        scope: Any = ChainMap(step.tb_frame.f_locals, step.tb_frame.f_globals)
        used = {x for x in map(scope.get, _mentioned(step)) if issubclass(type(x), Node) and x.operands}
        if used:
            behind = {x for output in used for x in ancestors(output) if x is not output}
            names = {name: x for name, x in scope.items() if name.isidentifier() and _nameable(x)}
            return sorted(used - behind, key=lambda x: x.age), names
    return (), {}


def _mentioned(step: TracebackType) -> Iterator[str]:
    """Give every name in the statement that failed; where pytest has rewritten it, also those of what it computed."""
    code = step.tb_frame.f_code
    first, last, *_ = next(islice(code.co_positions(), step.tb_lasti // 2, None))
    last = last or first  # python -X no_debug_ranges
    for instruction in dis.get_instructions(code):
        line = instruction.positions and instruction.positions.lineno
        if line and first and last and first <= line <= last:
            names = instruction.argval
            yield from (x for x in (names if isinstance(names, tuple) else (names,)) if isinstance(x, str))


def _nameable(x: Any) -> bool:
    kind = type(x)  # a proxy of something that is not there raises if it is asked for its class
    return issubclass(kind, (Node, Module)) or (issubclass(kind, np.ndarray) and x.size <= 10**6)  # which is copied


def _blamed(outputs: Sequence[Node]) -> tuple[Sequence[Node], list[str]]:
    """Give the one output, if there is, behind which a rule is wrong, or a rule behind its gradient; and the report."""
    small = [output for output in outputs if len(ancestors(output)) <= LARGE]
    for behind in (lambda y: [y], _gradients):
        for output in small:
            with suppress(Exception):  # which a rule that is not for Tensors may raise, or data that changed
                for y in behind(output):
                    if not (report := check_graph(y)).ok:
                        return [output], str(report).splitlines()
    return outputs, []


def _gradients(output: Node) -> Iterator[Node]:
    for node, g in sweep(output, Tensor(np.ones_like(output.value)), recorded=True):
        if node.op is None and isinstance(g, Node) and g.operands:
            yield g


def _shown(output: Node, names: Mapping[str, Any], title: str, path: Path | None) -> list[str]:
    size = len(ancestors(output))
    if size > LARGE and not path:
        return [f"behind it are {size:,} operations, too many to show: draw() a part of them with focus="]
    numbers, passed = _burden(output) if path and size <= LARGE else (inf, 0)
    check, fold = numbers <= MANY and passed <= LONG, passed > LONG
    drawing = _drawn(output, names, title, check, fold)
    lines = drawing.text.splitlines()
    if len(lines) > LINES:
        lines = lines[: LINES - 1] + [f"… and {len(lines) - LINES + 1:,} lines more"]
    if path and not check:
        lines.append("no rule is marked in the drawing, as that would take long: check_graph() says which is wrong")
    return lines + ([_saved(drawing, path)] if path else [])


def _burden(output: Node) -> tuple[int, int]:
    """Count the numbers that operations take and give, and the operations that edges pass by."""
    numbers, passed, depth = 0, 0, dict[Node, int]()
    for node in ancestors(output):
        operands = past(node)
        numbers += sum(int(np.size(value_of(x))) for x in (node, *operands))
        nodes = [x for x in operands if isinstance(x, Node)]
        above = max(depth.get(x, 0) for x in nodes)
        depth[node] = above + 1
        passed += sum(above - depth.setdefault(x, above) for x in nodes)
    return numbers, passed


def _drawn(output: Node, names: Mapping[str, Any], title: str, check: bool, fold: bool) -> Drawing:
    """Draw with as much as can be had: what is wrong with the graph may prevent it, and a wrong rule raise anything."""
    for checked in dict.fromkeys((check, False)):
        with suppress(Exception):
            return draw(output, names=names, title=title, check=checked, fold=fold or "auto")
    return draw(output, names=names, title=title, grads=False, fold=fold or "auto")


def _saved(drawing: Drawing, path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return f"drawn in {drawing.save(path)}"
        except RuntimeError as error:  # of Graphviz
            text, dot = (drawing.save(path.with_suffix(suffix)) for suffix in (".txt", ".dot"))
            return f"written in {text} and {dot}, but not drawn: {error}"
    except OSError as error:
        return f"the drawing was not saved: {error}"


def _file(test: str, number: int) -> str:
    """Make a name for files of whatever a test is called: one that every system takes, and no other test has."""
    mark = sha256(f"{number} {test}".encode(errors="surrogatepass")).hexdigest()[:10]
    return f"{re.sub('[^A-Za-z0-9_.]+', '-', test).strip('-.')[:80]}-{mark}"
