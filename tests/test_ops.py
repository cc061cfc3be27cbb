"""Every operation, at drawn operands, against central differences and against NumPy."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.lib.mixins import NDArrayOperatorsMixin

import autograd_mini as ag
from autograd_mini import Tensor, core
from autograd_mini.numpy_protocol import plain
from autograd_mini.ops import scans
from autograd_mini.testing import GradientError, gradcheck

from .operations import ROWS, Case, Row, activations, elementwise, primitives, reached, samples
from .operations.table import matrices

# The same cases on every machine, whatever profile is loaded.
settings.register_profile(
    "operations",
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
drawn = settings(settings.get_profile("operations"))
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
X = np.arange(9.0).reshape(3, 3)
FLOATS = [np.float16, np.float32, np.float64]
INTEGERS = [np.int64, np.int8, np.uint8, np.bool_]
TOLERANCES = {np.dtype(np.float16): 2e-2, np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}


def close(x: Any, y: Any, dtype: Any) -> None:
    """Equal within what the dtype can hold, of the largest entry."""
    tolerance = TOLERANCES[np.dtype(dtype)] * np.max(np.abs(y), initial=1)
    np.testing.assert_allclose(np.asarray(x, np.float64), np.asarray(y, np.float64), rtol=0, atol=tolerance)


def same(x: Any, y: Any) -> None:
    np.testing.assert_array_equal(x, y, strict=True)


def cotangent(y: Any) -> Any:
    """Some array of the shape and dtype of `y`, the same in every dtype."""
    return ((np.arange(y.size) * 5 % 7 - 3) / 4).reshape(y.shape).astype(y.dtype)[()]


# -- derivatives ---------------------------------------------------------------------------------------


@every_row
@drawn
@given(st.data())
def test_rules_agree_with_central_differences_twice(row: Row, data: st.DataObject) -> None:
    case = data.draw(row.cases)
    gradcheck(row(case), *case.bases, order=2, directions=1)


@pytest.mark.parametrize("row", [*elementwise.ROWS, *activations.ROWS], ids=lambda row: row.name)
@drawn
@given(st.data())
def test_elementwise_rules_agree_with_central_differences_a_third_time(row: Row, data: st.DataObject) -> None:
    case = data.draw(row.cases)
    gradcheck(row(case), *case.bases, order=3, modes=("vjp",), directions=1)


@pytest.mark.parametrize("ranks", [(p, q) for p in range(1, 5) for q in range(1, 5)])
@drawn
@given(st.data())
def test_matmul_of_every_pair_of_ranks(ranks: tuple[int, int], data: st.DataObject) -> None:
    case = data.draw(matrices(ranks))
    row = next(row for row in ROWS if row.name == "matmul")
    same(row(case)(*map(Tensor, case.bases)).data, np.matmul(*case.operands())[()])
    gradcheck(row(case), *case.bases, order=2, directions=1)


@every_row
@drawn
@given(st.data())
def test_gradients_have_the_shape_and_dtype_of_their_leaf(row: Row, data: st.DataObject) -> None:
    case = data.draw(row.cases)
    dtypes = [data.draw(st.sampled_from(FLOATS if row.halves else FLOATS[1:])) for _ in case.bases]
    # a leaf, a frozen Tensor, or an array; at least one leaf
    roles = [data.draw(st.sampled_from(["leaf", "leaf", "frozen", "array"])) for _ in case.bases]
    roles[data.draw(st.integers(0, len(roles) - 1))] = "leaf"
    arrays = [x.astype(dtype)[()] for x, dtype in zip(case.bases, dtypes, strict=True)]
    operands = [x if role == "array" else Tensor(x, role == "leaf") for x, role in zip(arrays, roles, strict=True)]
    leaves = [x for x, role in zip(operands, roles, strict=True) if role == "leaf"]
    f = row(case)

    y = f(*operands)
    assert isinstance(y, Tensor)
    value = f(*arrays)
    assert type(y.data) is (np.ndarray if y.shape else y.dtype.type)
    same(y.data, np.asarray(value)[()])
    y.backward(cotangent(y))

    wide = [Tensor(x) for x in case.bases]
    z = f(*wide)
    z.backward(cotangent(z))
    lowest = min([*(x.dtype for x in arrays), y.dtype], key=lambda dtype: dtype.itemsize)
    for x, exact in zip(operands, wide, strict=True):
        if not isinstance(x, Tensor) or not x.requires_grad:
            assert not isinstance(x, Tensor) or x.grad is None
            continue
        assert type(x.grad) is type(x.data)
        assert x.grad.dtype == x.dtype
        assert x.grad.shape == x.shape
        close(x.grad, exact.grad, lowest)

    # the recorded sweep finds the same
    recorded = dict(core.sweep(y, Tensor(cotangent(y)), recorded=True))
    for x in leaves:
        close(plain(recorded[x]), x.grad, x.dtype)
        assert plain(recorded[x]).dtype == x.dtype
        assert type(plain(recorded[x])) is type(x.data)

    # nothing is shared with a gradient, and going back again adds exactly the same
    once = [x.grad for x in leaves]
    for i, grad in enumerate(once):
        others = [*once[:i], *arrays, *(x.data for x in leaves), y.data]
        assert not any(np.may_share_memory(grad, other) and np.shares_memory(grad, other) for other in others)
    y.backward(cotangent(y))
    for x, grad in zip(leaves, once, strict=True):
        same(x.grad, grad + grad)


@every_row
@settings(drawn, max_examples=5)
@given(st.data())
def test_no_rule_drops_digits_of_a_cotangent(row: Row, data: st.DataObject) -> None:
    case = data.draw(row.cases)
    leaves = [Tensor(x) for x in case.bases]
    y = row(case)(*leaves)
    y.backward(cotangent(y))  # of few digits
    once = [x.grad for x in leaves]
    y.backward(cotangent(y) / 3)
    for x, grad in zip(leaves, once, strict=True):
        close(x.grad, grad + grad / 3, y.dtype)


def spoil(x: Any) -> None:
    """Change all that can be changed."""
    for part in x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else ():
        spoil(part)
    if isinstance(x, list):
        x.clear()
    elif isinstance(x, np.ndarray):
        x[...] = 0


KEPT = {"nll", "custom_vjp"}  # a bare primitive, whose ids `nll_loss` copies; and a function without a name to pickle


@pytest.mark.parametrize("row", [row for row in ROWS if row.name not in KEPT], ids=lambda row: row.name)
@settings(drawn, max_examples=5)
@given(st.data())
def test_what_is_recorded_can_be_pickled_and_stays(row: Row, data: st.DataObject) -> None:
    case = data.draw(row.cases)
    params = copy.deepcopy(case.params)
    leaves = [Tensor(x) for x in case.bases]
    y = row.apply(*case.operands(leaves), **params)
    twins, twin = pickle.loads(pickle.dumps((leaves, y)))
    spoil(params)
    for z in (y, twin):
        z.backward(cotangent(z))
    for x, other in zip(leaves, twins, strict=True):
        close(x.grad, other.grad, np.float64)


def test_the_axes_of_a_roll_stay() -> None:
    x, g, axes = Tensor(np.ones((2, 3))), np.arange(6.0).reshape(2, 3), [0]
    y = np.roll(x, 1, axes)
    axes[0] = 1
    y.backward(g)
    same(x.grad, g[::-1])


# -- NumPy ---------------------------------------------------------------------------------------------


def outcome(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a call gives, or the type of what it raises."""
    with np.errstate(all="ignore"):
        try:
            return f(*args, **kwargs)
        except Exception as error:
            return type(error)


