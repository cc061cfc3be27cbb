"""Functions as one operation each: `checkpoint` and `custom_vjp`."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor
from autograd_mini.core import ancestors, sweep

X = np.array([0.5, -1.0, 2.0])


def gradients(loss: Any, tensors: list[Any]) -> list[Any]:
    loss.backward()
    found = [x.grad for x in tensors]
    for x in tensors:
        x.grad = None
    return found


# ---- checkpoint ------------------------------------------------------------------------------------


def test_a_checkpointed_module_has_the_gradients_of_the_module() -> None:
    model, x = ag.nn.MLP([3, 5, 4, 2], rng=0), Tensor(X)
    plain = gradients(ag.sum(model(x) ** 2), [x, *model.parameters()])
    y = ag.checkpoint(model)(x)
    assert [node.op.name for node in ancestors(y)] == ["checkpoint"]
    for got, wanted in zip(gradients(ag.sum(y**2), [x, *model.parameters()]), plain, strict=True):
        assert_array_equal(got, wanted)
    assert_array_equal(ag.grad(lambda x: ag.sum(ag.checkpoint(model)(x) ** 2))(X).data, plain[0])
    by_path = ag.grad(lambda m: ag.sum(ag.checkpoint(m)(X) ** 2))(model)
    assert_array_equal(by_path["layers.0.weight"], plain[1])


def test_arguments_and_results_are_trees_and_may_be_anything() -> None:
    a, b, outside, frozen = Tensor(X), Tensor(2.0), Tensor(3.0), Tensor(5.0, requires_grad=False)

    def f(pair: Any, *, more: Any, word: str) -> Any:
        own = Tensor(2.0)  # made inside
        return {"x": pair[0] * more["b"] * outside, "rest": (ag.sum(pair[0]) * frozen * own, word, X, b, own)}

    found = []
    for g in (f, ag.checkpoint(f)):
        y = g((a, 1.0), more={"b": b}, word="same")
        assert y["rest"][1:3] == ("same", X)
        assert y["rest"][3] is b
        loss = ag.sum(y["x"] ** 2) + y["rest"][0] + y["rest"][4]
        found.append([*gradients(loss, [a, b, outside, y["rest"][4]]), frozen.grad])
    for got, wanted in zip(found[1], found[0], strict=True):
        assert_array_equal(got, wanted)


def test_a_result_that_nothing_is_computed_from_has_no_part() -> None:
    x, unused = Tensor(0.0), Tensor(1.0)
    with np.errstate(divide="ignore"):
        root, line, other = ag.checkpoint(lambda x: (ag.sqrt(x), 3 * x, 2 * unused))(x)
        line.backward()
    assert x.grad == 3  # not 0 * inf
    assert unused.grad is None
    assert root.data == 0
    assert other.data == 2


def test_checkpoints_nest_with_each_other_and_to_any_order() -> None:
    w = Tensor(0.7)

    def f(x: Any) -> Any:
        return ag.sin(x * w) * x

    for g in (ag.checkpoint(f), ag.checkpoint(lambda x: ag.checkpoint(f)(x * 1.0))):
        by_g, by_f = g, f
        for _ in range(3):
            by_g, by_f = ag.grad(by_g), ag.grad(by_f)
            assert_allclose(by_g(1.3).data, by_f(1.3).data)
        for transform in (ag.jacobian, ag.elementwise_grad, lambda f: ag.jacobian(ag.elementwise_grad(f))):
            assert_allclose(transform(g)(X).data, transform(f)(X).data)
        assert_allclose(ag.jvp(g, (X,), (X,))[1].data, ag.jvp(f, (X,), (X,))[1].data)
        found = [gradients(ag.grad(h)(Tensor(1.3)), [w])[0] for h in (g, f)]
        assert_allclose(*found)


def test_what_is_random_or_counts_happens_once() -> None:
    rng, calls = np.random.default_rng(0), []
    x, w = Tensor(np.ones(1000)), Tensor(2.0)

    def noisy(x: Any) -> Any:
        calls.append(1)
        return ag.dropout(ag.dropout(x * w, 0.5, rng) * x, 0.5, rng)

    y = ag.checkpoint(noisy)(x)
    ag.sum(y).backward()
    assert_allclose(x.grad, 2 * y.data / x.data)
    assert_allclose(w.grad, y.data.sum() / w.data)
    assert calls == [1]


def test_data_that_changed_is_noticed() -> None:
    layer = ag.nn.Linear(3, 2, rng=0)
    loss = ag.sum(ag.checkpoint(layer)(Tensor(X)))
    layer.bias.data += 1
    with pytest.raises(RuntimeError, match="changed after 'checkpoint' used it"):
        loss.backward()
    frozen = Tensor(2.0, requires_grad=False)
    loss = ag.checkpoint(lambda x: x * frozen)(Tensor(1.0))
    frozen.data = 3.0
    with pytest.raises(RuntimeError, match="changed after 'checkpoint' used it"):
        loss.backward()

    def careless(x: Any) -> Any:
        y = x * frozen
        frozen.data = 4.0
        return y + x

    with pytest.raises(RuntimeError, match="changed inside a checkpointed function"):
        ag.checkpoint(careless)(Tensor(1.0))


def test_what_was_frozen_inside_and_is_thawed_needs_another_forward_pass() -> None:
    x, frozen = ag.Tensor(2.0), ag.Tensor(3.0, requires_grad=False)
    y = ag.checkpoint(lambda: x * frozen)()
    frozen.requires_grad = True
    with pytest.raises(
        RuntimeError, match="was frozen when a checkpointed function used it: run the forward pass again"
    ):
        y.backward()


def test_where_nothing_is_recorded_it_just_runs() -> None:
    f = ag.checkpoint(lambda x: ag.exp(x) * 2)
    with ag.no_grad():
        y = f(Tensor(X))
    assert not y.requires_grad
    assert not f(Tensor(X, requires_grad=False)).requires_grad
    assert_array_equal(f(X), 2 * np.exp(X))


def test_a_graph_with_checkpoints_can_be_copied() -> None:
    x = Tensor(X)
    y = ag.sum(ag.checkpoint(lambda x: ag.sin(x) * ag.exp(x))(x))
    (wanted,) = gradients(y, [x])
    for clone in (lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy):
        twin_x, twin = clone((x, y))
        assert_array_equal(gradients(twin, [twin_x])[0], wanted)


def block(x: Any) -> Any:
    return x + ag.tanh(ag.sin(x) * ag.exp(-x * x) / (1 + x * x))


def peak(f: Callable[[Any], Any], depth: int = 50) -> int:
    """Count the bytes at the most that forward and backward through a deep chain take."""
    y = Tensor(np.full(100_000, 0.5))
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(depth):
            y = f(y)
        ag.sum(y).backward()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_checkpoint_saves_memory_on_a_deep_chain() -> None:
    assert peak(block) > 5 * peak(ag.checkpoint(block))


def test_a_backward_pass_leaves_nothing_behind() -> None:
    gc.disable()
    try:
        x, w = Tensor(np.ones(100)), Tensor(np.ones(100))
        y = ag.checkpoint(lambda x: (x * w) * x)(x)
        inside = [weakref.ref(ct) for node, ct in sweep(y, np.ones(100)) if node is not y]
        assert len(inside) == 2
        assert not any(ct() for ct in inside)
        z = ag.sum(y * y)
        slopes = [ct for node, ct in sweep(z, Tensor(1.0), recorded=True) if node is x]
        nodes = [weakref.ref(node) for node in [*ancestors(z), *ancestors(slopes[0])]]
        del y, z, slopes
        assert not any(node() for node in nodes)
    finally:
        gc.enable()


# ---- rules of one's own ----------------------------------------------------------------------------


def test_a_rule_of_ones_own_goes_to_any_order() -> None:
    log1pexp = ag.custom_vjp(lambda x: ag.log(1 + ag.exp(x)), lambda g, y, x: g * (1 - 1 / (1 + ag.exp(x))))
    with np.errstate(over="ignore"):
        assert ag.grad(log1pexp)(1000.0) == 1
    for order in range(1, 4):
        f, stable = log1pexp, ag.ops.softplus
        for _ in range(order):
            f, stable = ag.grad(f), ag.grad(stable)
        assert_allclose(f(0.3), stable(0.3))
    cube = ag.custom_vjp(lambda x: x**3, lambda g, y, x: 3 * g * y / x)  # y is what is differentiated again
    assert_allclose(ag.grad(ag.grad(cube))(2.0), 12)


def test_a_rule_of_ones_own_is_computed_again_inside_a_checkpoint() -> None:
    cube = ag.custom_vjp(lambda x: x**3, lambda g, y, x: g * 3 * x**2)
    f = ag.checkpoint(lambda x: cube(x) * x)
    assert (ag.grad(f)(2.0), ag.grad(ag.grad(f))(2.0)) == (4 * 2.0**3, 12 * 2.0**2)


def test_it_takes_and_gives_trees_with_one_call_of_the_rule() -> None:
    calls = []

    def f(pair: Any, s: Any, *, power: int) -> Any:
        return {"product": pair["a"] * pair["b"] ** power, "scaled": (np.float32(2) * np.float32(s), 7)}

    def rule(g: Any, y: Any, pair: Any, s: Any, *, power: int) -> Any:
        calls.append(y["scaled"][1])
        a, b = pair["a"], pair["b"]
        return {"a": g["product"] * b**power, "b": g["product"] * a * power * b ** (power - 1)}, 2 * g["scaled"][0]

    own = ag.custom_vjp(f, rule)
    a, b, s = Tensor(X), Tensor(X + 3), Tensor(2.0)
    y = own({"a": a, "b": b}, s, power=2)
    assert_array_equal(y["product"].data, X * (X + 3) ** 2)
    assert y["scaled"][0].dtype == np.float32
    (ag.sum(y["product"]) + 3 * y["scaled"][0]).backward()
    assert_allclose(a.grad, (X + 3) ** 2)
    assert_allclose(b.grad, 2 * X * (X + 3))
    assert s.grad == 6
    assert calls == [7]
    assert type(own({"a": X, "b": X}, 1.0, power=2)["product"]) is np.ndarray


def test_gradients_by_a_rule_are_nobody_elses_arrays() -> None:
    def rule(g: Any, y: Any, a: Any, b: Any) -> Any:
        both = 2 * g
        return both, both

    a, b = Tensor(X), Tensor(X)
    ag.sum(ag.custom_vjp(lambda a, b: a + b, rule)(a, b)).backward()
    a.grad += 1
    assert_array_equal(b.grad, [2, 2, 2])
    same = ag.custom_vjp(lambda x: x, lambda g, y, x: g)
    y = same(a)
    a.data += np.ones(3)
    assert_array_equal(y.data, X)


def test_a_jacobian_by_a_rule_that_is_not_linear_is_found_row_by_row() -> None:
    clipped = ag.custom_vjp(lambda x: x, lambda g, y, x: ag.clip(g, -1, 1))
    assert_array_equal(ag.jacobian(lambda x: np.array([5, 0.5, -3]) * clipped(x))(X), np.diag([1, 0.5, -1]))


def test_an_argument_without_a_cotangent() -> None:
    own = ag.custom_vjp(lambda x, n: x * n, lambda g, y, x, n: (g * n, None))
    assert ag.grad(own)(2.0, 3) == 3
    assert ag.grad(own, 1)(2.0, 3.0) == 0


def test_errors_name_what_a_rule_gave() -> None:
    x, w = Tensor(X), Tensor(2.0)

    def product(x: Any, y: Any) -> Any:
        return x * y

    with pytest.raises(TypeError, match="rule of 'product' gives a tuple of 2 cotangents.*not 1"):
        ag.sum(ag.custom_vjp(product, lambda g, z, x, y: (g * y,))(x, x)).backward()
    with pytest.raises(TypeError, match="rule of 'product' gives a tuple of 2 cotangents.*not a ndarray"):
        ag.sum(ag.custom_vjp(product, lambda g, z, x, y: g * y)(x, x)).backward()
    with pytest.raises(TypeError, match="form of argument 0, which has 2 arrays, not 1"):
        ag.sum(ag.custom_vjp(lambda pair: pair[0] * pair[1], lambda g, z, pair: g)((x, x))).backward()
    with pytest.raises(ValueError, match=r"rule of primitive 'product' gave a cotangent of shape \(2,\).*\(3,\)"):
        ag.sum(ag.custom_vjp(product, lambda g, z, x, y: (g[:2], g))(x, x)).backward()
    with pytest.raises(TypeError, match="uses a Tensor from outside.*pass it as an argument"):
        ag.custom_vjp(lambda x: x * w, lambda g, y, x: g)(x)
