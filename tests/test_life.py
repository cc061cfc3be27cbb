"""The lives of Tensors at random: whatever is done to them, in whatever order, a simple model knows what they are then.

The model has no graph, no sweep and no age, so it shares nothing with the engine: it carries beside every value its
derivative by every entry of every leaf, forwards, and remembers which leaves, as they were when, it was computed from.
"""

from __future__ import annotations

import copy
import gc
import inspect
import operator
import pickle
import textwrap
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import autograd_mini as ag
from autograd_mini import Tensor, core, tensor
from autograd_mini.derivatives import _Run
from autograd_mini.optim.optimizer import Block

Array = np.ndarray[Any, Any]
SHAPE = (2, 3)  # all others broadcast to it
ENTRIES = 1024  # more than all leaves of one machine have
MASK, W = np.array([True, False, True]), np.array([0.5, -1.5, 2.0])
FREED, CHANGED, COPIED = "graph was freed", "the data of a Tensor", "the data of an operand"

mirror = ag.primitive("mirror", lambda x: x, lambda g, y, x: -g)  # gives the very array that it takes


# ---- the model -------------------------------------------------------------------------------------


@dataclass(eq=False)
class Dual:
    """A value, and the derivative of each of its entries by each entry of each leaf, along one axis more."""

    value: Array
    slopes: Array

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value)  # also where it has no axes


@dataclass(eq=False)
class Leaf:
    """Where the derivatives by a leaf stand, and how often its data changed."""

    columns: slice
    version: int = 0


class Life(Dual):
    """What is known of a Tensor.

    `uses` are the leaves that it was computed from, as they were when it was; `applications` are those behind it, by
    number. The Tensors that it keeps alive are among `operands` and what those keep alive.
    """

    def __init__(self, tensor: Tensor, dual: Dual, requires_grad: bool, leaf: Leaf | None = None) -> None:
        super().__init__(dual.value, dual.slopes)
        self.tensor, self.requires_grad, self.leaf = tensor, requires_grad, leaf
        self.grad: Array | None = None
        self.uses: set[tuple[Leaf, int]] = set()
        self.applications: set[int] = set()
        self.operands: list[Life] = []
        self.ref = weakref.ref(tensor)

    def __repr__(self) -> str:
        return f"<{'leaf' if self.leaf else 'result'} of shape {self.value.shape}>"

    @property
    def seen(self) -> set[tuple[Leaf, int]]:
        """What a result of this uses of leaves."""
        return {(self.leaf, self.leaf.version)} if self.leaf else self.uses

    @property
    def changed(self) -> bool:
        return any(leaf.version != version for leaf, version in self.uses)

    def keeps(self, freed: set[int]) -> set[Life]:
        """Whom this keeps alive, at most."""
        found, frontier = {self}, [self]
        while frontier:
            life = frontier.pop()
            if not life.applications or max(life.applications) not in freed:
                frontier += set(life.operands) - found
                found.update(life.operands)
        return found


def add(a: Dual, b: Dual) -> Dual:
    return Dual(a.value + b.value, a.slopes + b.slopes)


def multiply(a: Dual, b: Dual) -> Dual:
    return Dual(a.value * b.value, a.value[..., None] * b.slopes + b.value[..., None] * a.slopes)


def sin(a: Dual) -> Dual:
    return Dual(np.sin(a.value), np.cos(a.value)[..., None] * a.slopes)


def slope(a: Dual, b: Dual) -> Dual:
    if np.broadcast_shapes(a.value.shape, b.value.shape) != a.value.shape:
        raise ValueError("the slope is a sum")
    return multiply(Dual(np.cos(a.value), -np.sin(a.value)[..., None] * a.slopes), b)


def assign(a: Dual, b: Dual) -> Dual:
    a = Dual(a.value.copy(), a.slopes.copy())
    a.value[row(a)], a.slopes[row(a)] = b.value, b.slopes
    return a


def row(x: Any) -> Any:
    return 0 if np.ndim(getattr(x, "value", x)) else ...