def agree(ours: Any, theirs: Any, exact: bool) -> None:
    if isinstance(theirs, type):
        assert ours is theirs
    elif exact:
        same(np.asarray(ours), np.asarray(theirs))
    else:
        assert np.result_type(ours) == np.result_type(theirs)
        close(ours, theirs, np.result_type(theirs))


def cast(x: np.ndarray, dtype: Any) -> np.ndarray:
    kind = np.dtype(dtype).kind
    return x.astype(dtype) if kind == "f" else (4 * x if kind == "i" else np.abs(4 * x)).astype(dtype)


@every_row
@pytest.mark.parametrize("dtypes", [FLOATS, INTEGERS], ids=["floats", "integers"])
@drawn
@given(st.data())
def test_arrays_give_what_numpy_gives(row: Row, dtypes: list[Any], data: st.DataObject) -> None:
    case = data.draw(row.cases)
    arrays = [cast(x, data.draw(st.sampled_from(dtypes))) for x in case.operands()]
    ours = outcome(row.apply, *arrays, **case.params)
    assert not isinstance(ours, core.Node)
    agree(ours, outcome(row.reference, *arrays, **case.params), row.exact)


class Witness(NDArrayOperatorsMixin):
    """Like an array, but it notes what functions of NumPy it meets."""

    def __init__(self, x: np.ndarray, noted: list[str]) -> None:
        self.x, self.noted = x, noted

    def __array_function__(self, function: Any, types: Any, args: Any, params: Any) -> Any:
        return self.met(function.__name__, function, args, params)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **params: Any) -> Any:
        return self.met(f"{ufunc.__name__}.{method}", getattr(ufunc, method), args, params)

    def met(self, name: str, function: Any, args: Any, params: Any) -> Any:
        self.noted.append(name)
        y = function(*bare(args), **bare(params))
        return Witness(y, self.noted) if isinstance(y, np.ndarray) else y

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.x, name)

    def __len__(self) -> int:
        return len(self.x)


def bare(x: Any) -> Any:
    """Put arrays for the witnesses in nested tuples, lists and dicts."""
    if isinstance(x, dict):
        return {name: bare(value) for name, value in x.items()}
    return type(x)(map(bare, x)) if isinstance(x, (list, tuple)) else x.x if isinstance(x, Witness) else x


