"""Mutation testing: ``python -m tests.mutants [path ...]`` changes one small thing at a time; some test should fail.

A suite of minutes cannot be run once a mutant. So every test is run once, to note which lines it executes and how long
it takes; then each mutant meets only the tests that execute its line, those that have caught its neighbours first,
then the fastest, until one fails. It is put in place in a fork of a process that has collected the tests already, by
giving the code of the mutant to the functions that live there. What runs when a module is imported (defaults,
decorators, constants, the arguments of `primitive`) needs a fork that has imported nothing of it yet.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import hashlib
import json
import multiprocessing
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import pytest
from coverage import Coverage
from hypothesis import Phase, settings
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
DEFAULT = [ROOT / "autograd_mini" / "core.py", ROOT / "autograd_mini" / "ops"]

OPTIONS: list[str] = []  # of pytest

# -- what is changed -----------------------------------------------------------------------------------

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
NAMES = {"maximum": "minimum", "minimum": "maximum", "floor": "ceil", "zeros": "ones", "less": "less_equal",
         "greater": "greater_equal", "any": "all", "all": "any"}  # fmt: skip
FIXED = ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom, ast.arg  # what an error says is for another test
SYMMETRIC = {"max", "min", "maximum", "minimum", "hypot", "result_type"}
LIBRARIES = {"np", "math", "builtins", "op"}
RUNS = ast.Lambda, ast.stmt
TYPES = {"annotation", "returns", "type_params"}


def edits(node: ast.AST, ancestors: list[ast.AST]) -> Iterator[ast.AST]:
    """Give what may stand in the place of a node."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(op)](), right)
            yield left
        case ast.BinOp(left, ast.MatMult(), right):
            yield ast.BinOp(right, ast.MatMult(), left)
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield operand
        case ast.BoolOp(op, values):
            yield ast.BoolOp(OPERATORS[type(op)](), values)
            yield from (rest[0] if len(rest) == 1 else ast.BoolOp(op, rest) for rest in without(values))
        case ast.Compare(left, ops, right):
            for i, op in enumerate(ops):
                yield ast.Compare(left, [*ops[:i], OPERATORS[type(op)](), *ops[i + 1 :]], right)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
            if value > 1:
                yield ast.Constant(value - 1)
        case ast.Constant(str() as value) if value:
            yield ast.Constant("")
        case ast.If(_, body, orelse) | ast.IfExp(_, body, orelse):
            for answer in (True, False):
                yield type(node)(ast.Constant(answer), body, orelse)
        case ast.While(_, body, orelse):
            yield ast.While(ast.Constant(False), body, orelse)
        case ast.comprehension(target, iterable, [_, *_], is_async):
            yield ast.comprehension(target, iterable, [], is_async)
        case ast.Slice(lower, upper, step):
            open_ = [(None, upper, step), (lower, None, step)]
            yield from (ast.Slice(*kept) for kept in open_ if any(kept) and kept != (lower, upper, step))
        case ast.Call(f, args, keywords):
            for i, keyword in enumerate(keywords):
                if keyword.arg != "strict":
                    yield ast.Call(f, args, keywords[:i] + keywords[i + 1 :])
            name = f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else ""
            for i in range(len(args) - 1) if name not in SYMMETRIC else ():
                yield ast.Call(f, [*args[:i], args[i + 1], args[i], *args[i + 2 :]], keywords)
            if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id not in LIBRARIES:
                yield f.value
            elif args and not isinstance(args[0], ast.Starred):
                yield args[0]
        case ast.Attribute(value, "T" | "mT", _):
            yield value
        case ast.Attribute(value, name, ctx) if name in NAMES:
            yield ast.Attribute(value, NAMES[name], ctx)
        case ast.Name(name, ast.Load()):
            rules = [x for x in ancestors if isinstance(x, ast.Lambda) and [a.arg for a in x.args.args][:1] == ["g"]]
            operands = [a.arg for a in rules[-1].args.args] if rules else []
            if name in operands:
                yield ast.Name(operands[(operands.index(name) + 1) % len(operands)], ast.Load())
        case ast.AugAssign(target, op, value):
            if type(op) in OPERATORS:
                yield ast.AugAssign(target, OPERATORS[type(op)](), value)
            yield ast.Pass()
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets, value):
            read = {x.id for x in ast.walk(value) if isinstance(x, ast.Name)}
            names = {x.id for target in targets for x in ast.walk(target) if isinstance(x, ast.Name)}
            if names & read or not all(isinstance(x, ast.Name) for x in targets):  # else what comes next would not run
                yield ast.Pass()
        case ast.FunctionDef(decorator_list=[_, *_]):
            for rest in without(node.decorator_list):
                bare = copy.copy(node)
                bare.decorator_list = rest
                yield bare


