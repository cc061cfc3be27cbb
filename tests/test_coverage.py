"""Every function of NumPy is in one class, and does with a Tensor what its class says."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor, numpy_protocol
from autograd_mini.numpy_protocol import ANSWERS, LEAVES, OTHERS, REASONS, REFUSED, named
from autograd_mini.ops.namesake import namesake

from .coverage import CLASSES, public, unclassified
from .operations import ROWS, samples

V, M = np.array([1.375, -2.625, 3.875]), 4 * np.eye(3) + np.arange(9.0).reshape(3, 3) / 8
by_name = numpy_protocol._name
OF_ITSELF = set(named(next(names for names in OTHERS if "seterr" in names)))


def results(x: Any) -> list[Any]:
    """The parts of a result."""
    return [part for y in x for part in results(y)] if isinstance(x, (tuple, list)) else [x]


# -- the classes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("namespace", [np, np.linalg], ids=lambda namespace: namespace.__name__)
def test_every_function_of_numpy_is_in_one_class(namespace: Any) -> None:
    assert unclassified(namespace) == []


def test_a_function_in_no_class_or_in_two_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = SimpleNamespace(sum=np.sum, floor=np.floor, fresh=lambda x: x, _private=len, Class=int, constant=1.0)
    assert unclassified(newer) == ["fresh"]
    monkeypatch.setitem(CLASSES, "refused", CLASSES["refused"] | {np.sum})
    assert unclassified(newer) == ["fresh", "sum"]


def test_the_names_of_the_table_are_numpys() -> None:
    names = " ".join([LEAVES, *REFUSED, *OTHERS]).split()
    assert len(names) == len(set(names))
    assert {name for name in names if not named(name)} <= {"in1d"}  # which NumPy 2.4 has no longer


# -- differentiable ------------------------------------------------------------------------------------


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """The functions of NumPy that have answered with a Tensor to be differentiated."""
    found = set()

    class Noting(dict[Any, Any]):
        def __getitem__(self, theirs: Any) -> Any:
            ours = super().__getitem__(theirs)

            @functools.wraps(ours)
            def noted(*args: Any, **kwargs: Any) -> Any:
                y = ours(*args, **kwargs)
                if any(isinstance(part, Tensor) and part.requires_grad for part in results(y)):
                    found.add(theirs)
                return y

            return noted

    monkeypatch.setattr(numpy_protocol, "ANSWERS", Noting(ANSWERS))
    return found


def test_defaults_are_numpys() -> None:
    compared, other = 0, set()
    for theirs, ours in ANSWERS.items():
        if isinstance(theirs, np.ufunc):  # whose signature has no names
            continue
        parameters = inspect.signature(theirs).parameters
        for name, parameter in inspect.signature(ours).parameters.items():
            if parameter.default is parameter.empty or name not in parameters:
                continue
            default = parameters[name].default
            if default is np._NoValue:
                default = {"keepdims": False, "axis": -1}.get(name)
            compared += 1
            if parameter.default is not default and parameter.default != default:
                other.add((by_name(theirs), name))
    assert compared > 150
    assert other == {("np.linalg.cross", "axis")}  # ours is None, which leaves it to axisa and axisb: -1 too


# By another name than ours.
ALIASES = "amax amin conjugate real real_if_close row_stack trapz"


def test_every_differentiable_function_is_the_reference_of_a_row(answered: set[Any]) -> None:
    for row in ROWS:
        for case in samples(row)[:4]:
            with np.errstate(all="ignore"):
                row.reference(*case.operands([Tensor(x) for x in case.bases]), **case.params)
    assert answered - CLASSES["differentiable"] == set()
    left = CLASSES["differentiable"] - answered - set(named(ALIASES))
    assert sorted(map(by_name, left)) == []


@pytest.mark.parametrize("theirs", named(ALIASES), ids=by_name)
def test_another_name_for_a_function_is_differentiable(theirs: Callable[..., Any]) -> None:
    t = Tensor(V)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        y, wanted = theirs(t), theirs(V)
    np.testing.assert_array_equal(y.data, wanted)
    y.sum().backward()
    assert t.grad.any()


def test_a_namesake_has_numpys_name_and_words_or_its_own() -> None:
    for name in ("add", "divide", "reciprocal", "positive"):
        ours = getattr(ag, name)
        assert (ours.__name__, ours.__qualname__) == (name, name)
        assert ours.__doc__ == f"``numpy.{name}``, of Tensors too."
    assert ag.nancumsum.__doc__.startswith("Add up the entries")
    assert ag.nancumsum(x=Tensor(V)).requires_grad  # which NumPy calls `a`


def test_what_numpy_does_not_have_yet_answers_for_arrays_itself() -> None:
    @namesake(None)
    def newer(x: Any) -> Any:
        """Double."""
        return 2 * x

    assert newer(3) == 6
    assert (newer.__name__, newer.__doc__) == ("newer", "Double.")


# -- leaves the graph, refused, or nothing to differentiate ----------------------------------------------

CALLS: list[Callable[[Any, Any], tuple[Any, ...]]] = [
    lambda v, m: (v,),
    lambda v, m: (v, v),
    lambda v, m: (v, 2),
    lambda v, m: (m,),
    lambda v, m: ((v, v),),
    lambda v, m: (v, [0.5, 1.5]),
    lambda v, m: (v, float),
    lambda v, m: ("i,i", v, v),
    lambda v, m: (V.copy(), v),
    lambda v, m: (V.copy(), [0, 1, 2], v),
    lambda v, m: (V.copy(), [0, 1, 2], v, 0),
    lambda v, m: (np.sum, v, 0),
]


def outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """What a call gives, or the error that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args)
        except Exception as error:
            return error