# Rows whose first way leads elsewhere: to a function of another name, or to a simpler one.
ELSEWHERE = {
    "degrees", "radians", "sum", "prod", "add.accumulate", "multiply.accumulate", "cummax", "cummin", "divide.outer",
    "ravel", "swapaxes", "moveaxis", "rollaxis", "squeeze", "expand_dims", "concatenate", "stack", "set_at", "add_at",
    "linalg.vecdot", "linalg.matmul", "matvec", "vecmat", "mse", "custom_vjp",
}  # fmt: skip


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.exact and row.name not in ELSEWHERE], ids=lambda row: row.name
)
@settings(drawn, max_examples=2)
@given(st.data())
def test_arrays_are_left_to_numpys_own_function(row: Row, data: st.DataObject) -> None:
    case = data.draw(row.cases)

    def asked(function: Callable[..., Any]) -> list[str]:
        noted: list[str] = []
        outcome(function, *(Witness(x, noted) for x in case.operands()), **case.params)
        return noted

    theirs = asked(row.reference)
    assert asked(row.apply)[: len(theirs)] == theirs


@pytest.mark.parametrize("row", [row for row in ROWS if row.lists], ids=lambda row: row.name)
@drawn
@given(st.data())
def test_lists_give_what_numpy_gives(row: Row, data: st.DataObject) -> None:
    case = data.draw(row.cases)
    arrays = case.operands()
    lists = [x.tolist() for x in arrays]
    assume([np.shape(x) for x in lists] == [x.shape for x in arrays])  # a list of no lists has one axis
    theirs = row.reference(*(lists if row.exact else arrays), **case.params)
    agree(row.apply(*lists, **case.params), theirs, row.exact)


# Whole numbers do not swallow the part of a Tensor that they are to hold, as NumPy lets them; NumPy has no custom_vjp.
WIDER = {"ediff1d with ends", "insert", "custom_vjp"}


@pytest.mark.parametrize("row", [row for row in ROWS if row.exact and row.name not in WIDER], ids=lambda row: row.name)
def test_what_stands_beside_a_tensor_is_taken_as_numpy_takes_it(row: Row) -> None:
    kinds = [lambda x, dtype=dtype: cast(x, dtype)[()] for dtype in (np.float16, np.float64, np.int8)]
    if row.lists:
        kinds.append(lambda x: x.tolist() if x.size and x.ndim else x)  # a number is weak
    for case in samples(row):
        for own, kind in itertools.product(range(len(case.bases)), kinds if len(case.bases) > 1 else []):
            operands = [np.float32(x) if i == own else kind(x) for i, x in enumerate(case.operands())]
            theirs = outcome(row.reference, *operands, **case.params)
            operands[own] = Tensor(operands[own])
            ours = outcome(row.apply, *operands, **case.params)
            assert isinstance(ours, type if isinstance(theirs, type) else Tensor)
            if isinstance(ours, Tensor):
                tolerance = TOLERANCES[np.result_type(theirs)]
                assert ours.dtype == np.result_type(theirs)
                np.testing.assert_allclose(ours.data, theirs, rtol=tolerance, atol=tolerance)


@every_row
@drawn
@given(st.data())
def test_numpy_functions_take_tensors(row: Row, data: st.DataObject) -> None:
    case = data.draw(row.cases)
    results = []
    for function in (row.apply, row.reference):
        leaves = [Tensor(x) for x in case.bases]
        y = function(*case.operands(leaves), **case.params)
        assert isinstance(y, Tensor)
        y.backward(cotangent(y))
        results.append([y.data, *(x.grad for x in leaves)])
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        close(ours, theirs, np.float64)


METHODS = ["sum", "mean", "max", "min", "var", "std", "reshape", "ravel", "transpose", "swapaxes", "squeeze"]


@pytest.mark.parametrize("name", METHODS)
@drawn
@given(st.data())
def test_methods_are_the_functions(name: str, data: st.DataObject) -> None:
    row = next(row for row in ROWS if row.name == name)
    case = data.draw(row.cases)
    (x,) = case.operands([Tensor(x) for x in case.bases])
    positional = {"reshape": ["shape"], "transpose": ["axes"], "swapaxes": ["axis1", "axis2"]}.get(name, [])
    params = {key: value for key, value in case.params.items() if key not in positional}
    args = [case.params[key] for key in positional if case.params[key] is not None]
    same(getattr(x, name)(*args, **params).data, row.apply(x, **case.params).data)


