"""What is not right with a user's own operation is found in one line, and so is another library's other gradient."""

from __future__ import annotations

import math
import re
import warnings
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
    check_op(ag.exp, [1, 2], reference=np.exp)


taken = ag.primitive("taken", lambda x, i: x[i], lambda g, y, x, i: ag.add_at(np.zeros(x.shape), i, g), None)
scaled = ag.primitive("scaled", lambda n, x: n * x, None, lambda g, y, n, x: g * n)


@pytest.mark.parametrize(
    ("operation", "operands", "reference"),
    [
        (taken, (np.arange(3.0), np.array([0, 2])), lambda x, i: np.take(x, i)),
        (taken, (np.arange(3.0), np.array([True, False, True])), lambda x, i: x[i]),
        (scaled, (3, [1.0, 2.0]), np.multiply),
        (scaled, (np.array([3, 4]), 2.5), None),
        (scaled, ([0.5], [[1.0], [2.0]]), np.multiply),
    ],
)
def test_what_counts_or_chooses_stays_an_integer(operation: Any, operands: Any, reference: Any) -> None:
    check_op(operation, *operands)
    check_op(operation, *operands, reference=reference)
    with pytest.raises(AssertionError, match="its value at entry"):
        check_op(operation, *operands, reference=lambda *xs: (reference or np.multiply)(*xs) + np.float16(1))


def test_two_of_three_operands_are_checked_together() -> None:
    def held(z: Any) -> Any:
        return z.data if isinstance(z, Tensor) else z

    rules = [lambda g, z, n, x, y: g * n * held(y), lambda g, z, n, x, y: g * n * x]
    with pytest.raises(GradientError, match=re.escape("held (operand 1 and 2 alone) by input 1")):
        check_op(wrong("held", lambda n, x, y: n * x * y, None, *rules), 2, [0.5], [0.25])


@pytest.mark.parametrize("x", [1j, [1 + 2j, 0], np.ones(2, np.complex64), ["a"]])
@pytest.mark.parametrize("operation", [scaled, product, lambda x, y: x * y])
def test_operands_are_real_numbers(operation: Any, x: Any) -> None:
    for operands in [(x, 1.0), (1.0, x)]:
        with pytest.raises(TypeError, match="holds real numbers, not"):
            check_op(operation, *operands)


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
        (
            wrong(
                "centred",
                lambda x: x - np.mean(x, axis=-1, keepdims=True),
                lambda g, y, x: g - ag.mean(g, axis=-1, keepdims=True) + (g if x.shape[-1:] == (1,) else 0),
            ),
            "rule 0 of 'centred' is wrong",
        ),
        (
            wrong("first", lambda x: x * 2, lambda g, y, x: g * (3 if x.ndim == 2 and x.shape[0] == 1 else 2)),
            "rule 0 of 'first' is wrong",
        ),
        (
            lambda x: ag.sin(x) if isinstance(x, Tensor) else np.sin(x) * np.random.default_rng().random(),
            "of shapes () gives another value each time",
        ),
        (wrong("noisy", lambda x: x * np.random.default_rng().random(x.shape), lambda g, y, x: g), "each time"),
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


def test_the_reference_may_be_wider() -> None:
    def erf(x: Any) -> Any:  # as that of SciPy
        return np.vectorize(math.erf, otypes=[np.float32 if x.dtype == np.float32 else np.float64])(x)

    check_op(ag.erf, reference=erf)
    check_op(ag.erf, reference=np.vectorize(math.erf, otypes=[np.float64]))
    check_op(ag.exp, [20.0], reference=lambda x: np.exp(np.float64(x)))  # too much for float16
    check_op(
        ag.log_softmax, [[0.3, 0.1], [0.7, 0.2]], reference=lambda x: x - np.log(np.sum(np.exp(x), -1, keepdims=True))
    )
    for dtype in (np.float32, np.float16):
        halved = wrong("halved", lambda x, dtype=dtype: x / 2 + (x.dtype == dtype), lambda g, y, x: g / 2)
        with pytest.raises(AssertionError, match=f"halved of {np.dtype(dtype)} operands .* its value at entry"):
            check_op(halved, reference=lambda x: np.float64(x) / 2)
    with pytest.raises(AssertionError, match="gives float64, not complex128"):
        check_op(ag.exp, reference=lambda x: np.exp(x + 0j))
    single = wrong("single", lambda x: x * np.float32(2), lambda g, y, x: 2 * g)
    with pytest.raises(AssertionError, match="of float16 .* gives float32, not float16 or float64"):
        check_op(single, reference=lambda x: np.float64(2) * x)


