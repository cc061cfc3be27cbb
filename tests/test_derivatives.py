"""Transforms of functions. What `grad` does with one array is in test_graph."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor, batching
from autograd_mini.trees import leaves

from .operations import ROWS, Row, samples

X = np.array([0.5, -1.0, 2.0])


class Pair(NamedTuple):
    a: Any
    b: Any


# ---- trees -----------------------------------------------------------------------------------------


def test_arguments_may_be_trees_of_any_form() -> None:
    tree = {"w": X, "rest": [2.0, (3.0,)], "pair": Pair(1.0, X * 2)}
    slope = ag.grad(lambda t: (t["w"] * t["pair"].b).sum() * t["rest"][1][0] + t["rest"][0] * t["pair"].a)(tree)
    assert list(slope) == ["w", "rest", "pair"]
    assert_array_equal(slope["w"], 6 * X)
    assert slope["rest"] == [1, ((2 * X * X).sum(),)]
    assert isinstance(slope["pair"], Pair)
    assert_array_equal(slope["pair"].b, 3 * X)


def test_a_module_stands_for_its_parameters() -> None:
    model = ag.nn.MLP([3, 4, 1], rng=0)
    slope = ag.grad(lambda m, x: ag.mean(m(x)))(model, X)
    ag.mean(model(X)).backward()
    assert list(slope) == list(model.state_dict())
    for path, p in model.named_parameters():
        assert type(slope[path]) is np.ndarray
        assert_array_equal(slope[path], p.grad)


def test_gradients_by_a_module_can_be_differentiated_by_something_else() -> None:
    model = ag.nn.MLP([3, 4, 1], rng=0)
    first = model.layers[0].weight

    def influence(x: Any) -> Any:
        return ag.sum(ag.grad(lambda m: ag.mean(m(x)))(model)["layers.0.weight"])

    slope = ag.grad(influence)(X)
    h = 1e-6
    numeric = [(influence(X + h * e) - influence(X - h * e)) / (2 * h) for e in np.eye(3)]
    assert_allclose(slope.data, [float(n) for n in numeric], rtol=1e-6)
    assert first.grad is None


# ---- argnums and aux -------------------------------------------------------------------------------


def test_argnums() -> None:
    def f(x: Any, y: Any) -> Any:
        return x * x * y

    assert ag.grad(f, -1)(3.0, 2.0) == 9
    assert ag.grad(f, np.int64(1))(3.0, 2.0) == 9
    assert ag.grad(f, (1, 0))(3.0, 2.0) == (9, 12)
    for wrong in (2, (0, 0), (0, -2)):
        with pytest.raises(ValueError, match="argnums names different ones of the 2 positional arguments, not"):
            ag.grad(f, wrong)(3.0, 2.0)


def test_aux_is_handed_on() -> None:
    assert ag.grad(lambda x: (x * x, "note"), has_aux=True)(3.0) == (6, "note")
    assert ag.value_and_grad(lambda x: (x * x, {"n": 1}), has_aux=True)(3.0) == ((9, {"n": 1}), 6)


@pytest.mark.parametrize("result", [None, "text", 1j])
def test_a_function_must_give_a_number(result: object) -> None:
    with pytest.raises(TypeError, match="a differentiated function gives numbers, and this one gave"):
        ag.grad(lambda x: result)(1.0)


@pytest.mark.parametrize(
    "leak", [lambda x: math.exp(x), lambda x: float(x) ** 2, lambda x: np.zeros(2).__setitem__(0, x), lambda x: int(x)]
)
def test_nothing_leaves_the_graph_unnoticed(leak: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:  # NumPy wraps the error of an assignment in its own
        ag.grad(leak)(1.0)
    assert "its gradient would be lost: take t.item()" in f"{caught.value} {caught.value.__cause__}"
    assert (Tensor(2.0) * 2).item() == 4  # a loss may be logged
    assert ag.grad(lambda x: x * x.item())(3.0) == 3  # on purpose


# ---- products --------------------------------------------------------------------------------------


def test_vjp_of_trees_pulls_back_any_number_of_times() -> None:
    value, pullback = ag.vjp(lambda x, y: {"product": x * y, "sums": (ag.sum(x), y + 1)}, X, 2 * X)
    assert_array_equal(value["product"], 2 * X * X)
    for _ in range(2):
        by_x, by_y = pullback({"product": np.ones(3), "sums": (10.0, np.zeros(3))})
        assert_array_equal(by_x, 2 * X + 10)
        assert_array_equal(by_y, X)
    with pytest.raises(ValueError, match="a cotangent has the form and the shapes of the value"):
        pullback({"product": np.ones(2), "sums": (10.0, np.zeros(3))})


def test_jvp_equals_the_jacobian_times_the_tangent(rng: np.random.Generator) -> None:
    w = rng.standard_normal((3, 4))

    def f(x: Any, s: Any) -> Any:
        return ag.tanh(x @ w) * s, ag.sum(x) * s

    u, t = rng.standard_normal(3), 0.7
    value, tangent = ag.jvp(f, (X, 1.5), (u, t))
    assert_allclose(value[0], np.tanh(X @ w) * 1.5)
    by_x, by_s = zip(*ag.jacobian(f, argnums=(0, 1))(X, 1.5), strict=True)
    for got, j, k in zip(tangent, by_x, by_s, strict=True):
        assert_allclose(got, j @ u + k * t)


def test_jacobian_and_hessian_of_known_functions() -> None:
    a = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 3.0]])
    assert_allclose(ag.jacobian(lambda x: a @ x)(X), a)
    assert_allclose(ag.jacobian(lambda x: x * x)(X), np.diag(2 * X))
    assert ag.jacobian(lambda x: ag.stack([x[0] * x, x]))(X).shape == (2, 3, 3)
    assert ag.jacobian(lambda x: x[:0])(X).shape == (0, 3)
    assert_allclose(ag.jacobian(lambda x: ag.stack([x, 2 * x]) @ X)(X), [X, 2 * X])
    assert_allclose(ag.jacobian(lambda x: ag.einsum("i,i", x, x))(X), 2 * X)
    m = a.T @ a
    assert_allclose(ag.hessian(lambda x: x @ m @ x / 2)(X), m)
    assert_allclose(ag.hvp(lambda x: x @ m @ x / 2, X, 2 * X), m @ (2 * X))
    assert_array_equal(ag.hvp(lambda t: t["a"] ** 3, {"a": 2.0}, {"a": 1.0})["a"], 12)


def one_row_at_a_time(f: Any, *args: Any) -> list[Any]:
    """The Jacobian of a function of one output by all of its arguments, from a pullback for each entry."""
    value, pullback = ag.vjp(f, *args)
    shape = np.shape(value)
    rows = [pullback(seed.reshape(shape).astype(value.dtype)) for seed in np.eye(np.size(value))]
    return [
        np.array([row[k] for row in rows]).reshape(shape + np.shape(x)) if rows else np.zeros(shape + np.shape(x))
        for k, x in enumerate(args)
    ]


@pytest.mark.parametrize("chunk", [2**21, 1], ids=["together", "in parts"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows_of_a_jacobian_found_together_are_those_found_one_by_one(
    row: Row, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "BYTES", chunk)
    for case in samples(row, 8):
        y = row(case)(*case.bases)
        outputs = list(leaves(y)) if isinstance(y, (tuple, list)) else [None]
        for i, part in enumerate(outputs):
            f = row(case) if part is None else lambda *xs, i=i, row=row, case=case: list(leaves(row(case)(*xs)))[i]
            with np.errstate(all="ignore"):
                together = ag.jacobian(f, tuple(range(len(case.bases))))(*case.bases)
                one_by_one = one_row_at_a_time(f, *case.bases)
            for got, wanted in zip(together, one_by_one, strict=True):
                assert type(got) is (np.ndarray if got.shape else np.float64)
                assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, strict=True)


def test_rows_found_together_can_be_differentiated_and_written_to(rng: np.random.Generator) -> None:
    w, x = Tensor(rng.standard_normal((3, 4))), rng.standard_normal((2, 3))
    f = ag.jacobian(lambda x: ag.tanh(x @ w))(x)
    assert isinstance(f, Tensor)
    ag.sum(f * f).backward()
    by_hand = Tensor(w.data)
    slope = (1 - ag.square(ag.tanh(x @ by_hand)))[:, :, None] * ag.transpose(by_hand)
    ag.sum(slope * slope).backward()
    assert_allclose(w.grad, by_hand.grad)
    assert_allclose(ag.hessian(lambda x: ag.sum(x**3))(X), np.diag(6 * X))
    third = ag.jacobian(ag.hessian(lambda x: ag.sum(x**4)))(X)
    assert_allclose(third, 24 * X * np.eye(3)[:, :, None] * np.eye(3))
    for independent in (lambda x: ag.broadcast_to(x, (2, 3)), lambda x: Tensor(np.ones(3)), lambda x: x):
        ag.jacobian(independent)(X)[:] = 0


def test_every_rule_of_batching_is_used(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    used = set()

    def noticed(rule: Any) -> Any:
        def applied(node: Any, *args: Any) -> Any:
            used.add(node.op)
            return rule(node, *args)

        return applied

    known = dict(batching.RULES)
    monkeypatch.setattr(batching, "RULES", {op: noticed(rule) for op, rule in known.items()})
    for row in ROWS:
        for case in samples(row, 8):
            with np.errstate(all="ignore"):
                ag.jacobian(row(case), tuple(range(len(case.bases))))(*case.bases)
    w, x = rng.standard_normal((2, 1, 2, 2)), rng.standard_normal((1, 3, 3))
    f = ag.elementwise_grad(lambda x: ag.tanh(ag.conv2d(x, w)))  # its Jacobian takes windows of cotangents
    assert_allclose(ag.jacobian(f)(x), one_row_at_a_time(f, x)[0], atol=1e-12)
    assert used == set(known)


def test_a_primitive_that_no_rule_of_batching_knows_goes_one_by_one() -> None:
    twice: Any = ag.primitive("twice", lambda x: np.array([2 * v for v in x]), lambda g, y, x: twice(g))
    assert_array_equal(ag.jacobian(twice)(X), 2 * np.eye(3))
    assert twice.op not in batching.RULES


def test_an_infinite_derivative_of_one_output_does_not_spoil_that_of_another() -> None:
    with np.errstate(divide="ignore"):
        root, line = ag.jacobian(lambda x: (ag.sqrt(x), 3 * x))(0.0)
    assert (root, line) == (np.inf, 3)


def test_elementwise_grad_keeps_the_shape() -> None:
    f = ag.elementwise_grad(ag.elementwise_grad(ag.sin))
    assert_allclose(f(np.ones((2, 3))), -np.sin(np.ones((2, 3))))


def test_stop_gradient() -> None:
    assert ag.grad(lambda x: x * ag.stop_gradient(x))(3.0) == 3
    assert ag.grad(lambda x: x * ag.stop_gradient({"a": [x, 2.0]})["a"][1])(3.0) == 2


# ---- nesting ---------------------------------------------------------------------------------------


def test_everything_nests() -> None:
    def cube(x: Any) -> Any:
        return x * x * x

    assert ag.grad(lambda x: ag.jvp(cube, (x,), (1.0,))[1])(2.0) == 12
    assert ag.grad(lambda x: ag.vjp(cube, x)[1](1.0)[0])(2.0) == 12
    assert ag.jvp(ag.grad(cube), (2.0,), (1.0,)) == (12, 12)
    assert ag.grad(lambda x: ag.sum(ag.jacobian(cube)(x)))(2.0) == 12
    assert ag.jvp(lambda x: ag.jvp(cube, (x,), (1.0,))[1], (2.0,), (1.0,))[1] == 12
    assert ag.grad(lambda x: x * ag.vjp(lambda y: x * y, 5.0)[1](1.0)[0])(3.0) == 6
    assert ag.grad(lambda x: x * ag.jvp(lambda y: x * y, (5.0,), (1.0,))[1])(3.0) == 6
    assert ag.grad(lambda u: ag.jvp(cube, (2.0,), (u,))[1])(1.0) == 12
    assert ag.hessian(lambda x: ag.grad(cube)(x))(2.0) == 6


def test_transforms_of_tensors_give_tensors_and_leave_no_trace() -> None:
    x, w = Tensor(X), Tensor(2.0)
    for result in (
        ag.jacobian(lambda t: t * t)(x),
        ag.vjp(lambda t: t * t, x)[1](np.ones(3))[0],
        ag.jvp(lambda t: t * t, (x,), (np.ones(3),))[1],
        ag.hvp(lambda t: ag.sum(t * t * w), x, X),
        ag.vjp(lambda t: t * w, X)[1](np.ones(3))[0],
    ):
        assert isinstance(result, Tensor)
    assert x.grad is None
    assert w.grad is None
    ag.sum(ag.jacobian(lambda t: t * t)(x)).backward()
    assert_array_equal(x.grad, [2, 2, 2])