@pytest.mark.parametrize(
    "f",
    [
        lambda f, x: f.split(x, [1, 3], 1),
        lambda f, x: f.array_split(x, 2),
        lambda f, x: f.array_split(x, [2, 1, 7]),
        lambda f, x: f.hsplit(x, 2),
        lambda f, x: f.vsplit(x, 3),
        lambda f, x: f.dsplit(x[None], [1, 3]),
        lambda f, x: f.unstack(x, axis=1),
        lambda f, x: f.broadcast_arrays(x, x[:1], x[0]),
        lambda f, x: f.meshgrid(x[0], x[1], x[2, :1]),
        lambda f, x: f.meshgrid(x[0], x[1], sparse=True),
        lambda f, x: f.meshgrid(x[0], x[1], indexing="ij"),
        lambda f, x: f.atleast_1d(x, x[0], x[0, 0]),
        lambda f, x: f.atleast_2d(x, x[0], x[0, 0]),
        lambda f, x: f.atleast_3d(x, x[0], x[0, 0]),
    ],
)
def test_several_results_come_as_numpy_gives_them(f: Callable[..., Any]) -> None:
    x = np.arange(12.0).reshape(3, 4)
    theirs = f(np, x)
    for ours in (f(ag, Tensor(x)), f(np, Tensor(x))):
        assert type(ours) is type(theirs)
        for y, z in zip(ours, theirs, strict=True):
            assert isinstance(y, Tensor)
            same(y.data, z[()])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.split(x, 2),
        lambda x: np.vsplit(x, 1),
        lambda x: np.dsplit(x, 1),
        lambda x: np.moveaxis(x, 0, 1),
        lambda x: np.flip(x, 1),
        lambda x: np.rot90(x),
        lambda x: np.rot90(x[None], 1, (0, 0)),
        lambda x: np.rot90(x[None], 0, (0, 2)),
        lambda x: np.block([[x], x]),
        lambda x: np.hstack([x, np.ones((2, 2))]),
        lambda x: np.diag(x[None, None]),
        lambda x: np.pad(x, -1),
        lambda x: np.pad(x, 1, "linear_ramp"),
        lambda x: np.tile(x, 1.5),
        lambda x: np.take(x, [3]),
        lambda x: np.compress([0, 0, 0, 1], x),
        lambda x: np.choose([2], [x, x]),
        lambda x: np.select([x > 0], [x, x]),
        lambda x: np.select([np.ones(3)], [x]),
        lambda x: np.partition(x, 3),
        lambda x: np.sort(x[0]),
        lambda x: ag.set_at(x, [0, 1], [1, 2, 3]),
        lambda x: ag.add_at(x, 3, 1),
        # what is differentiated says how many or where, and that has no derivative
        lambda x: np.take(x.data, x),
        lambda x: np.repeat(x.data, x),
        lambda x: np.roll(x.data, x),
        lambda x: np.tile(x, x),
        lambda x: np.compress(x, x.data),
        lambda x: np.choose(x, [x, x]),
        lambda x: np.select([x], [x]),
        lambda x: np.array_split(x.data, x),
        lambda x: np.take_along_axis(x.data, x, 0),
        lambda x: np.pad(x, 1, constant_values=x[0]),
        lambda x: ag.set_at(x, x, 1),
    ],
)
def test_what_cannot_be_moved_is_refused(f: Callable[..., Any]) -> None:
    with pytest.raises((ValueError, TypeError, IndexError)):
        f(Tensor([1, 2, 3]))


@pytest.mark.parametrize("mode", ["constant", "edge"])
@pytest.mark.parametrize("widths", [{0: 1, -1: (0, 2)}, {0: 1.5}, {2: 1}, {}], ids=str)
def test_widths_of_padding_by_axis(widths: dict[int, Any], mode: str) -> None:
    x = np.arange(1.0, 7).reshape(2, 3)
    agree(outcome(lambda: np.pad(Tensor(x), widths, mode).data), outcome(np.pad, x, widths, mode), True)


def test_python_numbers_do_not_widen_a_selection() -> None:
    x = Tensor(np.ones(3, np.float32))
    assert np.percentile(x, 30).dtype == np.float32
    assert np.select([x > 1, x > 0], [2.0, x]).dtype == np.float32
    assert np.choose([0, 1, 0], [x, 2.0]).dtype == np.float32
    assert ag.set_at(x, 0, 2.0).dtype == np.float32
    assert ag.set_at(x, 0, np.float64(2)).dtype == np.float64


def test_a_copy_has_memory_of_its_own() -> None:
    x = Tensor([1, 2])
    y = ag.copy(x)
    x.data += np.ones(2)
    same(y.data, np.array([1.0, 2.0]))


def test_resizing_takes_no_more_than_it_gives() -> None:
    n = 10**6  # squared, these would be more than any memory holds
    x = Tensor(np.ones(n))
    np.resize(x, n + 1).sum().backward()
    same(x.grad, np.r_[2.0, np.ones(n - 1)])