@pytest.mark.parametrize("function", sorted(CLASSES["leaves the graph"], key=by_name), ids=by_name)
def test_what_leaves_the_graph_is_plain(function: Callable[..., Any]) -> None:
    compared = 0
    for call in CALLS[:8]:
        v, m = V.copy(), M.copy()
        theirs = outcome(function, call(v, m))
        if isinstance(theirs, Exception) or not np.array_equal(v, V):  # refused, or written into
            continue
        if any(isinstance(part, np.ndarray) and part.dtype == object for part in results(theirs)):  # of a type
            continue
        ours = outcome(function, call(Tensor(V), Tensor(M)))
        if call is CALLS[4] and isinstance(ours, TypeError):  # NumPy does not look for Tensors in every tuple
            continue
        assert type(ours) is type(theirs)
        for x, y in zip(results(ours), results(theirs), strict=True):
            assert not isinstance(x, Tensor)
            if isinstance(y, np.ndarray):
                assert (x.shape, x.dtype) == (y.shape, y.dtype)
                assert x.dtype != object
            if function is not np.empty_like:
                np.testing.assert_array_equal(x, y)
        compared += 1
    assert compared


@pytest.mark.parametrize("function", sorted(CLASSES["refused"], key=by_name), ids=by_name)
def test_what_is_refused_says_what_to_do(function: Callable[..., Any]) -> None:
    errors = [outcome(function, call(Tensor(V), Tensor(M))) for call in CALLS]
    assert all(isinstance(error, Exception) for error in errors[:7])
    told = [str(error) for error in errors if isinstance(error, TypeError) and REASONS[function] in str(error)]
    assert told
    assert all(f"{function.__name__} takes no Tensor: " in text and text.endswith("pass t.data") for text in told)