def arranged(f: Callable[..., Array]) -> Callable[..., Dual]:
    """Make the model of what only moves and adds entries, from what it does to arrays that may have an axis more."""
    return lambda *duals: Dual(f(*[a.value for a in duals]), f(*[a.slopes for a in duals], ENTRIES))


def entries(x: Array, *rest: int) -> Array:
    return x.reshape(-1, *rest)


# An operation is what the engine does to Tensors, and what the model does.
UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[Dual], Dual]]] = {
    "sin": (ag.sin, sin),
    "weighted": (lambda t: t * W, lambda a: multiply(a, Dual(W, np.zeros((3, 1))))),
    "sum": (ag.sum, arranged(lambda x, *n: entries(x, *n).sum(0))),
    "spread": (lambda t: ag.broadcast_to(t, SHAPE), arranged(lambda x, *n: np.broadcast_to(x, (*SHAPE, *n)))),
    "view": (lambda t: ag.reshape(t, (1, -1))[:, :3], arranged(lambda x, *n: x.reshape(1, -1, *n)[:, :3])),
    "repeated": (lambda t: ag.ravel(t)[[0, -1, 0]], arranged(lambda x, *n: entries(x, *n)[[0, -1, 0]])),
    "mirror": (mirror, lambda a: Dual(a.value, -a.slopes)),
}
BINARY: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Dual, Dual], Dual]]] = {
    "add": (operator.add, add),
    "multiply": (operator.mul, multiply),
    "where": (
        lambda t, u: ag.where(MASK, t, u),
        arranged(lambda x, y, *n: np.where(MASK.reshape(3, *[1 for _ in n]), x, y)),
    ),
    "joined": (lambda t, u: ag.concatenate([t, u])[:2], arranged(lambda x, y, *n: np.concatenate([x, y])[:2])),
    "checkpoint": (ag.checkpoint(lambda t, u: ag.sin(t * u)), lambda a, b: sin(multiply(a, b))),
    "slope": (lambda t, u: ag.grad(lambda x: ag.sum(ag.sin(x) * u))(t), slope),
}
UPDATES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Dual, Dual], Dual]]] = {
    "iadd": (operator.iadd, add),
    "imul": (operator.imul, multiply),
    "setitem": (lambda t, u: operator.setitem(t, row(t), u), assign),
}


# ---- the machine -----------------------------------------------------------------------------------


def grid(shape: tuple[int, ...], n: int) -> Array:
    """Give small numbers, all different, that start somewhere."""
    return ((np.arange(np.prod(shape, dtype=int)) * 5 + n) % 17 - 8).reshape(shape) / 4


def same(found: Any, wanted: Array) -> None:
    assert np.shape(found) == wanted.shape, f"{found} is not {wanted}"
    error = np.abs(found - wanted).max(initial=0)
    assert error <= 1e-9 * (1 + np.abs(wanted).max(initial=0)), f"{found} is not {wanted}"


LIVES = 6  # so few that much is done to each
WHICH, RARELY = st.integers(0, LIVES - 1), st.sampled_from([False, False, False, True])
SOME = st.lists(WHICH, min_size=1, max_size=3, unique=True)
NUMBERS = st.integers(0, 16)
WEIGHTED = {  # how often an act is done, and what it takes
    "create": (1, st.sampled_from([(), (3,), (2, 1), SHAPE]), NUMBERS, RARELY),
    "compute": (4, st.sampled_from(list(UNARY)), WHICH, RARELY),
    "combine": (6, st.sampled_from(list(BINARY)), WHICH, WHICH, RARELY),
    "update": (4, st.sampled_from(list(UPDATES)), WHICH, WHICH),
    "backward": (5, WHICH, RARELY, RARELY),
    "change": (3, WHICH, st.sampled_from(["in place", "in place", "assign", "freeze or thaw"]), NUMBERS),
    "clip": (2, RARELY),
    "copy": (3, WHICH, st.sampled_from(["copy", "copy a leaf", "detach"])),
    "copy_together": (1, SOME, st.booleans()),
    "differentiate": (1, WHICH, RARELY),
    "block": (2, st.sampled_from(["leave", "no_grad", "scope", "leave"])),
    "optimize": (1, SOME, RARELY, RARELY),
    "drop": (1, WHICH),
}
ACTS = st.one_of([st.tuples(st.just(act), *takes) for act, (n, *takes) in WEIGHTED.items() for _ in range(n)])