def test_axes_that_do_not_fit_are_refused() -> None:
    t = Tensor(np.ones((2, 3)))
    for wrong, message in (
        (lambda: t.transpose(0), "axes don't match"),
        (lambda: np.transpose(t, (0,)), "axes don't match"),
        (lambda: t.transpose(0, 0), "repeated axis in `axes`"),
        (lambda: t.transpose(0, 2), "axes: axis 2 is out of bounds"),
        (lambda: t.swapaxes(0, 2), "axis 2 is out of bounds"),
        (lambda: t.swapaxes(2, 0), "axis 2 is out of bounds"),
        (lambda: np.cross(t, t, axisb=2), "ax[ei]s"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_axes_and_shapes_are_noted_as_tuples() -> None:  # as drawings tell them
    t = Tensor(np.ones((2, 3)))
    for y in (t.T, np.transpose(t), t.transpose([1, -2]), t.swapaxes(0, 1), np.moveaxis(t, 0, 1), np.rollaxis(t, 1)):
        assert y.params == {"axes": (1, 0)}
    for y in (np.expand_dims(t, 0), np.squeeze(t.reshape(1, 2, 1, 3), 2)):
        assert y.params == {"shape": (1, 2, 3), "order": "C"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda t: ag.gelu(t, "erf"), '"none" or "tanh", not \'erf\''),
        (lambda t: ag.diff(t, -1), "n >= 0 times, not -1"),
        (lambda t: ag.cumsum(t[0, 0], 1), "axis 1 is out of bounds"),
        (lambda t: t.reshape(6, order="A"), "'C' or 'F', not 'A'"),
        (lambda t: np.diag(t[None]), r"a vector or a matrix, not shape \(1, 2, 3\): use diagflat or diagonal"),
        (lambda t: np.trim_zeros(t[0], "front"), "trim"),
        (lambda t: ag.squeeze(t, 0), r"axis 0 of shape \(2, 3\) is not one"),
        (lambda t: np.concatenate([t[0, 0], t[0, 0]]), "zero-dimensional arrays cannot be concatenated"),
        (lambda t: np.concatenate([t, t[0]]), "same number of dimensions"),
        (lambda t: ag.concatenate([]), "need at least one array"),
        (lambda t: ag.stack([]), "at least one array, and got none"),
        (lambda t: ag.stack([t, t[0]]), r"one shape, not of \[\(2, 3\), \(3,\)\]: use concatenate"),
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong: Callable[[Tensor], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong(Tensor(np.ones((2, 3))))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_rows_of_one_array_are_stacked(axis: int) -> None:
    x = np.arange(6.0).reshape(2, 3)
    same(np.stack(Tensor(x), axis).data, np.stack(x, axis))


def test_what_is_differed_no_times_is_joined_to_nothing() -> None:
    same(np.diff(Tensor([1.0, 2.0]), 0, prepend=3.0).data, np.array([1.0, 2.0]))


def test_integers_are_widened_by_what_is_put_among_them() -> None:
    x = Tensor([0.5])
    for y in (np.insert([1, 2], 1, x), np.ediff1d([1, 2], x), np.append([1, 2], x)):
        assert y.data.tolist().count(0.5) == 1
        assert y.requires_grad


def test_one_condition_of_piecewise_needs_no_list() -> None:
    x = np.array([-2.0, 3.0])
    same(np.piecewise(Tensor(x), x > 0, [abs, -1]).data, np.piecewise(x, x > 0, [abs, -1]))


def test_weights_that_do_not_fit_are_refused() -> None:
    t = Tensor(np.ones((2, 3)))
    for weights, axis, message in (
        (np.ones(3), None, r"shape \(2, 3\), not \(3,\)"),
        (1.0, None, r"shape \(2, 3\), not \(\)"),
        (np.ones(3), 0, r"shape \(2, 3\) or \(2,\), not \(3,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            np.average(t, axis, weights)
    for weights, axis in (([1, -1], 0), ([[1, 1, 1], [1, 0, -1]], 1)):
        with pytest.raises(ZeroDivisionError, match="add up to zero"):
            np.average(t, axis, Tensor(weights))


def test_weights_have_the_order_of_the_axes() -> None:
    x, weights = np.arange(24.0).reshape(2, 3, 4), np.arange(1.0, 9).reshape(4, 2)
    same(np.average(Tensor(x), (2, 0), weights).data, np.average(x, (2, 0), weights))


@pytest.mark.parametrize("dtypes", [(np.int8, np.float32), (np.float32, np.float64), (np.float64, np.float32)])
def test_weights_of_another_dtype(dtypes: Any) -> None:
    x, weights = (np.array(x, dtype) for x, dtype in zip([[1, 1, 1], [1, 1e-9, 1e-9]], dtypes, strict=True))
    same(np.average(x, weights=Tensor(weights)).data, np.average(x, weights=weights))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.roll(x, 1),
        lambda x: np.roll(x, -2, 1),
        lambda x: np.roll(x, (1, 2), (0, 1)),
        lambda x: np.unwrap(x),
        lambda x: np.unwrap(x, axis=0),
        lambda x: np.unwrap(x, 8.0, period=2.5),
        lambda x: np.unwrap(x, period=2.5),
    ],
)
def test_what_is_rolled_or_unwrapped_moves(f: Callable[..., Any]) -> None:
    x = np.arange(12.0).reshape(3, 4) ** 2
    y = f(x)
    assert (y != x).any()
    same(f(Tensor(x)).data, y)
    gradcheck(f, x, directions=1)


def test_the_derivative_of_fmod_by_the_divisor_is_a_whole_number() -> None:
    x, y = np.linspace(-9, 9, 97), Tensor(np.full(97, 0.1))
    np.fmod(x, y).sum().backward()
    same(y.grad, np.rint(y.grad))
    close(y.grad, (np.fmod(x, 0.1) - x) / 0.1, np.float64)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.average([1.0, 2.0, 4.0], weights=x),
        lambda x: np.average(x, weights=[1.0, 2.0, 4.0]),
        lambda x: np.trapezoid([1.0, 2.0, 4.0], x),
        lambda x: np.trapezoid(x, [1.0, 2.0, 4.0]),
        lambda x: np.polyval(x, [1.0, 2.0]),
        lambda x: np.polyval([1.0, 2.0, 3.0], x),
        lambda x: np.convolve(x, 2.0),
        lambda x: np.convolve([1.0, 2.0], x),
        lambda x: np.correlate(x, [1.0, 2.0]),
        lambda x: np.diff([1.0, 2.0, 4.0], 2, prepend=x),
        lambda x: np.ediff1d([1.0, 2.0, 4.0], x, x),
        lambda x: np.insert([1.0, 2.0, 3.0], 1, x),
        lambda x: np.insert(x, 1, [1.0, 2.0]),
        lambda x: np.append([1.0, 2.0], x),
        lambda x: np.gradient([1.0, 2.0, 4.0], x),
        lambda x: np.gradient(x, [1.0, 2.0, 4.0]),
        lambda x: np.polyadd(x, 2.0),
        lambda x: np.polyint(x, 2, [3.0]),
        lambda x: np.polyint(x, 2, 3.0),
    ],
)
def test_lists_and_numbers_beside_a_tensor_are_arrays(f: Callable[..., Any]) -> None:
    x = np.array([2.0, 3.0, 5.0])
    same(f(Tensor(x)).data, f(x))
    gradcheck(f, x, directions=1)


def test_methods_of_ufuncs_go_along_the_first_axis() -> None:
    x = np.arange(1.0, 7).reshape(2, 3)
    for f in (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp):
        close(f.reduce(Tensor(x)).data, f.reduce(x), np.float64)
        if f is not np.logaddexp:
            same(f.accumulate(Tensor(x)).data, f.accumulate(x))
    for f in (np.subtract, np.power, np.maximum):
        same(f.outer(Tensor(x), [1, 2]).data, f.outer(x, [1, 2]))
        same(f.outer([1, 2], Tensor(x)).data, f.outer([1, 2], x))


@pytest.mark.parametrize(
    "index",
    [
        [True, False],
        ([False, True], slice(None)),
        ([0, 0], 1),
        ((0, 0), (1, 1)),
        (range(2), [2, 2]),
        [[]],
        ([], 1),
        (np.array(1), [[0, 0]]),
    ],
    ids=str,
)
def test_indices_need_not_be_arrays(index: Any) -> None:
    x, seed = np.arange(6.0).reshape(2, 3), cotangent(np.zeros((2, 3))[index])
    expected = np.zeros((2, 3))
    np.add.at(expected, index, seed)
    leaf = Tensor(x)
    y = leaf[index]
    same(y.data, x[index])
    spoil(index)
    y.backward(seed)
    same(leaf.grad, expected)


def test_what_is_added_wherever_a_mask_without_axes_holds() -> None:
    same(ag.add_at(Tensor([1.0, 2.0]), np.array(True), [3.0, 4.0]).data, np.array([4.0, 6.0]))


def test_what_is_added_is_not_rounded_before() -> None:
    x = Tensor(np.zeros(2, np.float32))
    same(ag.add_at(x, [0], 1 / np.array([3.0])).data, np.array([1 / 3, 0]))
    half = np.ones(4000, np.float16)
    same(ag.add_at(Tensor(np.zeros(1, np.float16)), np.zeros(4000, int), half).data, np.array([4000], np.float16))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.piecewise(x, [x > 2], [lambda x: 2 * x]),
        lambda x: np.piecewise(x, [x > 2, x > 9], [lambda x, a, b: x**a + b, lambda x, a, b: x.max(), 3], 2.0, b=1.0),
        lambda x: np.apply_along_axis(lambda row, n, k: k * row[:n], -1, x, 2, k=3.0),
        lambda x: np.apply_along_axis(lambda row: row[:, None] * row, -1, x),
        lambda x: np.select([x > 3, x > 1], [[1.0, 2.0, 3.0], x]),
        lambda x: np.trim_zeros(x[1] * [0, 1, 0], "F"),
    ],
)
def test_what_goes_through_functions_and_lists(f: Callable[..., Any]) -> None:
    x = np.arange(6.0).reshape(2, 3)
    same(f(Tensor(x)).data, f(x))
    gradcheck(f, x + 0.25, directions=1)


