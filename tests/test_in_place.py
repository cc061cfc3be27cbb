"""``t[index] = value`` and ``t += x``: the Tensor becomes the result, and what used it before keeps the old value."""

from __future__ import annotations

import copy
import gc
import operator
import pickle
import re
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini import Tensor
from autograd_mini.testing import gradcheck

X, V = np.array([0.5, -1.25, 2.0]), np.array([1.5, 0.75, -0.75])
UPDATES = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow, operator.imod]


@pytest.mark.parametrize("update", UPDATES)
def test_operators_are_those_without_assignment(update: Callable[..., Any]) -> None:
    plain = getattr(operator, update.__name__[1:])

    def updated(x: Any, v: Any) -> Any:
        t = x * x
        alias = t
        t = update(t, v)
        assert t is alias
        return t

    np.testing.assert_array_equal(updated(Tensor(X), Tensor(V)).data, plain(X * X, V))
    gradcheck(updated, X, V, order=2)


def test_matmul() -> None:
    w = np.array([[1.0, 2.0], [3.0, -1.0]])

    def updated(x: Any, w: Any) -> Any:
        t = x + 0.0
        t @= w
        return t

    gradcheck(updated, np.ones((3, 2)), w, order=2)


def test_assignment_is_set_at() -> None:
    def assigned(x: Any, v: Any) -> Any:
        t = x * x
        t[1:] = v * 2
        t[[0, 0]] = x[:2]
        t[0] += v[0] * x[2]
        return t

    np.testing.assert_allclose(assigned(Tensor(X), Tensor(V[:2])).data, [-1.25 + 1.5 * 2.0, 3.0, 1.5])
    gradcheck(assigned, X, V[:2], order=2)


def test_a_buffer_is_filled() -> None:
    x = Tensor(X)
    filled = Tensor(np.zeros((2, 3)), requires_grad=False)
    for i in range(2):
        filled[i] = x ** (i + 1)
    filled.sum().backward()
    np.testing.assert_array_equal(filled.data, [X, X**2])
    np.testing.assert_array_equal(x.grad, 1 + 2 * X)


def test_earlier_uses_keep_the_old_value() -> None:
    x = Tensor(X)
    t = x * x
    before, view, row = t * t, t[1:], ag.where([True, False, True], t, t * 2)
    t += 1.0
    t[0] = 7.0
    after = t * t
    np.testing.assert_array_equal(view.data, (X * X)[1:])
    total = before.sum() + after.sum() + view.sum() + row.sum()
    for _ in range(2):  # the same again
        x.grad = None
        total.backward()
        expected = 4 * X**3 + 2 * (X**2 + 1) * 2 * X * [0, 1, 1] + 2 * X * [0, 1, 1] + 2 * X * [1, 2, 1]
        np.testing.assert_allclose(x.grad, expected)


def program(steps: list[tuple[str, int]], x: Any, in_place: bool) -> Any:
    """Updates of two Tensors and uses of them, in place or by making new ones."""
    ts = [x * 2.0, x + 1.0]
    uses = []
    for step, i in steps:
        t, other = ts[i], ts[1 - i]
        if step == "use":
            uses.append(ag.sum(t * other))
        elif step == "itself":
            if in_place:
                t *= t
            else:
                ts[i] = t * t * 1.0
        elif step == "add":
            if in_place:
                t += other
            else:
                ts[i] = t + other
        elif in_place:
            t[0] = t[1] * other[2]
        else:
            ts[i] = ag.set_at(t, 0, t[1] * other[2])
    return ag.sum(ag.stack([*uses, ts[0].sum(), ts[1].sum()]))


@given(st.lists(st.tuples(st.sampled_from(["use", "itself", "add", "set"]), st.integers(0, 1)), max_size=6))
def test_a_program_in_place_is_the_one_of_new_tensors(steps: list[tuple[str, int]]) -> None:
    def gradient(in_place: bool, order: int) -> Any:
        f = lambda x: program(steps, x, in_place)
        for _ in range(order):
            f = ag.elementwise_grad(f)
        return f(X / 4)

    for order in (1, 2):
        np.testing.assert_allclose(gradient(True, order), gradient(False, order), rtol=1e-12)


def test_a_number_that_is_read_twice() -> None:
    t = Tensor(2.0)
    (t[...] * 3 + t[()]).backward()
    assert t.grad == 4


def test_by_itself() -> None:
    x = Tensor(3.0)
    t = x * 1.0
    t += t
    t[()] = t
    t.backward()
    assert x.grad == 2


def test_shape_and_dtype_stay() -> None:
    t = Tensor(X.astype(np.float32)) * 1
    t += np.ones(3)
    t[0] = np.float64(1 / 3)
    assert t.dtype == np.float32
    t.sum().backward()
    with pytest.raises(ValueError, match=r"keeps the shape, \(3,\), and this would give \(2, 3\)"):
        t += np.ones((2, 3))


def test_what_is_differentiated_refuses() -> None:
    x = Tensor(X)

    def adds(x: Any) -> Any:
        x += 1.0
        return x.sum()

    def sets(x: Any) -> Any:
        x[0] = 1.0
        return x.sum()

    def copies(x: Any) -> Any:
        x = x.copy()
        x[0] = 1.0
        return x.sum()

    for f in adds, sets:
        for call, argument in ((f, x), (ag.grad(f), X), (ag.grad(f), x), (ag.grad(f), x * 2)):
            with pytest.raises(RuntimeError, match=r"write t = t \+ x, or t = ag.set_at\(t, index, value\)"):
                call(argument)
    np.testing.assert_array_equal(x.data, X)
    np.testing.assert_array_equal(ag.grad(copies)(X), [0, 1, 1])