def refusing(dropped: Any) -> Any:
    """Make a sum of two that does not take what is named."""

    def forward(x: Any, y: Any) -> Any:
        if dropped(x, y):
            raise ValueError("cannot")
        return x + y

    return wrong("refusing", forward, lambda g, z, x, y: g, lambda g, z, x, y: g)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (
            wrong(
                "cut",
                lambda x, y: x + y if x.shape == y.shape else (x + y)[:1],
                lambda g, z, x, y: g,
                lambda g, z, x, y: g,
            ),
            "cut of float64 operands of shapes (1, 3), (2, 3): its value has shape (1, 3), and by the reference (2, 3)",
        ),
        (
            wrong(
                "half",
                lambda x, y: (x + y) * (np.nan if x.dtype == np.float16 else 1),
                lambda g, z, x, y: g,
                lambda g, z, x, y: g,
            ),
            "half of float16 operands of shapes (2, 3), (2, 3): its value at entry (0, 0) is nan, and by the reference",
        ),
        (refusing(lambda x, y: x.shape != y.shape), "operands of shapes (1, 3), (2, 3) raises ValueError: cannot"),
        (refusing(lambda x, y: x.dtype == np.float16), "of float16 operands of shapes (2, 3), (2, 3) raises ValueErr"),
        (refusing(lambda x, y: not x.size), "operands of shapes (0, 3), (0, 3) raises ValueError: cannot"),
        (refusing(lambda x, y: not x.ndim), "operands of shapes (), () raises ValueError: cannot"),
        (refusing(lambda x, y: x.ndim and x.size == 1), "operands of shapes (1, 1), (1, 1) raises ValueError: cannot"),
    ],
)
def test_what_the_reference_takes_the_operation_takes(operation: Any, message: str) -> None:
    operands = [[[0.5]], [[0.25]]] if "(1, 1)" in message else []
    if not operands:
        check_op(operation)
    with pytest.raises(AssertionError, match=re.escape(message)):
        check_op(operation, *operands, reference=np.add)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_narrow_values_are_those_of_float64(dtype: Any) -> None:
    def scaled(x: Any) -> Any:
        return np.sin(x) * (dtype(1.01 if dtype is np.float32 else 1.3) if x.dtype == dtype else x.dtype.type(1))

    with pytest.raises(AssertionError, match=f"scaled of {np.dtype(dtype)} operands .* by itself in float64"):
        check_op(wrong("scaled", scaled, lambda g, y, x: g * ag.cos(x)))


@pytest.mark.parametrize(
    ("operation", "operands"),
    [
        (lambda x: (1 + x) - 1, [1e-3, -2e-3]),
        (lambda x: 1 - ag.exp(-x * x), [1e-3, -2e-4]),
        (lambda x: 1 - ag.exp(-x * x), [1e-8]),
        (lambda x: ag.mean(x * x) - ag.mean(x) ** 2, [20.0, -10.5, 3.25]),
        (lambda x: ag.sin(1e5 * x), [0.5, 0.7]),
        (lambda x: ag.relu(x), [1e-9, 1.0]),
        (lambda x: ag.linalg.norm(x), [0.0, 3.0, 4.0]),
    ],
)
def test_rounding_is_no_mistake(operation: Any, operands: Any) -> None:
    check_op(operation, operands, order=1)