# -- what is done otherwise where there is much ---------------------------------------------------------


@pytest.mark.parametrize("shape", [(300,), (300, 2), (2, 300)], ids=str)
@pytest.mark.parametrize("links", ["mild", "zeros", "steep", "too steep", "infinite", "half"])
def test_long_recurrences_are_those_of_single_steps(shape: tuple[int, ...], links: str) -> None:
    rng = np.random.default_rng(0)
    axis = int(np.argmax(shape))
    y = rng.standard_normal(shape)
    back = (-1.0) ** np.arange(300).reshape([300 if n == 300 else 1 for n in shape])  # what grows shrinks again
    x = rng.choice([-1, 1], shape) * {"steep": 1e18, "too steep": 1e200}.get(links, 1.0) ** back
    x *= rng.random(shape) > 0.1 if links == "zeros" else 1
    if links == "infinite":  # behind nothing but zeros, which it must not meet
        place = np.cumsum(np.ones(shape), axis)
        x, y = np.where(place == 52, np.inf, x), np.where(place < 51, 0, y)
    x, y = (v.astype(np.float16) if links == "half" else v for v in (x, y))
    x = np.delete(x, -1, axis)
    expected = np.moveaxis(y.astype(np.float32) if links == "half" else y.copy(), axis, 0)
    found = scans.recurrence_p(x, y, axis=axis)
    for i, link in enumerate(np.moveaxis(x, axis, 0)):
        expected[i + 1] += link * expected[i]
    np.testing.assert_allclose(np.moveaxis(found, axis, 0), expected, rtol=2e-4 if links == "half" else 1e-9)