def test_without_recording_the_data_of_a_leaf_changes() -> None:
    w = Tensor(X)
    y = (w * w).sum()
    y.backward()
    with ag.no_grad():
        w -= 0.5 * w.grad
        w[0] = 4.0
    assert w.op is None
    assert w.requires_grad
    np.testing.assert_array_equal(w.data, [4, 0, 0])
    with pytest.raises(RuntimeError, match="data of a Tensor of shape"):
        y.backward()
    t = w * 2
    with ag.no_grad(), pytest.raises(RuntimeError, match="is the result of 'multiply'"):
        t += 1.0


def test_a_constant_that_changed_is_noticed() -> None:
    x, c = Tensor(X), Tensor(V, requires_grad=False)
    y = (x * c).sum()
    c += 1.0
    with pytest.raises(RuntimeError, match="data of a Tensor of shape"):
        y.backward()


def test_a_frozen_leaf_that_is_updated_stays_what_it_is() -> None:
    w = Tensor(X, name="w")
    w.sum().backward()
    w.requires_grad = False
    w += 1.0
    assert w.name == "w"
    np.testing.assert_array_equal(w.data, X + 1)
    np.testing.assert_array_equal(w.grad, [1, 1, 1])


def test_the_methods_that_work_in_place() -> None:
    x = Tensor([[3.0, 1.0, 2.0], [1.0, 5.0, 4.0]])
    weights = np.arange(6.0).reshape(2, 3)
    for method, axis in ((Tensor.sort, 0), (Tensor.sort, -1), (lambda t, axis: t.partition(1, axis), 1)):
        x.grad = None
        t, y = x * 2, np.array(x.data) * 2
        old = t * 1
        assert method(t, axis) is None
        np.testing.assert_array_equal(t.data, np.sort(y, axis))  # a partition of three by the middle one sorts them
        (t * weights + old).sum().backward()
        expected = np.empty((2, 3))
        np.put_along_axis(expected, np.argsort(y, axis), weights, axis)
        np.testing.assert_array_equal(x.grad, 2 * expected + 2)
    t = x * 2
    t.fill(7)
    np.testing.assert_array_equal(t.data, np.full((2, 3), 7.0))
    with pytest.raises(RuntimeError, match="cannot be updated in place"):
        x.sort()


def test_a_freed_update_says_so() -> None:
    x = Tensor(X)
    t = x * 2
    y = t.sum()
    t += 1.0
    t.sum().backward(retain_graph=False)
    with pytest.raises(RuntimeError, match="graph was freed"):
        y.backward()


@pytest.mark.parametrize("retain_graph", [True, False])
def test_uses_of_older_selves_may_be_swept_after_the_update(retain_graph: bool) -> None:
    x, f = Tensor(X), Tensor(V, requires_grad=False)
    t = x * x
    beside, constant = t * 3, x * f
    t += ag.sin(t)
    t *= 2
    f += x
    (t + beside + f).sum().backward(retain_graph=retain_graph)
    np.testing.assert_allclose(x.grad, 2 * X * (2 + 2 * np.cos(X * X) + 3) + 1)
    x.grad = None
    constant.sum().backward()  # it used f before f was a result
    np.testing.assert_array_equal(x.grad, V)


@pytest.mark.parametrize("swept", [False, True])
def test_a_graph_with_updates_is_freed_by_reference_counting(swept: bool) -> None:
    gc.disable()
    try:
        x = Tensor(X)
        t = x * x
        skip = t * 3
        for _ in range(3):
            t += ag.sin(t)
        if swept:
            t += skip  # which used a self older than that of the last update
            t.sum().backward()
        nodes = [weakref.ref(node) for node in (t, skip, *ag.core.ancestors(t))]
        del t, skip
        assert not any(node() is not None for node in nodes)
    finally:
        gc.enable()


def test_a_graph_with_updates_is_copied_and_pickled() -> None:
    def total() -> Tensor:
        x = Tensor(X)
        t = x * x
        y = t * 3
        t += y
        t[0] = 1.0
        return (t + y).sum()

    gradients = []
    for made in (total(), copy.deepcopy(total()), pickle.loads(pickle.dumps(total()))):
        leaf = min(ag.core.ancestors(made)[0].operands, key=id)
        made.backward()
        gradients.append(leaf.grad)
    assert gradients[0] is not None
    np.testing.assert_array_equal(gradients[0], gradients[1])
    np.testing.assert_array_equal(gradients[0], gradients[2])


def test_a_long_chain_of_updates() -> None:
    x = Tensor(1.0)
    t = x * 1.0
    for _ in range(100_000):
        t += 1e-6
    t.backward()
    assert x.grad == 1
    assert type(t.operands) is tuple  # also of what was updated since


def test_a_graph_with_updates_is_drawn() -> None:
    x = Tensor(X)
    t = x * x
    y = t * 3
    t[0] = 1.0
    cards = ag.draw((t + y).sum()).dot
    assert set(re.findall(r"\bn\d+ \[", cards)) == {f"n{i} [" for i in range(8)}  # x, x * x, 3, y, 1, t, +, sum