def without(parts: list[Any]) -> Iterator[list[Any]]:
    return (parts[:i] + parts[i + 1 :] for i in range(len(parts)))


@dataclass(eq=False)
class Mutant:
    """One change: `place` holds the node or the list, `key` says where in it, `new` is what is put there."""

    path: Path
    tree: ast.Module
    place: Any
    key: Any
    new: ast.AST
    line: int
    lines: range  # of which a test must have executed one, for the change to be seen
    group: int  # the line where the outermost function or statement begins
    live: bool  # within the body of a function
    before: str
    after: str

    def code(self) -> CodeType:
        """Compile the module with the change, which is taken back."""
        old = swap(self.place, self.key, self.new)
        try:
            return compile(ast.fix_missing_locations(self.tree), str(self.path), "exec", dont_inherit=True)
        finally:
            swap(self.place, self.key, old)


def swap(place: Any, key: Any, new: Any) -> Any:
    if isinstance(place, list):
        old, place[key] = place[key], new
    else:
        old = getattr(place, key)
        setattr(place, key, new)
    return old


def mutants(path: Path) -> Iterator[Mutant]:
    """Give every mutant of a module, in order of lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (m for statement in tree.body for m in _walk(path, tree, tree.body, tree.body.index(statement), []))


def _walk(path: Path, tree: ast.Module, place: Any, key: Any, ancestors: list[ast.AST], live: bool = False) -> Any:
    node = place[key] if isinstance(place, list) else getattr(place, key)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
        return
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.startswith("__"):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":  # it is there for what never happens
        return
    stated = not live and isinstance(node, ast.Call) and isinstance(node.func, ast.Name)  # as a primitive, a namesake
    for new in () if stated or (not live and isinstance(getattr(node, "value", None), str)) else edits(node, ancestors):
        yield _mutant(path, tree, place, key, [*ancestors, node], new, live)
    if isinstance(node, FIXED):
        return
    for field, value in ast.iter_fields(node):
        if field in TYPES or (isinstance(node, ast.Call) and field == "func" and isinstance(value, ast.Name)):
            continue
        inside = live or (field == "body" and isinstance(node, (ast.FunctionDef, ast.Lambda)))
        for i, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                where = (value, i) if isinstance(value, list) else (node, field)
                yield from _walk(path, tree, *where, [*ancestors, node], inside)


def _mutant(
    path: Path, tree: ast.Module, place: Any, key: Any, chain: list[ast.AST], new: ast.AST, live: bool
) -> Mutant:
    located = [x for x in chain if hasattr(x, "lineno")]
    node: Any = located[-1]
    if live:  # what is executed as one: the innermost rule, simple statement, or head of a compound one
        scope: Any = next(
            (x.body if isinstance(x, ast.Lambda) else x for x in located[-2::-1] if isinstance(x, RUNS)), node
        )
        if hasattr(scope, "body"):
            scope = node
        last = scope.test.end_lineno if isinstance(scope, ast.If | ast.While) else scope.end_lineno
    else:
        scope, last = chain[0], chain[0].end_lineno  # type: ignore[attr-defined]
    shown = chain[-1]
    for x in chain[-2::-1]:  # enough around it to know it again
        compound = hasattr(x, "body") and not isinstance(x, ast.Lambda | ast.IfExp)
        if isinstance(shown, ast.stmt) or compound or len(head(x)) > 70:
            break
        shown = x
    before = head(shown)
    if hasattr(new, "_attributes") and "lineno" in new._attributes and not hasattr(new, "lineno"):
        ast.copy_location(new, node)
    old = swap(place, key, new)
    after = head(new if shown is chain[-1] else shown)
    swap(place, key, old)
    lines = range(scope.lineno, last + 1)
    return Mutant(path, tree, place, key, new, node.lineno, lines, chain[0].lineno, live, before, after)  # type: ignore[attr-defined]


def head(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))
    lines = text.splitlines()
    return lines[0] if not isinstance(node, ast.FunctionDef) else "; ".join(lines[: len(node.decorator_list) + 1])


# -- how it is put in place -----------------------------------------------------------------------------


def codes(module: CodeType) -> dict[tuple[str, int, int], CodeType]:
    """Give every code in a module, by name, line, and how many of that name are on that line before it."""
    found: dict[tuple[str, int, int], CodeType] = {}
    seen: Counter[tuple[str, int]] = Counter()
    waiting = [module]
    while waiting:
        for code in waiting.pop().co_consts:
            if isinstance(code, CodeType):
                place = code.co_qualname, code.co_firstlineno
                found[*place, seen[place]] = code
                seen[place] += 1
                waiting.append(code)
    return found


@cache
def original(path: Path) -> dict[tuple[str, int, int], CodeType]:
    return codes(compile(path.read_bytes(), str(path), "exec", dont_inherit=True))


def functions(paths: Iterable[Path]) -> dict[CodeType, list[FunctionType]]:
    """Give the living functions of some modules by their code."""
    found = defaultdict(list)
    names = set(map(str, paths))
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename in names:
            found[thing.__code__].append(thing)
    return found


def put(mutant: Mutant, living: dict[CodeType, list[FunctionType]]) -> int:
    """Give the code of a mutant to the functions that live, and say to how many."""
    new, count = codes(mutant.code()), 0
    for place, code in original(mutant.path).items():
        if place in new and new[place] != code:
            for function in living.get(code, []):
                function.__code__ = new[place]
                count += 1
    return count


def import_as(mutant: Mutant) -> None:
    """Have the module of a mutant imported with its code."""
    code, get = mutant.code(), SourceFileLoader.get_code
    SourceFileLoader.get_code = lambda self, name: (  # type: ignore[method-assign]
        code if self.path == str(mutant.path) else get(self, name)
    )


# -- the tests -----------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """What is known of a test that passes: its file, how long it takes, and which lines of which file it executes."""

    file: str
    seconds: float
    lines: dict[str, list[int]]


class Session:
    """A plugin that hands the tests collected to a function instead of running them."""

    def __init__(self, body: Callable[[Session, list[pytest.Item]], None]) -> None:
        self.body = body
        self.failed: set[str] = set()
        self.began = False

    def pytest_collection(self) -> None:  # after conftest.py, before the tests
        still = settings(database=None, derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate])
        settings.register_profile("mutants", still)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.began = True
        if session.testsfailed:
            self.failed.add("import")
        self.body(self, session.items)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)

    def run(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        """Whether a test passes."""
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        return not self.failed


def collected(tests: Iterable[Path | str], body: Callable[[Session, list[pytest.Item]], None], name: str) -> None:
    """Collect tests silently and hand them to `body`."""
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    folder = Path(tempfile.gettempdir()) / f"mutants-{os.getuid()}" / name
    folder.parent.mkdir(exist_ok=True)
    options = ["-q", "-s", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}", f"--basetemp={folder}"]
    options += ["-p", "no:cacheprovider", "-W", "ignore:Module already imported"]
    session = Session(body)
    code = pytest.main([*options, *OPTIONS, *map(str, tests)], plugins=[session])
    if not session.began or code == pytest.ExitCode.INTERNAL_ERROR:
        raise RuntimeError(f"pytest could not collect, or not run, {[str(test) for test in tests]}")


def observe(tests: list[Path], paths: list[Path], jobs: int) -> dict[str, Seen]:
    """Run every test once and note what it executes; a file of tests that has not changed is not run again."""
    helpers = (file for file in ROOT.glob("tests/**/*.py") if not file.name.startswith(("test_", "mutants.py")))
    paths = sorted({*paths, *modules(DEFAULT)})
    library = digest([*ROOT.glob("autograd_mini/**/*.py"), *helpers, *paths], *OPTIONS)
    files = sorted({file for test in tests for file in (test.rglob("test_*.py") if test.is_dir() else [test])})
    folder = Path(tempfile.gettempdir()) / f"mutants-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    notes = {file: folder / f"{digest([file], str(file))}-{library}.json" for file in files}
    stale = [file for file in files if not notes[file].exists()]

    def work(part: int) -> Callable[[Callable[[Any], None]], None]:
        def body(tell: Callable[[Any], None], session: Session, items: list[pytest.Item]) -> None:
            mine = items[part::jobs]
            watch = Coverage(data_file=None, config_file=False, include=list(map(str, paths)))
            watch.start()
            for item, following in zip(mine, [*mine[1:], None], strict=True):
                watch.switch_context(item.nodeid)
                start = time.perf_counter()
                passed = session.run(item, following)
                session.failed.clear()
                tell((item.nodeid, str(item.path), passed, time.perf_counter() - start, len(items)))
            watch.stop()
            data = watch.get_data()
            tell({path: data.contexts_by_lineno(path) for path in data.measured_files()})

        return lambda tell: collected(stale, partial(body, tell), f"observed-{part}")

    if stale:
        passing: dict[str, tuple[str, float]] = {}
        executed: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        with tqdm(desc="tests observed", unit="test") as bar:
            for told in parallel([work(part) for part in range(jobs)]):
                if isinstance(told, dict):
                    for path, contexts in told.items():
                        for line, names in contexts.items():
                            for name in names:
                                executed[name][path].append(line)
                    continue
                name, file, passed, seconds, bar.total = told
                bar.update()
                if passed:
                    passing[name] = file, seconds
        for file in stale:
            mine = {name: (*found, executed[name]) for name, found in passing.items() if found[0] == str(file)}
            notes[file].write_text(json.dumps(mine))
    return {name: Seen(*seen) for file in files for name, seen in json.loads(notes[file].read_text()).items()}


def modules(paths: list[Path]) -> list[Path]:
    return [p.resolve() for path in paths for p in (sorted(path.glob("*.py")) if path.is_dir() else [path])]


def digest(files: Iterable[Path], *words: str) -> str:
    parts = [*(file.read_bytes() for file in sorted(set(files))), *map(str.encode, words)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def parallel(work: list[Callable[[Callable[[Any], None]], None]]) -> Iterator[Any]:
    """Run functions in forks, and give what they put."""
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()

    def run(f: Callable[[Callable[[Any], None]], None]) -> None:
        try:
            f(queue.put)
            queue.put(None)
        except BaseException:
            queue.put(RuntimeError(traceback.format_exc()))

    processes = [fork.Process(target=run, args=(f,)) for f in work]
    for process in processes:
        process.start()
    left = len(processes)
    while left:
        found = queue.get()
        if isinstance(found, RuntimeError):
            raise found
        if found is None:
            left -= 1
        else:
            yield found
    for process in processes:
        process.join()


# -- mutants against tests -----------------------------------------------------------------------------


class Verdict(NamedTuple):
    """What became of a mutant: killed (and by which test), timeout, survived (so many), never run, or the same code."""

    fate: str
    test: str = ""
    tests: int = 0
    of: int = 0


def forked(body: Callable[[Callable[[str], None]], None], seconds: float) -> Verdict:
    """Run a function in a fork, and tell by what it says or how it ended what became of the mutant."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        soft = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + (4 << 30)
        resource.setrlimit(resource.RLIMIT_AS, (soft, soft))
        try:
            body(lambda text: os.write(writing, text.encode()) and None)
        except BaseException as error:
            os.write(writing, f"killed\0{type(error).__name__}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode().split("\0")
    status = os.waitpid(child, 0)[1]
    if told[0]:
        return Verdict(told[0], *told[1:2])
    if os.WIFSIGNALED(status):
        return Verdict("timeout" if os.WTERMSIG(status) == signal.SIGALRM else "killed", "a crash")
    return Verdict("survived")


def through(session: Session, items: list[pytest.Item], seen: dict[str, Seen], tell: Callable[[str], None]) -> None:
    """Run tests until one fails."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        signal.setitimer(signal.ITIMER_REAL, 10 + 10 * seen[item.nodeid].seconds)
        if not session.run(item, following):
            tell(f"killed\0{item.nodeid}")
            return


def examine(
    part: list[tuple[int, Mutant]], seen: dict[str, Seen], tests: list[Path], budget: float, name: str
) -> Callable[[Callable[[Any], None]], None]:
    """Give the work of one process: its part of the mutants."""
    killers: dict[tuple[Path, int], Counter[str]] = defaultdict(Counter)
    executing: dict[tuple[str, int], set[str]] = defaultdict(set)
    for test, (_, _, lines) in seen.items():
        for path, numbers in lines.items():
            for number in numbers:
                executing[path, number].add(test)

    idle = {test for test, (_, _, lines) in seen.items() if not any(lines.values())}

    def chosen(mutant: Mutant) -> tuple[list[str], int]:
        path = str(mutant.path)
        found = set().union(*(executing[path, line] for line in mutant.lines))
        if not mutant.live:  # what looks at functions without running them sees defaults and decorators
            if not found:  # a constant: whatever uses its module may use it
                found = {test for (file, _), names in executing.items() if file == path for test in names}
            found |= idle
            for name in re.findall(r"def (\w+)\(", mutant.before):  # what is decorated may not be run at all
                found |= {test for test in seen if test.endswith(f"[{name}]")}
        kills = killers[mutant.path, mutant.group]
        order, spent = [], 0.0
        for test in sorted(found, key=lambda test: (-kills[test], seen[test].seconds)):
            spent += seen[test].seconds
            if order and spent > budget:
                break
            order.append(test)
        return order, len(found)

    def judge(mutant: Mutant, attempt: Callable[[list[str], Callable[[str], None]], None], slack: float) -> Verdict:
        order, of = chosen(mutant)
        if not order:
            return Verdict("never run")
        verdict = forked(lambda tell: attempt(order, tell), slack)
        killers[mutant.path, mutant.group][verdict.test] += verdict.fate == "killed"
        return verdict._replace(tests=len(order), of=of)

    def work(put_result: Callable[[Any], None]) -> None:
        for i, mutant in part:
            if not mutant.live:

                def anew(order: list[str], tell: Callable[[str], None], mutant: Mutant = mutant) -> None:
                    import_as(mutant)

                    def body(session: Session, items: list[pytest.Item]) -> None:
                        if session.failed:
                            tell("killed\0the import")
                            return
                        by_name = {item.nodeid: item for item in items}
                        through(session, [by_name[test] for test in order if test in by_name], seen, tell)

                    collected(dict.fromkeys(seen[test].file for test in order), body, name)

                put_result((i, judge(mutant, anew, 120)))

        def body(session: Session, items: list[pytest.Item]) -> None:
            by_name = {item.nodeid: item for item in items}
            living = functions({mutant.path for _, mutant in part})
            for path in {mutant.path for _, mutant in part}:
                original(path)
            gc.freeze()
            for i, mutant in part:
                if mutant.live:

                    def attempt(order: list[str], tell: Callable[[str], None], mutant: Mutant = mutant) -> None:
                        if not put(mutant, living):
                            tell("the same")
                            return
                        through(session, [by_name[test] for test in order], seen, tell)

                    put_result((i, judge(mutant, attempt, 120)))

        collected(tests, body, name)

    return work


# -- the table -----------------------------------------------------------------------------------------


def change(mutant: Mutant) -> str:
    """Give the two cells of a table by which a mutant is known: lines move."""
    return " | ".join(f"`{text.replace('|', '¦')}`" for text in (mutant.before, mutant.after))


def row(mutant: Mutant, verdict: Verdict) -> str:
    fate = verdict.test if verdict.fate == "killed" else verdict.fate
    if verdict.fate == "survived":
        fate += f" {verdict.tests} of {verdict.of} tests"
    return f"| {mutant.path.name}:{mutant.line} | {change(mutant)} | {fate} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", default=DEFAULT, help="modules or folders, or lines as core.py:20-50")
    parser.add_argument("--tests", nargs="+", type=Path, default=[ROOT / "tests"], help="files or folders of tests")
    parser.add_argument("--sample", type=float, default=1, help="the share of mutants to take, at random")
    parser.add_argument("--again", type=Path, help="a page or the output of a run: only the mutants listed there")
    parser.add_argument("--budget", type=float, default=60, help="seconds of tests that a mutant has to survive")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--killed", action="store_true", help="list the killed too, with the test that killed them")
    parser.add_argument("--explained", type=Path, default=ROOT / "docs" / "testing.md", help="a page with survivors")
    arguments, OPTIONS[:] = parser.parse_known_args()  # what is left is pytest's
    wanted: dict[Path, list[range]] = defaultdict(list)
    for text in map(str, arguments.paths):
        name, _, lines = text.partition(":")
        first, _, last = lines.partition("-")
        for path in modules([Path(name)]):
            wanted[path].append(range(int(first or 0), int(last or first or sys.maxsize - 1) + 1))
    paths = sorted(wanted)
    tests = [test.resolve() for test in arguments.tests]
    found = [m for path in paths for m in mutants(path) if any(m.line in lines for lines in wanted[path])]
    if arguments.again:
        listed = arguments.again.read_text(encoding="utf-8")
        found = [m for m in found if change(m) in listed]
    if arguments.sample < 1:
        found = random.Random(0).sample(found, round(arguments.sample * len(found)))
    seen = observe(tests, paths, arguments.jobs)
    explained = arguments.explained.read_text(encoding="utf-8") if arguments.explained.exists() else ""
    numbered = list(enumerate(found))
    work = [
        examine(numbered[i :: arguments.jobs], seen, tests, arguments.budget, f"mutants-{i}")
        for i in range(arguments.jobs)
    ]
    fates: Counter[tuple[str, str]] = Counter()
    unexplained = 0
    for i, verdict in tqdm(parallel(work), total=len(found), unit="mutant", smoothing=0.05):
        fate = verdict.fate
        line = row(found[i], verdict)
        if fate in ("survived", "never run"):
            if change(found[i]) in explained:
                fate = "explained"
            else:
                unexplained += 1
        fates[found[i].path.name, fate] += 1
        if fate in ("survived", "never run") or arguments.killed:
            tqdm.write(line)
    kinds = ["killed", "timeout", "explained", "survived", "never run", "the same"]
    print(f"\n| module | mutants | {' | '.join(kinds)} |\n|---|{'---|' * (1 + len(kinds))}")
    for name in dict.fromkeys(path.name for path in paths):
        numbers = [fates[name, kind] for kind in kinds]
        print(f"| {name} | {' | '.join(map(str, [sum(numbers), *numbers]))} |")
    sys.exit(unexplained > 0)


if __name__ == "__main__":
    main()
