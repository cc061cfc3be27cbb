"""What is not right with a user's own operation is found in one line, and so is another library's other gradient."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor
from autograd_mini.ops import elementwise, linalg, reductions, shape
from autograd_mini.testing import GradientError, check_against, check_op

product = ag.primitive("product", lambda x, y: x * y, lambda g, z, x, y: g * y, lambda g, z, x, y: g * x)


@pytest.mark.parametrize(
    ("operation", "reference"),
    [
        (product, np.multiply), (ag.exp, np.exp), (ag.log, np.log), (ag.arccosh, np.arccosh), (ag.arctan2, np.arctan2),
        (elementwise.pow_p, np.power), (elementwise.float_power_p, np.float_power), (ag.tanh, np.tanh),
    ],
)  # fmt: skip
def test_what_is_right_passes(operation: Any, reference: Any) -> None:
    check_op(operation, reference=reference)


def test_operands_and_keywords_can_be_given() -> None:
    x = np.arange(6.0).reshape(2, 3) / 5 + 0.1
    check_op(linalg.matmul_p, x, x.T, reference=np.matmul)
    check_op(reductions.sum_p, x, params={"axis": 1}, reference=lambda x, axis: np.sum(x, axis, keepdims=True))
    check_op(shape.concatenate_p, x, x, params={"axis": 0}, order=3)
    check_op(shape.concatenate_p, params={"axis": 1})
    check_op(ag.custom_vjp(lambda x, y: x * y, lambda g, z, x, y: (g * y, g * x)), x, x + 1)
    check_op(lambda x: ag.sin(x) * 2, 0.5)
    check_op(
        ag.primitive("shifted", lambda x, n: np.roll(x, int(n)), lambda g, y, x, n: ag.roll(g, -int(n)), None), x, 1
    )


def wrong(name: str, forward: Any, *rules: Any) -> Any:
    return ag.primitive(name, forward, *rules)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (wrong("double", lambda x: 2 * x, lambda g, y, x: 2.02 * g), "rule 0 of 'double' is wrong"),
        (
            wrong("last", lambda x, y: x * y, lambda g, z, x, y: g * y, lambda g, z, x, y: g),
            "rule 1 of 'last' is wrong",
        ),
        (wrong("held", lambda x: x**3, lambda g, y, x: g * 3 * np.square(ag.stop_gradient(x))), "(order 2)"),
        (wrong("lost", lambda x: 2 * x, lambda g, y, x: 2 * ag.stop_gradient(g)), "jvp of lost by input 0"),
        (
            wrong("wide", lambda x: x * np.float64(2), lambda g, y, x: 2 * g),
            "of float32 operands of shapes (2, 3) gives",
        ),
        (
            wrong(
                "rows", lambda x, y: x + y, lambda g, z, x, y: g, lambda g, z, x, y: g * 1.0 if y.ndim > 1 else 2 * g
            ),
            "rule 1 of 'rows' is wrong at 1 of 1 places",
        ),
        (
            wrong(
                "pair",
                lambda x, y: x * y,
                lambda g, z, x, y: g * y,
                lambda g, z, x, y: g * x.mean() if x.size < 6 else g * x,
            ),
            "rule 1 of 'pair' is wrong",
        ),
        (
            wrong("array", lambda x: x * x, lambda g, y, x: 2 * g * (x.data if isinstance(x, Tensor) else x)),
            "gradient of array by input 0",
        ),
        (lambda x: np.sin(x.data) if isinstance(x, Tensor) else np.sin(x), "for Tensors, not a recorded Tensor"),
        (lambda x: ag.sin(x) if isinstance(x, Tensor) else np.cos(x), "for arrays"),
    ],
)
def test_what_is_wrong_is_named(operation: Any, message: str) -> None:
    operands = [] if hasattr(operation, "op") else [0.5]
    with pytest.raises(AssertionError, match=re.escape(message)):
        check_op(operation, *operands)


def test_what_belongs_to_the_caller_is_only_read() -> None:
    def doubled(x: Any) -> Any:
        x *= 2
        return x.copy()

    with pytest.raises(AssertionError, match=r"doubled of float64 .* changes operand 0, .*: let it work on a copy"):
        check_op(wrong("doubled", doubled, lambda g, y, x: 2 * g), np.ones(3))
    turned = wrong("turned", lambda x: -x, lambda g, y, x: np.negative(g, out=g) if type(g) is np.ndarray else -g)
    with pytest.raises(GradientError, match="by operand 0: wrong, the rule changed the cotangent"):
        check_op(turned)
    scaled = wrong("scaled", lambda x, y: x * y, lambda g, z, x, y: g * y, lambda g, z, x, y: np.multiply(x, g, out=x))
    with pytest.raises(GradientError, match="by operand 1: wrong, the rule changed operand 0"):
        check_op(scaled)


def test_a_value_is_an_array() -> None:
    with pytest.raises(AssertionError, match="gives list for arrays, not an array"):
        check_op(wrong("listed", lambda x: [x], lambda g, y, x: g))


def test_the_value_is_that_of_the_reference() -> None:
    with pytest.raises(AssertionError, match=r"its value at entry .* and by the reference"):
        check_op(ag.exp, reference=lambda x: np.exp(x) * (1 + 1e-12))
    with pytest.raises(AssertionError, match="its value has shape"):
        check_op(ag.exp, reference=lambda x: np.exp(x).T)
    with pytest.raises(AssertionError, match="gives float64, not float32"):
        check_op(ag.exp, reference=lambda x: np.exp(x).astype(np.float32))


def test_there_must_be_something_to_check() -> None:
    with pytest.raises(ValueError, match="for any other function, pass them"):
        check_op(lambda x: x)
    with pytest.raises(ValueError, match="no finite value at arrays of shape"):
        check_op(wrong("never", lambda x: x * np.nan, lambda g, y, x: g))
    with pytest.raises(ValueError, match="constant has no operand to differentiate by"):
        check_op(ag.primitive("constant", lambda x: x, None), 1.0)


# -- another library -----------------------------------------------------------------------------------

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


def loss(p: Any, x: Any) -> Any:
    return ag.sum(ag.tanh(p["w"] * x + p["b"]))


def by_hand(p: Any, x: Any) -> Any:
    y = np.tanh(p["w"] * x + p["b"])
    slope = 1 - y * y
    return y.sum(), ({"w": slope * x, "b": slope.sum()}, slope * p["w"])


def test_a_gradient_by_hand() -> None:
    p = {"w": X + 1, "b": Tensor(0.5)}
    check_against(by_hand, loss, p, X)
    check_against(lambda x: (x @ x, 2 * x), lambda x: x @ x, [1.0, 2.0, 3.0])

    def off(p: Any, x: Any) -> Any:
        value, (slopes, by_x) = by_hand(p, x)
        return value, ({**slopes, "w": slopes["w"] * np.where(X == 2.0, 1.001, 1)}, by_x)

    with pytest.raises(GradientError, match=re.escape("loss: the gradient by input 0['w'] at entry (0, 2) is")):
        check_against(off, loss, p, X)
    check_against(off, loss, p, X, rtol=0.01)
    with pytest.raises(GradientError, match="loss: the value at entry"):
        check_against(lambda p, x: (by_hand(p, x)[0] + 1e-9, by_hand(p, x)[1]), loss, p, X)
    with pytest.raises(GradientError, match="has shape"):
        check_against(lambda x: (x @ x, 2 * x[:2]), lambda x: x @ x, [1.0, 2.0, 3.0])
    with pytest.raises(GradientError, match="gives 1 gradients, and there are 3"):
        check_against(lambda p, x: (by_hand(p, x)[0], (by_hand(p, x)[1][1],)), loss, p, X)
    with pytest.raises(ValueError, match="got none"):
        check_against(lambda: (0.0, ()), lambda: 0.0)
    with pytest.raises(TypeError, match="a reference gives the value and the gradient, and this one gave float64"):
        check_against(lambda x: x @ x, lambda x: x @ x, [1.0, 2.0])
    with pytest.raises(GradientError, match="the gradient by input 0 by the reference is of complex128"):
        check_against(lambda x: (x @ x, 2 * x + 0j), lambda x: x @ x, [1.0, 2.0])


def test_gradients_in_dicts_are_found_by_their_keys() -> None:
    p = {"a": X, "b": X + 1}
    check_against(lambda p: (np.sum(p["a"] * p["b"]), {"b": p["a"], "a": p["b"]}), lambda p: ag.sum(p["a"] * p["b"]), p)
    with pytest.raises(GradientError, match="the reference gives gradients by the keys 'a', 'c', not by the keys 'a'"):
        check_against(
            lambda p: (np.sum(p["a"] * p["b"]), {"a": p["b"], "c": p["a"]}), lambda p: ag.sum(p["a"] * p["b"]), p
        )
    with pytest.raises(GradientError, match="the reference gives gradients by one array, not by the keys 'a'"):
        check_against(lambda p: (np.sum(p["a"]), np.ones_like(X)), lambda p: ag.sum(p["a"]), {"a": X})
    with pytest.raises(GradientError, match="the reference gives gradients by 2 inputs, not by the keys 'a', 'b'"):
        check_against(lambda p: (np.sum(p["a"] * p["b"]), (p["b"], p["a"])), lambda p: ag.sum(p["a"] * p["b"]), p)


def test_a_module_is_a_dict_of_its_parameters() -> None:
    layer = ag.nn.Linear(3, 2, rng=0)

    def reference(p: Any, x: Any) -> Any:
        w, b = p["weight"], p["bias"]
        return (x @ w + b).sum(), (
            {"weight": x.sum(0)[:, None] * np.ones_like(w), "bias": 2 * np.ones_like(b)},
            x * 0 + w.sum(1),
        )

    check_against(reference, lambda m, x: ag.sum(m(x)), layer, X)
    with pytest.raises(GradientError, match=re.escape("the gradient by input 0.bias at entry (0,) is 6")):
        check_against(reference, lambda m, x: ag.sum(m(x)) + 4 * ag.sum(m.bias - m.bias.data), layer, X)


@pytest.mark.oracle
def test_jax_and_pytorch() -> None:
    jax = pytest.importorskip("jax")
    torch = pytest.importorskip("torch")
    with jax.enable_x64(True):
        check_against(
            jax.value_and_grad(lambda x: jax.numpy.sum(jax.numpy.sin(x) ** 2)), lambda x: ag.sum(ag.sin(x) ** 2), X
        )

    def reference(x: Any) -> Any:
        t = torch.tensor(x, requires_grad=True)
        y = (torch.sin(t) ** 2).sum()
        y.backward()
        return y.detach(), t.grad

    check_against(reference, lambda x: ag.sum(ag.sin(x) ** 2), X)