class Lives(RuleBasedStateMachine):
    """Tensors are named by how many are younger: 0 is the last that was made.

    There is one rule, and not one an act, for Hypothesis leaves out half of the rules in each example, and most of what
    can go wrong takes several acts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[Life] = []  # youngest first
        self.dropped: list[Life] = []
        self.optimizers: list[tuple[ag.optim.SGD, list[Life]]] = []
        self.updated: set[Life] = set()
        self.circular: list[Life] = []  # in a cycle perhaps, which decision 14 leaves to the garbage collector
        self.freed: set[int] = set()
        self.doubtful: set[int] = set()  # perhaps freed, by a sweep that raised on its way
        self.numbers = count(1)
        self.column = 0
        self.blocks: list[Any] = []
        self.recording = True
        self.labels: list[str] = []
        self.pool = ThreadPoolExecutor(1)
        gc.disable()
        self.create((3,), 0, False)

    def teardown(self) -> None:
        while self.blocks:
            self.block("leave")
        self.pool.shutdown()
        gc.enable()

    def tried(self, f: Callable[[], Any], thread: bool = False) -> tuple[Any, str]:
        """Give what a call gives, in another thread if wanted, and what its error says."""
        try:
            return self.pool.submit(f).result() if thread else f(), ""
        except (RuntimeError, TypeError, ValueError) as error:
            return None, str(error)

    def done(self, f: Callable[[], Any], thread: bool = False) -> Any:
        found, error = self.tried(f, thread)
        assert not error, error
        return found

    # -- what becomes of Tensors

    def __getitem__(self, i: int) -> Life:
        return self.alive[i % len(self.alive)]

    def one(self, i: int, better: list[Life]) -> Life:
        """Choose among those with which more happens, if there are any."""
        return better[i % len(better)] if better else self[i]

    def enters(self, life: Life) -> Life:
        self.alive.insert(0, life)
        return life

    def born(self, tensor: Tensor, value: Array, requires_grad: bool, grad: Array | None = None) -> Life:
        """Add a leaf."""
        value = np.array(value)
        slopes = np.zeros((value.size, ENTRIES))
        leaf = Leaf(slice(self.column, self.column + value.size))
        self.column += value.size
        slopes[:, leaf.columns] = np.eye(value.size)
        life = Life(tensor, Dual(value, slopes.reshape(*value.shape, ENTRIES)), requires_grad, leaf)
        life.grad = None if grad is None else grad.copy()
        return self.enters(life)

    def computed(self, tensor: Tensor, dual: Dual, operands: Sequence[Life], thread: bool) -> None:
        """Add a result, or the constant that it is where nothing is recorded."""
        if not (thread or self.recording) or not any(x.requires_grad for x in operands):
            self.born(tensor, self.settled(tensor, dual, operands), False)
            return
        life = self.enters(Life(tensor, dual, True))
        life.uses = set().union(*[x.seen for x in operands])
        life.applications = {next(self.numbers)}.union(*[x.applications for x in operands])
        life.operands = list(operands)
        assert [label for label, _ in tensor.scopes] == ([] if thread else self.labels)

    def copied(self, tensor: Tensor, a: Life, slopes: Array) -> Life:
        """Add a result with applications of its own, except for those that were freed."""
        life = self.enters(Life(tensor, Dual(self.settled(tensor, a, [a]), slopes), True))
        life.applications = a.applications & self.freed
        if a.applications & self.doubtful:
            life.applications.add(number := next(self.numbers))
            self.doubtful.add(number)
        life.applications.add(next(self.numbers))
        return life

    def settled(self, tensor: Tensor, dual: Dual, operands: Iterable[Life]) -> Array:
        """Give the value, which may be anything where an operand was computed from data that changed since."""
        return np.array(tensor.data) if any(x.changed for x in operands) else dual.value

    def moved(self, a: Life, value: Array) -> None:
        """Change the data of a leaf."""
        assert a.leaf
        a.value = np.asarray(value)
        a.leaf.version += 1

    def modelled(self, model: Callable[..., Dual], *operands: Life) -> Dual | None:
        """Give what comes out, unless the shapes do not go together or it is too large to go on with."""
        try:
            dual = model(*operands)
            np.broadcast_to(dual.value, SHAPE)
        except ValueError:
            return None
        small = np.abs(dual.value).max(initial=0) < 100 and np.abs(dual.slopes).max(initial=0) < 1e4
        return dual if small else None

    def expect(self, error: str, lives: Iterable[Life], changed: str, freed: str) -> None:
        """Check what is said where `lives` are gone through."""
        answers = {changed for life in lives if life.changed}
        answers |= {freed for life in lives if life.applications & self.freed}
        if any(life.applications & self.doubtful for life in lives):
            answers |= {freed} if answers else {"", freed}
        assert any(answer in error if answer else not error for answer in answers or {""}), error or answers

    # -- acts

    @rule(act=ACTS)
    def live(self, act: tuple[Any, ...]) -> None:
        getattr(self, act[0])(*act[1:])

    def create(self, shape: tuple[int, ...], n: int, frozen: bool) -> None:
        self.born(Tensor(grid(shape, n), not frozen), grid(shape, n), not frozen)

    def compute(self, name: str, i: int, thread: bool) -> None:
        (f, model), a = UNARY[name], self[i]
        if dual := self.modelled(model, a):
            self.computed(self.done(lambda: f(a.tensor), thread), dual, [a], thread)

    def combine(self, name: str, i: int, j: int, thread: bool) -> None:
        (f, model), a, b = BINARY[name], self[i], self[j]
        if name in ("checkpoint", "slope") and not (a.requires_grad and b.requires_grad):
            return  # what is frozen in these remains so when it thaws
        if dual := self.modelled(model, a, b):
            self.computed(self.done(lambda: f(a.tensor, b.tensor), thread), dual, [a, b], thread)

    def update(self, name: str, i: int, j: int) -> None:
        (f, model), b = UPDATES[name], self[j]
        a = self.one(i, [a for a in self.alive if not (a.leaf and a.requires_grad)])  # which would refuse
        if not (dual := self.modelled(model, a, b)):
            return
        error = self.tried(lambda: f(a.tensor, b.tensor))[1]
        if self.recording and a.leaf and a.requires_grad:
            assert "cannot be updated in place" in error
        elif dual.value.shape != a.value.shape:
            assert "keeps the shape" in error
        elif not self.recording and not a.leaf:
            assert "is the result of" in error
        else:
            assert not error, error
            if not self.recording or not (a.requires_grad or b.requires_grad):
                self.moved(a, self.settled(a.tensor, dual, [a, b]))
                return
            kept = b.keeps(self.freed)
            self.circular += [a] if a in kept and kept & self.updated else []
            self.updated.add(a)
            a.uses = a.seen | b.seen
            a.applications = {next(self.numbers)} | a.applications | b.applications
            a.operands.append(b)
            a.value, a.slopes, a.leaf, a.grad, a.requires_grad = dual.value, dual.slopes, None, None, True

    def differentiate(self, i: int, thread: bool) -> None:
        x, inside = self[i].value, []

        def f(x: Tensor) -> Tensor:
            inside.extend(map(weakref.ref, (x, y := x * x)))
            return ag.sum(y * x)

        same(self.done(lambda: ag.grad(f)(x), thread), 3 * x**2)
        assert [ref() for ref in inside] == [None, None]

    def backward(self, i: int, free: bool, thread: bool) -> None:
        a = self.one(i, [a for a in self.alive if not a.leaf])
        seed = grid(a.value.shape, 3) if a.value.size > 1 else None
        error = self.tried(lambda: a.tensor.backward(seed, retain_graph=not free), thread)[1]
        if not a.requires_grad:
            assert "depends on nothing differentiable" in error
            return
        self.expect(error, [a], CHANGED, FREED)
        if free:
            (self.doubtful if error else self.freed).update(a.applications)
        if error:
            return
        slopes = np.tensordot(np.ones(a.value.shape) if seed is None else seed, a.slopes, a.value.ndim)
        held = {life for _, lives in self.optimizers for life in lives}
        for life in held.union(self.alive):
            if life.leaf and life.requires_grad and any(life.leaf is leaf for leaf, _ in a.seen):
                found = slopes[life.leaf.columns].reshape(life.value.shape)
                life.grad = found if life.grad is None else life.grad + found

    def clip(self, forget: bool) -> None:
        for a in self.alive:
            if forget:
                a.tensor.grad = a.grad = None
            elif a.grad is not None:
                a.tensor.grad *= 0.5
                a.grad = a.grad * 0.5

    def change(self, i: int, how: str, n: int) -> None:
        a = self.one(i, [a for a in self.alive if a.leaf])
        if how == "freeze or thaw":
            if a.leaf:
                a.tensor.requires_grad = a.requires_grad = not a.requires_grad
            return
        value = grid(a.value.shape, n) if how == "assign" else a.value - 0.5

        def act() -> None:
            if how == "assign":
                a.tensor.data = value
            else:
                a.tensor.data -= 0.5

        error = self.tried(act)[1]
        if a.leaf:
            assert not error, error
            self.moved(a, value)
        else:
            assert "read-only" in error or "belie its gradient" in error

    def copy(self, i: int, how: str) -> None:
        a = self.one(i, [a for a in self.alive if a.grad is not None and how == "copy a leaf"])
        if how == "detach":
            self.born(a.tensor.detach(), self.settled(a.tensor, a, [a]), False)
            return
        twin, error = self.tried(lambda: copy.copy(a.tensor))
        if a.leaf:
            self.born(twin, a.value, a.requires_grad, a.grad)
            return
        self.expect(error, [a], COPIED, "")
        if not error:
            life = self.copied(twin, a, a.slopes)
            life.uses = set(a.uses)
            life.operands = list(a.keeps(self.freed) - {a})

    def copy_together(self, some: list[int], pickled: bool) -> None:
        lives = list({self[i]: None for i in some})
        tensors = [a.tensor for a in lives]
        twins, error = self.tried(lambda: pickle.loads(pickle.dumps(tensors)) if pickled else copy.deepcopy(tensors))
        self.expect(error, lives, COPIED, "")
        if error:
            return
        pairs = list(zip(lives, twins, strict=True))
        own = {a.leaf: self.born(twin, a.value, a.requires_grad, a.grad) for a, twin in pairs if a.leaf}
        results = [(a, self.copied(twin, a, np.zeros_like(a.slopes))) for a, twin in pairs if not a.leaf]
        for a, life in results:
            life.operands = [*own.values(), *[life for _, life in results]]  # what was freed is shared
            for leaf in own.keys() & {leaf for leaf, _ in a.uses}:
                life.slopes[..., own[leaf].leaf.columns] = a.slopes[..., leaf.columns]
                life.uses |= own[leaf].seen

    def block(self, what: str) -> None:
        if what != "leave" and len(self.blocks) < 3:
            self.blocks.append((ag.no_grad() if what == "no_grad" else ag.scope("of"), self.recording, self.labels))
            self.blocks[-1][0].__enter__()
            self.recording = self.recording and what == "scope"
            self.labels = self.labels + ["of"] * (what == "scope")
        elif self.blocks:
            block, self.recording, self.labels = self.blocks.pop()
            block.__exit__(None, None, None)

    def optimize(self, some: list[int], new: bool, forget: bool) -> None:
        if new or not self.optimizers:
            lives = list({self[i]: None for i in some})
            lives = [a for a in lives if a.leaf] or lives
            optimizer, error = self.tried(lambda: ag.optim.SGD([a.tensor for a in lives], lr=1 / 16))
            if not all(a.leaf for a in lives):
                assert "an optimiser moves leaf Tensors" in error
                return
            self.optimizers.append((optimizer, lives))
        optimizer, lives = self.optimizers[0]
        self.optimizers = [*self.optimizers[1:], self.optimizers[0]][:2]
        self.done(optimizer.step)
        for life in lives:
            if life.leaf and life.requires_grad and life.grad is not None:
                self.moved(life, life.value - life.grad / 16)
        if forget:
            optimizer.zero_grad()
            for life in lives:
                life.grad = None

    def drop(self, i: int) -> None:
        if len(self.alive) > 1:
            self.dropped.append(self.alive.pop(i % len(self.alive)))
            self.dropped[-1].tensor = None

    @invariant()
    def the_oldest_go(self) -> None:
        while len(self.alive) > LIVES:
            self.drop(LIVES)

    # -- what always holds

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        assert core.is_recording() is self.recording
        for life in self.alive:
            assert life.tensor.requires_grad is life.requires_grad
            assert (life.tensor.op is None) is (life.leaf is not None)
            if not life.changed:
                same(life.tensor.data, life.value)
            if life.grad is None:
                assert life.tensor.grad is None
            else:
                same(life.tensor.grad, life.grad)

    @invariant()
    def what_nothing_needs_is_gone(self) -> None:
        held = [life for _, lives in self.optimizers for life in lives]
        kept = set().union(*[life.keeps(self.freed) for life in (*self.alive, *held, *self.circular)])
        for life in self.dropped:
            assert life in kept or life.ref() is None, f"{life} is alive and nothing needs it"
        self.dropped = [life for life in self.dropped if life.ref() is not None]


def test_lives() -> None:
    run_state_machine_as_test(Lives, settings=settings(max_examples=150, stateful_step_count=50))


FAULTS: list[tuple[str, FunctionType, str, str]] = [
    ("gradients are not added up", Tensor.backward, "node.grad + ct", "ct"),
    ("cotangents are not added up", core.sweep, "cotangents[x] + g", "g"),
    ("broadcasting is not undone", core.fit, "if ct.shape != shape:", "if False:"),
    ("a frozen leaf has a gradient", core.sweep, "not x.requires_grad or ", ""),
    ("nothing is freed", core.sweep, "if free:", "if False:"),
    ("a freed graph gives no gradient", core.sweep, "raise _freed(node)", "continue"),
    ("assigned data are not younger", Tensor.data.fset, "self.age = next(clock)", "pass"),
    ("data that a step moved are not younger", Block.gather, "p.age = tick", "pass"),
    ("changed data are not noticed", core._unchanged, "x.age > node.age", "False"),
    ("changed data are copied", Tensor.__reduce__, "x.age > node.age", "False"),
    ("the older self is forgotten", Tensor._update, "since=old.age)", "since=old.age); self.marks = ()"),
    ("a constant is updated unnoticed", Tensor._update, "self.data = new.value", "self.value = new.value"),
    ("a constant is a view", core.result, "own = node.value.base is None", "own = True"),
    ("a copy shares its gradient", tensor._leaf, "grad.copy()", "grad"),
    ("no_grad records", core.result, "not special or _mode.recording", "True"),
    ("no_grad is for all threads", core.result, "not special or _mode.recording", "not special"),
    ("a slope cannot be differentiated", _Run.given, "x if isinstance(x, Node) else ", ""),
]


@pytest.mark.parametrize(("f", "right", "wrong"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_a_fault_in_the_engine_is_found(
    f: FunctionType, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = textwrap.dedent(inspect.getsource(f))
    source = source[source.index("def ") :]  # without decorators
    assert source.count(right) == 1
    made: dict[str, Any] = {}
    exec(source.replace(right, wrong), made)
    monkeypatch.setattr(f, "__code__", made[f.__name__].__code__)
    quick = settings(max_examples=500, stateful_step_count=50, database=None, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Lives, settings=quick)