@pytest.mark.parametrize(
    "function", sorted(CLASSES["nothing to differentiate"] - OF_ITSELF - {np.fromiter}, key=by_name), ids=by_name
)
def test_where_nothing_is_differentiated_nothing_is_lost(
    function: Callable[..., Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    v, s = Tensor(V), Tensor(V[0])
    for args in [(v,), (s,), (v, v), ([v, v],), ([s, s],), (3, v), (3, s), ((3,), s), (V, v), (np.sum, v), ("x", v)]:
        for y in results(outcome(function, args)):
            if isinstance(y, (np.ndarray, np.number)):
                assert y.dtype != object
                assert args[0] is V or function is np.empty or not np.isin(y, V).any()
    assert not any(path.stat().st_size > 0 and np.load(path).size for path in tmp_path.glob("*.npy"))


def test_plain_answers_do_not_write_into_a_tensor() -> None:
    t = Tensor(V)
    for write in (
        lambda: np.floor(V, out=t),
        lambda: np.floor.at(t, [0]),
        lambda: np.round(V, 0, t),
        lambda: np.all(t, None, t),
    ):
        with pytest.raises((TypeError, ValueError)):
            write()
    np.testing.assert_array_equal(t.data, V)


# -- what reaches a Tensor by other ways ---------------------------------------------------------------

ASSIGNED = np.zeros(3)


@pytest.mark.parametrize(
    "call",
    [
        lambda v, s: np.vectorize(lambda x: x)(v),
        lambda v, s: np.frompyfunc(lambda x: x, 1, 1)(v),
        lambda v, s: np.vectorize(lambda x: x * s)(V),
        lambda v, s: np.apply_along_axis(lambda x: x * s, 0, V),
        lambda v, s: np.piecewise(V, [V > 0], [s]),
        lambda v, s: np.select([V > 0], [V], s),
        lambda v, s: np.full_like(V, s),
        lambda v, s: np.pad(V, 1, constant_values=s),
        lambda v, s: np.nan_to_num(V, nan=s),
        lambda v, s: np.fill_diagonal(np.eye(3), s),
        lambda v, s: np.r_[v, v],
        lambda v, s: np.c_[v, v],
        lambda v, s: np.matrix(v),
        lambda v, s: np.nditer(v),
        lambda v, s: np.broadcast(v, v),
        lambda v, s: np.ma.array(v),
        lambda v, s: np.array([v, s], dtype=object),
        lambda v, s: np.array(s, dtype=object),
        lambda v, s: np.asarray(v, copy=False),
        lambda v, s: np.zeros(3, like=v),
        lambda v, s: np.asarray([1.0], like=v),
        lambda v, s: np.lib.stride_tricks.sliding_window_view(v, 2),
        lambda v, s: np.fft.fft(v),
        lambda v, s: V.dot(v),
        lambda v, s: V.clip(s, 3),
        lambda v, s: ASSIGNED.__setitem__(slice(None), v),
        lambda v, s: ASSIGNED.__setitem__([0], s),
        lambda v, s: np.add.at(ASSIGNED, [0], s),
        lambda v, s: np.add.reduceat(v, [0]),
    ],
)
def test_no_way_round_the_protocol_detaches(call: Callable[..., Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of np.matrix
        with pytest.raises(TypeError):
            call(Tensor(V), Tensor(V[0]))
    assert not ASSIGNED.any()


def test_a_number_is_asked_for_as_by_float() -> None:
    def assign(t: Any) -> Any:
        a = np.zeros(1)
        a[0] = t
        return a[0]

    for ask in (
        assign,
        lambda t: np.fromiter([t], float)[0],
        lambda t: np.sum([0.0], initial=t),
        lambda t: np.interp([0.0], [1.0, 2.0], [3.0, 4.0], left=t)[0],
        lambda t: float(t),
    ):
        with pytest.raises((TypeError, ValueError)) as raised:
            ask(Tensor(2.5))
        assert "gradient would be lost" in str(raised.value.__cause__ or raised.value)
        assert ask(Tensor(2.5, requires_grad=False)) == 2.5
        with ag.no_grad():
            assert ask(Tensor(2.5)) == 2.5


def test_namespaces_hold_functions() -> None:
    assert len(public(np)) > 300
    assert "ndarray" not in public(np)