@pytest.mark.parametrize("link", [1e30, 1e-30])
def test_the_products_of_steep_links_do_not_leave_the_range(link: float) -> None:
    start = np.arange(300) % 20 == 0
    x, y = np.where(start[1:], 0, link), np.where(start, 1e300 if link < 1 else 1e-300, 0)
    expected = y.copy()
    for i in range(299):
        expected[i + 1] += x[i] * expected[i]
    np.testing.assert_allclose(scans.recurrence_p(x, y, axis=0), expected, rtol=1e-12)


@pytest.mark.parametrize("f", [ag.cumprod, ag.cummax, ag.cummin], ids=lambda f: f.__name__)
@pytest.mark.parametrize("ties", [False, True])
def test_long_scans_twice(f: Callable[..., Any], ties: bool) -> None:
    x = np.random.default_rng(0).permutation(90) / 90 + 0.5
    if ties:  # the same first entry for both, so that no difference takes them apart
        gradcheck(lambda x: f(ag.concatenate([x, x])), x, order=2, directions=1)
    else:
        gradcheck(f, x, order=2, directions=1)


@pytest.mark.parametrize("n", [8, 9, 40, 300])
def test_many_parts(n: int) -> None:
    x = np.arange(3.0 * n).reshape(n, 3)
    places = np.random.default_rng(0).integers(-n, n + 2, n).tolist()  # some parts are empty, and some overlap
    for f in (np.unstack, lambda x: np.split(x, n), lambda x: np.split(x, places)):
        for part, theirs in zip(f(Tensor(x)), f(x), strict=True):
            same(part.data, theirs)
            assert "np." not in str(part.params)  # a drawing shows them
        leaf = Tensor(x)
        weights = range(1, 1 + len(f(x)))
        sum((w * part).sum() for w, part in zip(weights, f(leaf), strict=True)).backward()
        rows = f(np.arange(n))
        same(
            leaf.grad[:, 0],
            np.array([sum(w for w, r in zip(weights, rows, strict=True) if i in np.ravel(r)) for i in range(n)], float),
        )