def test_a_reference_that_overflows_is_not_asked() -> None:
    softplus = ag.primitive("softplus", lambda x: np.logaddexp(0, x), lambda g, y, x: g * ag.sigmoid(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_op(softplus, [20.0, 1.0], reference=lambda x: np.log(1 + np.exp(x)))
        check_op(ag.log, [0.5], reference=lambda x: np.log(x) + 0 * np.mean(x))  # of nothing too


@pytest.mark.parametrize(
    ("slope", "raised", "skipped", "between"),
    [(0.0, "kink of step", None, None), (7.0, "rule 0 of 'step' is wrong", None, "rule 0 of 'step' is wrong")],
)
def test_kinks(slope: float, raised: str, skipped: Any, between: Any) -> None:
    step = wrong("step", lambda x: np.maximum(x, 0), lambda g, y, x: g * ((x > 0) + slope * (x == 0)))
    for on_kink, message in {"raise": raised, "skip": skipped, "subgradient": between}.items():
        if message is None:
            check_op(step, [-1.0, 0.0, 2.0], on_kink=on_kink)
        else:
            with pytest.raises(GradientError, match=message):
                check_op(step, [-1.0, 0.0, 2.0], on_kink=on_kink)
    with pytest.raises(GradientError, match="rule 0 of 'off' is wrong"):
        check_op(wrong("off", lambda x: np.maximum(x, 0), lambda g, y, x: g), [-1.0, 0.0, 2.0], on_kink="skip")
    with pytest.raises(ValueError, match="on_kink is one of"):
        check_op(step, on_kink="pass")


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


@pytest.mark.parametrize(
    ("f", "value", "gradient"),
    [
        (lambda v: ag.sum(ag.softmax(v)), 1.0, np.full(3, -1e-17)),
        (lambda v: v @ v - 14.0, 1e-14, np.array([2.0, 4.0, 6.0])),
        (lambda v: ag.sum(v) - 6, 1e-15, np.ones(3)),
    ],
)
def test_an_exact_zero_may_be_rounded(f: Any, value: float, gradient: Any) -> None:
    x = [1.0, 2.0, 3.0]
    check_against(lambda v: (value, gradient), f, x)
    with pytest.raises(GradientError, match="the value at entry"):
        check_against(lambda v: (value + 1e-10, gradient), f, x)
    with pytest.raises(GradientError, match="the gradient by input 0 at entry"):
        check_against(lambda v: (value, gradient + 1e-10), f, x)
    with pytest.raises(GradientError, match="apart"):
        check_against(lambda v: (value, gradient), f, x, rtol=0)
    check_against(lambda v: (value, gradient), f, x, rtol=0, atol=1e-13)
    check_against(lambda v: (value + 1e-10, gradient - 1e-10), f, x, atol=2e-10)


def test_what_is_small_is_compared_too() -> None:
    check_against(lambda v: (6e-20, np.full(3, 1e-20)), lambda v: 1e-20 * ag.sum(v), [1.0, 2.0, 3.0])
    with pytest.raises(GradientError, match="the gradient by input 0 at entry"):
        check_against(lambda v: (6e-20, np.full(3, 1.001e-20)), lambda v: 1e-20 * ag.sum(v), [1.0, 2.0, 3.0])


def test_what_is_recorded_elsewhere_is_detached() -> None:
    class Recorded:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise RuntimeError("call detach()")

        def detach(self) -> Any:
            return np.float64(14.0)

    check_against(lambda v: (Recorded(), 2 * v), lambda v: v @ v, [1.0, 2.0, 3.0])
    check_against(lambda v: (Tensor(v) @ v, Tensor(2 * v) * 1), lambda v: v @ v, [1.0, 2.0, 3.0])


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
        return y, t.grad

    check_against(reference, lambda x: ag.sum(ag.sin(x) ** 2), X)
    with jax.enable_x64(True):
        check_against(
            jax.value_and_grad(lambda x: jax.numpy.sum(jax.nn.softmax(x))), lambda x: ag.sum(ag.softmax(x)), X[0]
        )