@pytest.mark.parametrize(
    "x", [[2.0, 0.5, 3.0], [2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [1e-200, 1e-200, 1e200], [1e200, 1e200, 0.5]]
)
def test_the_products_of_the_others(x: list[float]) -> None:
    leaf = Tensor(x)
    with np.errstate(over="ignore"):
        ag.prod(leaf).backward()
        expected = [np.prod(np.delete(x, i)) for i in range(3)]
    np.testing.assert_allclose(leaf.grad, expected, rtol=1e-15)


@pytest.mark.parametrize("axis", [None, 1, -1, (0, -1), (2, 1)], ids=str)
def test_products_with_a_zero_along_axes(axis: Any) -> None:
    gradcheck(lambda x: ag.prod(x, axis), np.arange(12.0).reshape(2, 3, 2) / 4, order=2, directions=1)


@pytest.mark.parametrize(
    "x", [np.array([2**62, 2**62]), np.broadcast_to(np.float32(1), 2**24 + 1)], ids=["integers", "many"]
)
def test_the_mean_of_what_cannot_be_added_or_counted_in_its_dtype(x: np.ndarray) -> None:
    same(ag.mean(x), np.mean(x))


def test_products_with_and_without_zeros_side_by_side() -> None:
    leaf = Tensor([[2.0, 0.0, 3.0], [1.0, 2.0, 3.0]])
    ag.prod(leaf, axis=1).sum().backward()
    same(leaf.grad, np.array([[0.0, 6.0, 0.0], [6.0, 3.0, 2.0]]))


@pytest.mark.parametrize(("shape", "v"), [((5, 3), X), ((5,), X), ((5,), X[0]), ((5,), X[:, :1]), ((5,), 2.0)], ids=str)
@pytest.mark.parametrize("form", [np.asarray, lambda i: (i,), lambda i: (i, ...)], ids=["array", "tuple", "dots"])
def test_what_is_added_at_many_places_broadcasts(shape: tuple[int, ...], v: Any, form: Callable[..., Any]) -> None:
    x, index = np.zeros(shape), form(np.arange(9).reshape(3, 3) % 4)
    expected = x.copy()
    np.add.at(expected, index, np.broadcast_to(v, x[index].shape))
    same(ag.add_at(Tensor(x), index, v).data, expected)
    gradcheck(lambda x, v: ag.add_at(x, index, v), x, v, order=2, directions=1)


@pytest.mark.parametrize("n", range(2, 40))
def test_a_row_of_points_ends_where_it_is_to_end(n: int) -> None:
    x = np.array([0.1, -0.3, 1 / 3, 5.1])
    same(np.linspace(Tensor(x), 0.7, n).data, np.linspace(x, 0.7, n))


# -- the table is complete, and its checks are sharp ---------------------------------------------------


def test_every_primitive_has_a_row() -> None:
    assert len(primitives()) > 30
    assert primitives() - frozenset().union(*map(reached, ROWS)) == set()


def detached(rule: core.Rule) -> core.Rule:
    """The right numbers, from a rule that cannot be differentiated."""

    def broken(*args: Any, **params: Any) -> Any:
        return plain(rule(*plain(args), **params))

    return broken


MUTANTS: dict[str, Callable[[core.Rule], core.Rule]] = {
    "wrong sign": lambda rule: lambda *args, **params: -rule(*args, **params),
    "wrong by 1%": lambda rule: lambda *args, **params: 1.01 * rule(*args, **params),
    "dropped": lambda rule: lambda *args, **params: 0 * rule(*args, **params),
    "swapped operands": lambda rule: lambda g, z, x, y, **params: rule(g, z, y, x, **params),
    "not differentiable": detached,
}

# Rules that do not look at their operands are the same with the operands swapped.
EQUIVALENT = {
    (name, i, "swapped operands") for name in ("add", "add_at", "set_at", "subtract", "where") for i in (0, 1)
}
EQUIVALENT |= {(name, 0, "swapped operands") for name in ("remainder", "fmod")}


def arity(op: core.Primitive) -> int:
    """How many rules a primitive has: one for all operands if there may be any number of them."""
    return 1 if isinstance(op.rules, core._Each) else len(op.rules)


BROKEN = [
    (op, i, mutant)
    for op in sorted(primitives(), key=repr)
    for i in range(arity(op))
    for mutant in MUTANTS
    if mutant != "swapped operands" or arity(op) == 2
]


@contextmanager
def broken(op: core.Primitive, i: int, mutate: Callable[[core.Rule], core.Rule]) -> Iterator[None]:
    rules = op.rules
    if isinstance(rules, core._Each):
        op.rules = core._Each(mutate(rules.rule))
    else:
        op.rules = (*rules[:i], mutate(rules[i]), *rules[i + 1 :])
    try:
        yield
    finally:
        op.rules = rules


def caught(row: Row, case: Case, order: int) -> bool:
    try:
        gradcheck(row(case), *case.bases, order=order, directions=1)
    except (GradientError, ValueError, TypeError):
        return True
    return False


def test_the_equivalent_mutants_exist() -> None:
    assert {(op.name, i, mutant) for op, i, mutant in BROKEN} >= EQUIVALENT


@pytest.mark.parametrize(("op", "i", "mutant"), BROKEN, ids=str)
def test_a_broken_rule_is_caught(op: core.Primitive, i: int, mutant: str) -> None:
    users = [row for row in ROWS if op in reached(row)]
    assert users
    order = 3 if mutant == "not differentiable" else 2  # a primitive met only in rules needs one more
    with broken(op, i, MUTANTS[mutant]):
        found = any(caught(row, case, order) for row in users for case in samples(row))
    assert found is ((op.name, i, mutant) not in EQUIVALENT)
